// A real Redis server for edges that share rooms, in a folder of its own.

import { spawn, type ChildProcess } from 'node:child_process';
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

    /** With these an edge is one of its cluster. */
    flags(edge: string): string[] {
        return ['--redis', `unix://${join(this.#folder, 'socket')}`, '--edge-id', edge];
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

    async stop(): Promise<void> {
        const child = this.#child;
        if (child) {
            const gone = new Promise((resolve) => child.once('exit', resolve));
            child.kill('SIGKILL');
            await gone;
        }
        rmSync(this.#folder, { recursive: true, force: true });
    }
}
