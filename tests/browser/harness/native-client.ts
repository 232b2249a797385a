// Starts, directs and ends a native client (tests/native): a participant on the `webrtc` crate, without a browser.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './processes.ts';
import { within } from './wait.ts';

const JOIN_MS = 15_000;
/** Until something that the edge causes is here. */
const PATIENCE_MS = 30_000;
const STOP_MS = 20_000;
/** By then every test is over; the client ends by itself. */
const LIFE_S = 150;
const LOG_LINES = 400;

/** One line of the client's: docs/dev-guide/native-client.md lists them. */
export type NativeEvent = { event: string } & Record<string, unknown>;

export interface NativeSlot {
    identity: string | null;
    source: string | null;
    packets: number;
    lost: number;
    duplicates: number;
    frames: number;
    key_frames: number;
    first_packet_ms: number;
    first_frame_ms: number;
    last_packet_ms: number;
    file: string;
}

export interface NativeReport {
    timings: Record<string, number | null>;
    published: { source: string; publication: string; frames: number; key_frames_asked: number }[];
    received: Record<string, NativeSlot>;
    transport: { srtp_cipher: string };
    rtcp: { received: Record<string, number>; sent: Record<string, number>; resent: number };
    closed: string | null;
}

export interface NativeOptions {
    url: string;
    token: string;
    /** VP8 in IVF and Opus in Ogg. */
    video: string;
    audio: string;
    /** A folder for what is received. */
    record: string;
}

export class NativeClient {
    /** Its lines and its complaints, for a failed test. */
    readonly log: string[] = [];
    readonly #child: ChildProcessWithoutNullStreams;
    readonly #events: NativeEvent[] = [];
    readonly #listeners = new Set<() => void>();
    #ended: string | undefined;

    private constructor(child: ChildProcessWithoutNullStreams) {
        this.#child = child;
        createInterface({ input: child.stderr }).on('line', (line) => this.#note(line));
        createInterface({ input: child.stdout }).on('line', (line) => {
            this.#note(line);
            this.#events.push(JSON.parse(line) as NativeEvent);
            this.#wake();
        });
        child.stdin.on('error', () => {}); // it ended: whoever waits for something hears of that
        child.once('error', (error) => this.#end(error.message));
        child.once('close', (code, signal) => this.#end(`it ended with ${code ?? signal}`));
    }

    /** Joins, and waits until it was let in. */
    static async join({ url, token, video, audio, record }: NativeOptions): Promise<NativeClient> {
        const flags = { url, token, video, audio, record, limit: String(LIFE_S), 'check-interval': '20' };
        const child = spawn(program(), Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), { stdio: 'pipe' });
        endWithUs(child);
        const client = new NativeClient(child);
        await client.sees('joined', () => true, JOIN_MS);
        return client;
    }

    /** The first event of this name that `matches`, now or soon. */
    async sees(event: string, matches: (event: NativeEvent) => boolean, ms = PATIENCE_MS): Promise<NativeEvent> {
        let check = (): void => {};
        const found = new Promise<NativeEvent>((resolve, reject) => {
            check = () => {
                const match = this.#events.find((it) => it.event === event && matches(it));
                if (match) resolve(match);
                else if (this.#ended !== undefined) reject(new Error(`no ${event} of the native client: ${this.#ended}\n${this.log.join('\n')}`));
            };
            this.#listeners.add(check);
            check();
        });
        try {
            return await within(ms, `${event} of the native client; so far:\n${this.log.join('\n')}`, found);
        } finally {
            this.#listeners.delete(check);
        }
    }

    send(text: string, options: { topic?: string; to?: string; reliable?: boolean } = {}): void {
        this.#command({ command: 'send', text, ...options });
    }

    /** Leaves; what it all came to. */
    async stop(): Promise<NativeReport> {
        this.#command({ command: 'stop' });
        const report = await this.sees('report', () => true, STOP_MS);
        return report as unknown as NativeReport;
    }

    /** For the end of a test, however it ends. */
    kill(): void {
        this.#child.kill('SIGKILL');
    }

    #command(command: Record<string, unknown>): void {
        this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    }

    #note(line: string): void {
        this.log.push(line);
        if (this.log.length > LOG_LINES) this.log.shift();
    }

    #end(why: string): void {
        this.#ended ??= why;
        this.#wake();
    }

    #wake(): void {
        for (const listener of [...this.#listeners]) listener();
    }
}

/** The client that was built last: `make test` leaves a debug build. */
function program(): string {
    const given = process.env.NEARCAST_NATIVE;
    if (given) return given;
    const built = ['debug', 'release'].map((profile) => fileURLToPath(new URL(`../../../target/${profile}/nearcast-native`, import.meta.url)));
    const [latest] = built.filter((path) => existsSync(path)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    if (!latest) throw new Error(`The native client is not built: ${built.join(', ')} are missing. Remedy: run \`cargo build -p nearcast-native\`, or set NEARCAST_NATIVE.`);
    return latest;
}
