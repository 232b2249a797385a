// Three people on three edges that share a store and are linked, each sending a picture to the other two: what chaos is let loose on.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callTest, type Call, type Person } from './call.ts';
import type { Edge } from './edge.ts';
import { Proxy } from './proxy.ts';
import { Redis } from './redis.ts';
import { shows } from './verdict.ts';
import { until } from './wait.ts';
import { Way } from './way.ts';

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
    gap_target_ms: number;
    ok: boolean;
}

export interface Trio {
    call: Call;
    redis: Redis;
    /** By the place of who is on it; a scenario that starts one anew puts it back here. */
    edges: Edge[];
    /** A scenario in which somebody comes anew puts them and their picture back here ([`meet`]). */
    people: Person[];
    pictures: string[];
    roads: Roads;
    /** See `Chaos`. */
    untouched: readonly number[];
    flags(place: number): string[];
}

/** What edges reach each other and the store by. */
export interface Roads {
    /** To each edge's link port. */
    ways: readonly Way[];
    /** From each edge to the store. */
    toStore: readonly Proxy[];
}

export interface Chaos {
    /** Of FAULTS.md where it is listed there. */
    id: string;
    what: string;
    /** Most that recovering may take. */
    targetMs: number;
    /** Most that people whose own edge is not touched may be without a picture of each other. */
    gapMs?: number;
    /** People whose own edge is not touched: between them the longest gap counts. Default: all, or whom the scenario names in the trio. */
    untouched?: readonly number[];
    /** Where the edges stand. Default: all in one region, each of which sends what is published on it to the two others. */
    regions?: readonly [string, string, string];
    timeoutMs?: number;
    /** Binaries of other versions, by place. */
    programs?: Readonly<Record<number, string>>;
    /** Why it can't run here; undefined: it can. */
    skip?: string | undefined;
    /** What happens; the answer, by any page's clock, is when everything needed was there again. */
    happens(trio: Trio, now: () => Promise<number[]>): Promise<number[]>;
}

const SECRET = 'chaos'.repeat(8);

/** Declares the test of one disturbance. Its figures are printed, and kept in target/chaos/results.json. */
export function chaos({ id, what, targetMs, gapMs = 500, untouched = [0, 1, 2], regions, timeoutMs = 240_000, programs = {}, skip, happens }: Chaos): void {
    const redis = new Redis();
    let roads: Roads = { ways: [], toStore: [] };
    const flags = (place: number): string[] => [
        ...redis.flags(NAMES[place] ?? '', roads.toStore[place]?.address),
        ...['--relay', '127.0.0.1:0', '--relay-secret', SECRET],
        ...(regions === undefined ? [] : ['--region', regions[place] ?? '']),
        // Another version may not know it.
        ...(programs[place] === undefined ? ['--relay-announce', roads.ways[place]?.address ?? 'off'] : []),
    ];
    const first: string[] = [];
    const before = async (): Promise<void> => {
        await redis.start();
        const each = <T>(open: () => Promise<T>): Promise<T[]> => Promise.all(NAMES.map(open));
        roads = { ways: await each(() => Way.open()), toStore: await each(() => Proxy.to(redis.path)) };
        first.push(...flags(0));
    };
    const after = async (): Promise<void> => {
        for (const way of roads.ways) way.close();
        await Promise.all(roads.toStore.map((proxy) => proxy.close()));
        await redis.stop();
    };
    const program = (place: number): { program?: string } => (programs[place] === undefined ? {} : { program: programs[place] });
    callTest(`${id}: ${what}`, { flags: first, ...program(0), timeoutMs, skip, before, after }, async (call) => {
        const edges = [call.edge];
        for (const place of [1, 2]) edges.push(await call.anotherEdge({ flags: flags(place), ...program(place) }));
        const trio = await meet({ call, redis, edges, people: [], pictures: [], roads, untouched, flags });
        const { people, pictures } = trio;
        const now = (): Promise<number[]> => Promise.all(people.map((person) => person.now()));
        const began = await now();
        const since = await happens(trio, now);
        const back = await Promise.all(pairs().map(async ([to, from]) => (await people[to]!.flowsAgain(pictures[from]!, since[to]!, PATIENCE_MS)) - since[to]!));
        await Promise.all(pairs().map(([to, from]) => shows(() => people[to]!.measureVideo(pictures[from]!, 1500), from, PATIENCE_MS)));
        const gaps = await Promise.all(
            pairs().filter((pair) => pair.every((place) => trio.untouched.includes(place)))
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
            gap_target_ms: gapMs,
            ok: false,
        };
        result.ok = result.lost_calls === 0 && result.recover_ms <= targetMs && result.gap_ms <= gapMs;
        keep(result);
        call.figure(JSON.stringify(result));
        // How long it may take on this machine is for the table to say; that nobody is lost is not.
        assert.equal(result.lost_calls, 0, 'everybody is in the room with everybody');
    });
}

async function meet(trio: Trio): Promise<Trio> {
    const { edges, roads, people, pictures } = trio;
    for (const [place, edge] of edges.entries()) roads.ways[place]!.to(edge.relay);
    for (const edge of edges) await linked(edge, 2);
    for (const place of NAMES.keys()) await comes(trio, place);
    for (const [place, edge] of edges.entries()) assert.equal((await edge.tables()).participants, 1, `${NAMES[place]} is at an edge of their own`);
    await Promise.all(pairs().map(([to, from]) => people[to]!.watch(pictures[from]!)));
    await Promise.all(pairs().map(([to, from]) => people[to]!.flowsAgain(pictures[from]!, 0, PATIENCE_MS)));
    return trio;
}

/** Somebody enters by the edge that is theirs, and sends a picture. */
export async function comes({ call, edges, people, pictures }: Trio, place: number): Promise<void> {
    const person = await call.enter(NAMES[place]!, { edge: edges[place]!, ownBrowser: false });
    people[place] = person;
    pictures[place] = await person.publishPicture({ pattern: place });
}

/** Parts two edges, or joins them again. */
export function part({ edges, roads }: Trio, [one, other]: readonly [number, number], parted: boolean): void {
    roads.ways[one]!.cut(edges[other]!.relay, parted);
    roads.ways[other]!.cut(edges[one]!.relay, parted);
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
