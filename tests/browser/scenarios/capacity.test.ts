// The line of somebody who publishes and watches shrinks from 3 to 0.4 Mbit/s and widens again: the pictures get smaller, never
// freeze for long, and are what they were again.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';

/** 800 kbit/s at this size, 270 at half of it. */
const [WIDTH, HEIGHT] = [960, 540];
const LONGEST_FREEZE_MS = 1000;
/** Until an estimate that was cut to an eighth has grown again, and then a longer time for a busy machine. */
const RETURN_MS = 60_000;

await scenario(
    import.meta.url,
    'capacity 3 → 0.4 → 3 Mbit/s',
    'pictures shrink, go on and grow again',
    { timeoutMs: 240_000, network: { both: { delay_ms: 25, rate_kbps: 3000, queue_ms: 300 } } },
    async ({ call, link, figure }) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben', { behind: link });
        const anas = await ana.publishPicture({ pattern: 0, width: WIDTH, height: HEIGHT, noise: 0.2 });
        await ben.pictureBecomes(anas, WIDTH, RETURN_MS);
        await ben.watch(anas);
        await ben.flowsAgain(anas, 0, 10_000);

        const narrowed = await ben.now();
        await link.set({ both: { rate_kbps: 400 } });
        figure('received: smaller after ms', await ben.pictureShrinks(anas, WIDTH, RETURN_MS), { atMost: 2000 });
        await settle(10_000);
        const during = await ben.watched(anas, narrowed);
        const widened = await ben.now();
        await link.set({ both: { rate_kbps: 3000 } });
        figure('received: full size again after ms', await ben.pictureBecomes(anas, WIDTH, RETURN_MS), { atMost: 10_000 });
        await ben.flowsAgain(anas, await ben.now(), 10_000);
        const after = await ben.watched(anas, widened);
        figure('received: longest freeze ms', Math.max(during.longestGapMs, after.longestGapMs), { atMost: LONGEST_FREEZE_MS });
        figure('received: frames/s at 0.4 Mbit/s', during.frames / ((during.last - narrowed) / 1000));
        assert.ok(during.frames > 0 && after.frames > 0);
    },
);

/** The time for which the line is narrow: that is what is measured. */
const settle = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
