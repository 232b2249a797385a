// Two pages in a call whose network breaks in another way every ten seconds, as a seed decides. At the end the call is alive,
// memory hasn't grown and no promise was left to fail alone.
//
// NEARCAST_SOAK_SECONDS says how long (60; `make soak-client` 900), NEARCAST_SOAK_SEED which faults.

import assert from 'node:assert/strict';
import { scenario, FIFTY_MS } from '../harness/emulated.ts';
import { seeded } from '../harness/random.ts';
import { median } from '../harness/verdict.ts';
import type { Person } from '../harness/call.ts';
import type { Conditions, Link } from '../harness/link.ts';

const SECONDS = Number(process.env.NEARCAST_SOAK_SECONDS ?? 60);
const SEED = Number(process.env.NEARCAST_SOAK_SEED ?? 1);
const EVERY_MS = 10_000;
/** Of every ten seconds these are bad. */
const BAD_MS = 5_000;
const PATIENCE_MS = 60_000;
const HEAP_GROWTH_MB = 5;

type Fault = { name: string; conditions: Conditions } | { name: string; act: (ben: Person) => void };

const FAULTS: readonly Fault[] = [
    { name: 'cut', conditions: { cut: true } },
    { name: '20 % loss', conditions: { both: { loss: 0.2 } } },
    { name: 'bursts', conditions: { both: { bursts: { good: 20, bad: 4 } } } },
    { name: '400 kbit/s', conditions: { both: { rate_kbps: 400 } } },
    { name: '400 ms round trip', conditions: { both: { delay_ms: 200 } } },
    { name: 'jitter', conditions: { both: { jitter_ms: 40, duplicate: 0.02 } } },
    { name: 'no way up', conditions: { up: { loss: 1 } } },
    { name: 'websocket killed', act: (ben) => ben.proxy.cut() },
];

await scenario(
    import.meta.url,
    `soak ${SECONDS} s`,
    'the call outlives its faults',
    { timeoutMs: SECONDS * 1000 + 120_000, seed: SEED },
    async ({ call, link, figure }) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben', { behind: link });
        const anas = await ana.publishPicture({ pattern: 0 });
        const bens = await ben.publishPicture({ pattern: 1 });
        await Promise.all([ben.watch(anas), ana.watch(bens)]);
        await Promise.all([ben.flowsAgain(anas, 0, PATIENCE_MS), ana.flowsAgain(bens, 0, PATIENCE_MS)]);

        const random = seeded(SEED);
        const heaps: number[][] = [await heapsOf(ana, ben)];
        const done: string[] = [];
        for (const end = Date.now() + SECONDS * 1000; Date.now() < end; ) {
            const fault = FAULTS[Math.floor(random() * FAULTS.length)];
            if (!fault) throw new Error('no such fault');
            await suffer(fault, link, ben);
            done.push(fault.name);
            heaps.push(await heapsOf(ana, ben));
        }
        call.figure(`seed ${SEED}: ${done.join(', ')}`);
        const [healed, healedThere] = await Promise.all([ben.now(), ana.now()]);
        await Promise.all([ben.flowsAgain(anas, healed, PATIENCE_MS), ana.flowsAgain(bens, healedThere, PATIENCE_MS)]);
        assert.deepEqual([await ana.state(), await ben.state()], ['connected', 'connected']);
        assert.deepEqual((await ana.participants()).map(({ identity }) => identity), ['ben']);
        const rejected = [...(await ana.unhandled()), ...(await ben.unhandled())];
        const grown = Math.max(...[0, 1].map((page) => growth(heaps.map((both) => both[page] ?? NaN)))) / 1e6;
        figure('faults', done.length);
        figure('heap growth MB', grown, { atMost: HEAP_GROWTH_MB });
        figure('unhandled rejections', rejected.length, { atMost: 0 });
        assert.deepEqual(rejected, []);
        assert.ok(grown < HEAP_GROWTH_MB, `heaps: ${JSON.stringify(heaps)}`);
    },
);

async function suffer(fault: Fault, link: Link, ben: Person): Promise<void> {
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms)); // how long a fault lasts is what is asked for
    if ('act' in fault) fault.act(ben);
    else await link.set(fault.conditions);
    await wait(BAD_MS);
    await link.set({ reset: true, cut: false, ...FIFTY_MS });
    await wait(EVERY_MS - BAD_MS);
}

/** Bytes that are in use once garbage has been collected. */
function heapsOf(...people: Person[]): Promise<number[]> {
    return Promise.all(
        people.map(async ({ tab }) => {
            const cdp = await tab.page.createCDPSession();
            await cdp.send('HeapProfiler.collectGarbage');
            const { usedSize } = await cdp.send('Runtime.getHeapUsage');
            await cdp.detach();
            return usedSize;
        }),
    );
}

/** From the first third to the last: single values jump with what is under way. */
function growth(values: readonly number[]): number {
    const third = Math.max(1, Math.floor(values.length / 3));
    return median(values.slice(-third)) - median(values.slice(0, third));
}
