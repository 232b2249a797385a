// Three people on three edges that share a store and are linked, each sending a picture to the other two: what chaos is let loose on.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callTest, type Call, type Person } from './call.ts';
import type { Edge } from './edge.ts';
import { Redis } from './redis.ts';
import { shows } from './verdict.ts';
import { until } from './wait.ts';

export const FILE = fileURLToPath(new URL('../../../target/chaos/results.json', import.meta.url));
const NAMES = ['ana', 'ben', 'cleo'] as const;
/** Only decides when a failure is called one. */
const PATIENCE_MS = 60_000;

/** A line of the table of results. */
interface Result {
    id: string;
    what: string;
    /** The longest time without a picture of somebody whose own edge went on, seen by somebody whose own edge went on. */
    gap_ms: number;
    /** People who were not back in the room with the others in the end. */
    lost_calls: number;
    /** Until the last picture flowed again, from the moment it began, or from when what was missing was back. */
    recover_ms: number;
    target_ms: number;
    ok: boolean;
}

export interface Trio {
    call: Call;
    redis: Redis;
    /** By the place of who is on it; a scenario that starts one anew puts it back here. */
    edges: Edge[];
    people: readonly Person[];
    pictures: readonly string[];
    flags(place: number): string[];
}

export interface Chaos {
    /** Of FAULTS.md where it is listed there. */
    id: string;
    what: string;
    /** Most that recovering may take. */
    targetMs: number;
    /** People whose own edge is not touched: between them the longest gap counts. Default: all. */
    untouched?: readonly number[];
    timeoutMs?: number;
    /** What happens; the answer, by any page's clock, is when everything needed was there again. */
    happens(trio: Trio, now: () => Promise<number[]>): Promise<number[]>;
}

const SECRET = 'chaos'.repeat(8);

/** Declares the test of one disturbance. Its figures are printed, and kept in target/chaos/results.json. */
export function chaos({ id, what, targetMs, untouched = [0, 1, 2], timeoutMs = 240_000, happens }: Chaos): void {
    const redis = new Redis();
    const flags = (place: number): string[] => [...redis.flags(NAMES[place] ?? ''), '--relay', '127.0.0.1:0', '--relay-secret', SECRET];
    const options = { flags: flags(0), timeoutMs, before: () => redis.start(), after: () => redis.stop() };
    callTest(`${id}: ${what}`, options, async (call) => {
        const trio = await meet(call, redis, flags);
        const { people, pictures } = trio;
        const now = (): Promise<number[]> => Promise.all(people.map((person) => person.now()));
        const began = await now();
        const since = await happens(trio, now);
        const back = await Promise.all(pairs().map(async ([to, from]) => (await people[to]!.flowsAgain(pictures[from]!, since[to]!, PATIENCE_MS)) - since[to]!));
        await Promise.all(pairs().map(([to, from]) => shows(() => people[to]!.measureVideo(pictures[from]!, 1500), from, PATIENCE_MS)));
        const gaps = await Promise.all(
            pairs().filter((pair) => pair.every((place) => untouched.includes(place)))
                .map(async ([to, from]) => (await people[to]!.watched(pictures[from]!, began[to]!)).longestGapMs),
        );
        const lost = await Promise.all(
            people.map(async (person, place) => {
                const others = (await person.participants()).map(({ identity }) => identity).sort();
                return (await person.state()) === 'connected' && others.join() === NAMES.filter((_, other) => other !== place).join() ? 0 : 1;
            }),
        );
        const result: Result = {
            id,
            what,
            gap_ms: Math.round(Math.max(0, ...gaps)),
            lost_calls: lost.reduce<number>((sum, one) => sum + one, 0),
            recover_ms: Math.round(Math.max(...back)),
            target_ms: targetMs,
            ok: false,
        };
        result.ok = result.lost_calls === 0 && result.recover_ms <= targetMs;
        keep(result);
        call.figure(JSON.stringify(result));
        // How long it may take on this machine is for the table to say; that nobody is lost is not.
        assert.equal(result.lost_calls, 0, 'everybody is in the room with everybody');
    });
}

async function meet(call: Call, redis: Redis, flags: (place: number) => string[]): Promise<Trio> {
    const edges = [call.edge, await call.anotherEdge({ flags: flags(1) }), await call.anotherEdge({ flags: flags(2) })];
    for (const edge of edges) await linked(edge, 2);
    const people: Person[] = [];
    const pictures: string[] = [];
    for (const [place, name] of NAMES.entries()) {
        const person = await call.enter(name, { edge: edges[place]!, ownBrowser: false });
        people.push(person);
        pictures.push(await person.publishPicture({ pattern: place }));
    }
    for (const [place, edge] of edges.entries()) assert.equal((await edge.tables()).participants, 1, `${NAMES[place]} is at an edge of their own`);
    await Promise.all(pairs().map(([to, from]) => people[to]!.watch(pictures[from]!)));
    await Promise.all(pairs().map(([to, from]) => people[to]!.flowsAgain(pictures[from]!, 0, PATIENCE_MS)));
    return { call, redis, edges, people, pictures, flags };
}

/** How long a disturbance lasts. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until an edge knows so many others and is linked with them. */
export async function linked(edge: Edge, others: number): Promise<void> {
    await until(`${others} links`, async () => (await edge.stats()).relay?.['links'], (links) => links === others, PATIENCE_MS);
}

const pairs = (): [number, number][] => NAMES.flatMap((_, to) => NAMES.flatMap((__, from): [number, number][] => (from === to ? [] : [[to, from]])));

function keep(result: Result): void {
    let all: Result[] = [];
    try {
        all = JSON.parse(readFileSync(FILE, 'utf8')) as Result[];
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    mkdirSync(dirname(FILE), { recursive: true });
    const rows = [...all.filter(({ id }) => id !== result.id), result].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
    writeFileSync(FILE, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
}
