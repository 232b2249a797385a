// A network of its own behind an emulated link: `nearcast-link` (tests/link) joins it to the one that the test is in.
//
// Needs `inOwnNetwork`: the test, the edge and the other browsers are on the far side, the one under test on the near side.

import { execFileSync, spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ip } from './own-network.ts';
import { endWithUs } from './processes.ts';
import { within } from './wait.ts';

/** What one direction does: tests/link/src/settings.rs says more of each, and the ranges. */
export interface Direction {
    delay_ms?: number;
    jitter_ms?: number;
    /** A share of 1, at random. */
    loss?: number;
    /** In place of `loss`: mean packets between bursts, and lost in one. */
    bursts?: { good: number; bad: number };
    duplicate?: number;
    reorder_every?: number;
    /** 0 is no limit. */
    rate_kbps?: number;
    queue_ms?: number;
}

/** Up is what the browser behind the link sends. What isn't named stays as it is. */
export interface Conditions {
    both?: Direction;
    up?: Direction;
    down?: Direction;
    /** Takes everything else back first. */
    reset?: boolean;
    cut?: boolean;
    block?: 'nothing' | 'udp' | { udp_port: number };
}

export interface Counts {
    sent: number;
    arrived: number;
    lost: number;
    refused: number;
}

export interface Standing {
    cut: boolean;
    up: { settings: Required<Direction>; counts: Counts };
    down: { settings: Required<Direction>; counts: Counts };
}

/** The address of the far side: the edge's, and the pages'. */
export const FAR = '10.78.0.1';
const NEAR = '10.78.0.2';
const START_MS = 10_000;
const ANSWER_MS = 5_000;
/** Longer than any test; the network must not outlive a crash of the test by more. */
const HELD_FOR_S = 3600;

export class Link {
    /** Whoever holds the near side's network; programs enter it by this process. */
    readonly near: number;
    readonly #holder: ChildProcess;
    readonly #child: ChildProcessByStdio<Writable, Readable, null>;
    readonly #waiting: ((line: string) => void)[] = [];

    private constructor(holder: ChildProcess, near: number, seed: number) {
        this.#holder = holder;
        this.near = near;
        const program = process.env.NEARCAST_LINK ?? fileURLToPath(new URL('../../../target/debug/nearcast-link', import.meta.url));
        if (!existsSync(program)) {
            throw new Error(`The link is not built: ${program} is missing. Remedy: cargo build -p nearcast-link, or set NEARCAST_LINK.`);
        }
        const flags = ['--near', `pid:${near}`, '--far', `pid:${process.pid}`, '--seed', String(seed)];
        this.#child = spawn(program, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
        endWithUs(this.#child);
        this.#child.stdin.on('error', () => undefined); // an answer that doesn't come says it
        createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.(line));
    }

    /** Joins a new network to this one. The seed decides what is lost. */
    static async raise(seed = 1): Promise<Link> {
        const holder = spawn('unshare', ['--net', 'sh', '-c', `echo made; exec sleep ${HELD_FOR_S}`], { stdio: ['ignore', 'pipe', 'inherit'] });
        endWithUs(holder);
        try {
            const made = new Promise((resolve) => createInterface({ input: holder.stdout }).once('line', resolve));
            await within(START_MS, 'a network namespace', made);
            if (holder.pid === undefined) throw new Error('the namespace has no process');
            const link = new Link(holder, holder.pid, seed);
            await within(START_MS, 'the link to be ready', link.#line());
            // Browsers offer the address that the default route would use.
            link.#inside('ip', 'link', 'set', 'lo', 'up');
            link.#inside('ip', 'route', 'add', 'default', 'via', FAR);
            ip('route', 'replace', 'default', 'via', NEAR);
            return link;
        } catch (error) {
            holder.kill('SIGKILL');
            throw error;
        }
    }

    /** Changes the link; how it stands then. */
    async set(conditions: Conditions): Promise<Standing> {
        const answer = this.#line();
        this.#child.stdin.write(`${JSON.stringify(conditions)}\n`);
        const told = JSON.parse(await within(ANSWER_MS, `the link to answer ${JSON.stringify(conditions)}`, answer)) as Standing | { error: string };
        if ('error' in told) throw new Error(`the link refused ${JSON.stringify(conditions)}: ${told.error}`);
        return told;
    }

    /** Nothing passes, what is under way is lost. */
    cut(): Promise<Standing> {
        return this.set({ cut: true });
    }

    /** Everything passes again, as slowly and lossily as before the cut. */
    heal(): Promise<Standing> {
        return this.set({ cut: false });
    }

    async close(): Promise<void> {
        const gone = Promise.all([this.#child, this.#holder].map(gonePromise));
        this.#child.stdin.end();
        this.#holder.kill('SIGKILL');
        await within(ANSWER_MS, 'the link to end', gone).catch((error: unknown) => {
            this.#child.kill('SIGKILL');
            throw error;
        });
    }

    #line(): Promise<string> {
        return new Promise((resolve) => this.#waiting.push(resolve));
    }

    #inside(...command: string[]): void {
        execFileSync('nsenter', [`--net=/proc/${this.near}/ns/net`, ...command], { stdio: 'pipe' });
    }
}

function gonePromise(child: ChildProcess): Promise<unknown> {
    const gone = child.exitCode !== null || child.signalCode !== null;
    return gone ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
}
