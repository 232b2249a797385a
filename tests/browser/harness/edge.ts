// Starts and stops the edge, and asks it for tokens and statistics.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './processes.ts';
import { within } from './wait.ts';

/** A start takes a tenth of a second; on a machine that compiles meanwhile, a few. */
const START_MS = 15_000;
const STOP_MS = 5_000;
const LOG_LINES = 400;

export interface EdgeOptions {
    /** The address for UDP, and so the one that is announced. Default `host`. */
    udp?: string;
    /** The address for HTTP. Default 127.0.0.1. */
    host?: string;
    /** Ports for HTTP and UDP. Default: free ones. */
    ports?: { http: string; udp: string };
    /** In the network of this process instead of ours. */
    namespace?: number;
    /** Further flags of `nearcast-edge serve`. */
    flags?: string[];
    /** Another binary than the one that is built: of another version. */
    program?: string;
}

/** The part of `GET /v1/stats` (docs/edge-http.md) that the tests read. */
export interface EdgeStats {
    /** All shards together. */
    /** Only of an edge in a cluster. */
    cluster?: { edges: number; rooms_owned: number } | null;
    total: { core: Record<string, number>; thread: Record<string, number>; send: Record<string, number>; tcp: Record<string, number> };
    /** STUN and TURN servers, in the order of their configuration. */
    ice_servers: { urls: string[]; response_ms: number | null; given: boolean }[];
    /** Links to other edges; null: it makes none. */
    relay: Record<string, number> | null;
}

/** What a call takes up in the edge; with the last participant gone, every one of these is zero. */
const TABLES = [
    'rooms',
    'participants',
    'publications',
    'subscriptions',
    'sessions',
    'connections',
    'transports',
    'tuples',
    'ufrags',
    'publication_ids',
] as const;
export type Tables = Record<(typeof TABLES)[number], number>;

export class Edge {
    /** `127.0.0.1:PORT`: signalling, tokens, the demo page. */
    readonly http: string;
    /** `ADDRESS:PORT` */
    readonly udp: string;
    /** Where other edges link to it; empty: nowhere. */
    readonly relay: string;
    readonly #child: ChildProcess;
    readonly #log: string[];
    #killed = false;

    private constructor(child: ChildProcess, [http, udp, relay]: [string, string, string], log: string[]) {
        this.#child = child;
        this.http = http;
        this.udp = udp;
        this.relay = relay;
        this.#log = log;
    }

    static async start(options: EdgeOptions = {}): Promise<Edge> {
        const program = options.program ?? process.env.NEARCAST_EDGE ?? fileURLToPath(new URL('../../../target/release/nearcast-edge', import.meta.url));
        if (!existsSync(program)) throw new Error(`The edge is not built: ${program} is missing. Remedy: run \`make build\` first, or set NEARCAST_EDGE.`);
        const { host = '127.0.0.1', ports } = options;
        const [http, udp] = [`${host}:${ports?.http ?? 0}`, `${options.udp ?? host}:${ports?.udp ?? 0}`];
        const flags = ['serve', '--dev', '--http', http, '--udp', udp, ...(options.flags ?? [])];
        // The edge reads NEARCAST_* variables as settings, and ours are none.
        const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NEARCAST_')));
        const command = options.namespace === undefined ? [program] : ['nsenter', `--net=/proc/${options.namespace}/ns/net`, program];
        const child = spawn(command[0]!, [...command.slice(1), ...flags], { stdio: ['ignore', 'pipe', 'pipe'], env });
        endWithUs(child);
        const log: string[] = [];
        const note = (line: string): void => {
            log.push(line);
            if (log.length > LOG_LINES) log.shift();
        };
        createInterface({ input: child.stderr }).on('line', note);
        const ready = new Promise<RegExpExecArray>((resolve, reject) => {
            createInterface({ input: child.stdout }).on('line', (line) => {
                note(line);
                const match = /^ready http=(\S+) udp=(\S+)(?:.* relay=(\S+))?/.exec(line);
                if (match) resolve(match);
            });
            child.once('error', reject);
            child.once('exit', (code, signal) => reject(new Error(`the edge ended with ${code ?? signal} before it was ready:\n${log.join('\n')}`)));
        });
        try {
            const [, http = '', udp = '', relay = ''] = await within(START_MS, 'the ready line of the edge', ready);
            return new Edge(child, [http, udp, relay], log);
        } catch (error) {
            child.kill('SIGKILL');
            throw error;
        }
    }

    get log(): readonly string[] {
        return this.#log;
    }

    /** A token for `room`, minted by the development route. */
    async token(room: string, identity: string, grants: Record<string, unknown> = {}): Promise<string> {
        const response = await fetch(`http://${this.http}/v1/token`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ room, identity, name: identity, ...grants }),
            signal: AbortSignal.timeout(5000),
        });
        if (!response.ok) throw new Error(`POST /v1/token: ${response.status} ${await response.text()}`);
        const { token } = (await response.json()) as { token: string };
        return token;
    }

    async stats(): Promise<EdgeStats> {
        const response = await fetch(`http://${this.http}/v1/stats`, { signal: AbortSignal.timeout(5000) });
        if (!response.ok) throw new Error(`GET /v1/stats: ${response.status} ${await response.text()}`);
        return (await response.json()) as EdgeStats;
    }

    /** The sizes of the tables now, without the counters that only grow. */
    async tables(): Promise<Tables> {
        const { core } = (await this.stats()).total;
        return Object.fromEntries(TABLES.map((name) => [name, core[name] ?? NaN])) as Tables;
    }

    /** Stands still from now on, with its sockets open; or goes on. */
    freeze(frozen: boolean): void {
        this.#child.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
    }

    /** Ends the edge as a crash would. */
    async kill(): Promise<void> {
        const gone = new Promise((resolve) => this.#child.once('exit', resolve));
        this.#child.kill('SIGKILL');
        await within(STOP_MS, 'the edge to be gone after SIGKILL', gone);
        this.#killed = true;
    }

    /** The same, and starts another one on the same ports. */
    async replace(options: EdgeOptions): Promise<Edge> {
        await this.kill();
        return Edge.start({ ...options, ports: { http: portOf(this.http), udp: portOf(this.udp) } });
    }

    /** Ends the edge as an operator would; throws when it does not go, or not with 0. */
    async stop(): Promise<void> {
        if (this.#killed) return;
        if (this.#child.exitCode === null && this.#child.signalCode === null) {
            const gone = new Promise((resolve) => this.#child.once('exit', resolve));
            this.#child.kill('SIGTERM');
            try {
                await within(STOP_MS, 'the edge to end after SIGTERM', gone);
            } catch (error) {
                this.#child.kill('SIGKILL');
                throw error;
            }
        }
        const { exitCode, signalCode } = this.#child;
        if (exitCode !== 0) throw new Error(`the edge ended with ${exitCode ?? signalCode}:\n${this.#log.join('\n')}`);
    }
}

const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);
