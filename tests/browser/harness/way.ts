// A way to an edge's link port that can be cut and that mixes up: it passes UDP datagrams on, each sender by a socket of its own.
//
// An edge makes and takes links by one port, so a sender is known by it: two edges are parted where each one's way refuses the other.

import { createSocket, type Socket } from 'node:dgram';

export class Way {
    readonly #front: Socket;
    readonly #behind = new Map<string, Socket>();
    readonly #refused = new Set<string>();
    #target: { address: string; port: number } | undefined;
    #reordering = { every: 0, ms: 0 };
    #passed = 0;

    private constructor(front: Socket) {
        this.#front = front;
        front.on('message', (datagram, { address, port }) => this.#take(`${address}:${port}`, datagram));
    }

    /** Leads nowhere until `to`. */
    static async open(): Promise<Way> {
        return new Way(await bound());
    }

    /** `127.0.0.1:PORT` */
    get address(): string {
        return `127.0.0.1:${this.#front.address().port}`;
    }

    to(target: string): void {
        this.#target = split(target);
        for (const socket of this.#behind.values()) socket.close();
        this.#behind.clear();
    }

    /** From now on nothing passes between there and this sender, or everything does again. */
    cut(sender: string, cut: boolean): void {
        if (cut) this.#refused.add(sender);
        else this.#refused.delete(sender);
    }

    /** From now on one of so many comes so much later than those behind it; of 0 none. */
    reorder(every: number, ms: number): void {
        this.#reordering = { every, ms };
    }

    close(): void {
        this.#front.close();
        for (const socket of this.#behind.values()) socket.close();
        this.#behind.clear();
    }

    #take(sender: string, datagram: Buffer): void {
        void this.#socketOf(sender).then((socket) => {
            const target = this.#target;
            if (target) this.#pass(sender, () => socket.send(datagram, target.port, target.address));
        });
    }

    async #socketOf(sender: string): Promise<Socket> {
        const known = this.#behind.get(sender);
        if (known) return known;
        const socket = await bound();
        const meanwhile = this.#behind.get(sender);
        if (meanwhile) {
            socket.close();
            return meanwhile;
        }
        this.#behind.set(sender, socket);
        const { address, port } = split(sender);
        socket.on('message', (answer) => this.#pass(sender, () => this.#front.send(answer, port, address)));
        return socket;
    }

    #pass(sender: string, send: () => void): void {
        if (this.#refused.has(sender)) return;
        this.#passed += 1;
        const { every, ms } = this.#reordering;
        if (every === 0 || this.#passed % every > 0) return send();
        setTimeout(() => {
            // What is late when everything ends is lost.
            try {
                send();
            } catch (error) {
                if ((error as NodeJS.ErrnoException).code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error;
            }
        }, ms);
    }
}

async function bound(): Promise<Socket> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
    await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(0, '127.0.0.1', resolve);
    });
    // A port that is closed answers so; whoever sends there notices by silence, as on a network.
    socket.removeAllListeners('error').on('error', () => undefined);
    return socket;
}

function split(address: string): { address: string; port: number } {
    const [host = '', port = ''] = address.split(':');
    return { address: host, port: Number(port) };
}
