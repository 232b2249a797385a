// A TCP proxy in front of the edge's HTTP port, one per participant: with it a test cuts a WebSocket as a network would,
// without either end being asked, while media goes its own way over UDP.

import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export class Proxy {
    readonly #server: Server;
    readonly #sockets = new Set<Socket>();
    /** Connections that were passed on so far. */
    accepted = 0;
    #open = true;

    private constructor(server: Server) {
        this.#server = server;
    }

    /** `HOST:PORT`, or the path of a socket. */
    static async to(target: string, listenOn = '127.0.0.1', at = 0): Promise<Proxy> {
        const [host = '', port = ''] = target.split(/:(?=\d+$)/);
        const far = (): Socket => (target.startsWith('/') ? connect(target) : connect(Number(port), host.replace(/^\[|\]$/g, '')));
        const server = createServer();
        const proxy = new Proxy(server);
        server.on('connection', (near) => proxy.#pass(near, far()));
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(at, listenOn, resolve));
        return proxy;
    }

    /** `http://127.0.0.1:PORT` */
    get url(): string {
        return `http://${this.address}`;
    }

    /** `127.0.0.1:PORT` */
    get address(): string {
        const { address, port } = this.#server.address() as AddressInfo;
        return `${address}:${port}`;
    }

    /** Cuts every connection; with `refuse` new ones too, until `admit`. */
    cut(options: { refuse?: boolean } = {}): void {
        this.#open = options.refuse !== true;
        // Only TCP can be reset.
        for (const socket of this.#sockets) void (socket.remoteFamily === undefined ? socket.destroy() : socket.resetAndDestroy());
    }

    admit(): void {
        this.#open = true;
    }

    async close(): Promise<void> {
        for (const socket of this.#sockets) socket.destroy();
        await new Promise((resolve) => this.#server.close(resolve));
    }

    #pass(near: Socket, far: Socket): void {
        if (!this.#open) {
            near.resetAndDestroy();
            far.destroy();
            return;
        }
        this.accepted += 1;
        for (const [from, to] of [
            [near, far],
            [far, near],
        ] as const) {
            this.#sockets.add(from);
            from.setNoDelay(true);
            from.pipe(to);
            from.on('error', () => to.destroy());
            from.on('close', () => {
                this.#sockets.delete(from);
                to.destroy();
            });
        }
    }
}
