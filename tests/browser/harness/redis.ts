// A real Redis server for edges that share rooms, in a folder of its own.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithUs } from './processes.ts';
import { within } from './wait.ts';

const START_MS = 10_000;

export class Redis {
    readonly #folder = mkdtempSync(join(tmpdir(), 'nearcast-redis-'));
    #child: ChildProcess | undefined;

    /** With these an edge is one of its cluster; with `at`, an address of TCP, it reaches the store there. */
    flags(edge: string, at?: string): string[] {
        return ['--redis', at === undefined ? `unix://${this.path}` : `redis://${at}`, '--edge-id', edge];
    }

    /** Of its socket. */
    get path(): string {
        return join(this.#folder, 'socket');
    }

    async start(): Promise<void> {
        const child = spawn('redis-server', ['--port', '0', '--unixsocket', 'socket', '--save', '', '--appendonly', 'no'], { cwd: this.#folder, stdio: ['ignore', 'pipe', 'ignore'] });
        this.#child = child;
        endWithUs(child);
        const ready = new Promise<void>((resolve, reject) => {
            createInterface({ input: child.stdout }).on('line', (line) => /ready to accept connections/i.test(line) && resolve());
            child.once('error', (error) => reject(new Error(`${error.message}. Remedy: apt-get install -y --no-install-recommends redis-server`)));
        });
        await within(START_MS, 'redis-server to take connections', ready);
    }

    /** Ends it as a crash would; `start` brings it back with nothing in it. */
    async kill(): Promise<void> {
        const child = this.#child;
        if (!child) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
        this.#child = undefined;
    }

    /** Says nothing from now on, with its connections open; or goes on. */
    freeze(frozen: boolean): void {
        this.#child?.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
    }

    /** What `redis-cli` answers. */
    command(...words: string[]): string {
        return execFileSync('redis-cli', ['-s', this.path, ...words], { encoding: 'utf8' }).trim();
    }

    async stop(): Promise<void> {
        await this.kill();
        rmSync(this.#folder, { recursive: true, force: true });
    }
}
