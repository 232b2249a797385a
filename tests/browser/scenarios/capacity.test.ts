// The line of somebody who publishes and watches shrinks from 3 to 0.4 Mbit/s and widens again: the pictures get smaller, never
// freeze for long, and are what they were again.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';

/** 800 kbit/s at this size, 270 at half of it. */
const [WIDTH, HEIGHT] = [960, 540];
const LONGEST_FREEZE_MS = 1000;
/** Until an estimate that was cut to an eighth has grown again, and then a longer time for a busy machine. */
const RETURN_MS = 60_000;
/** How long the line stays narrow once pictures are small. */
const NARROW_MS = 10_000;

await scenario(
    import.meta.url,
    'capacity 3 → 0.4 → 3 Mbit/s',
    'pictures shrink, go on and grow again',
    { timeoutMs: 240_000, network: { both: { delay_ms: 25, rate_kbps: 3000, queue_ms: 300 } } },
    async ({ call, link, figure }) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben', { behind: link });
        const anas = await ana.publishPicture({ pattern: 0, width: WIDTH, height: HEIGHT, noise: 0.2 });
        const bens = await ben.publishPicture({ pattern: 1, width: WIDTH, height: HEIGHT, noise: 0.2 });
        await Promise.all([ben.pictureBecomes(anas, WIDTH, RETURN_MS), ana.pictureBecomes(bens, WIDTH, RETURN_MS)]);
        await Promise.all([ben.watch(anas), ana.watch(bens)]);
        await Promise.all([ben.flowsAgain(anas, 0, 10_000), ana.flowsAgain(bens, 0, 10_000)]);

        const [narrowed, narrowedThere] = await Promise.all([ben.now(), ana.now()]);
        await link.set({ both: { rate_kbps: 400 } });
        const [smaller, smallerThere] = await Promise.all([ben.pictureShrinks(anas, WIDTH, RETURN_MS), ana.pictureShrinks(bens, WIDTH, RETURN_MS)]);
        figure('received: smaller after ms', smaller, { atMost: 2000 });
        figure('sent: smaller after ms', smallerThere);
        await new Promise((resolve) => setTimeout(resolve, NARROW_MS));
        const layer = await ben.layerOf(anas);
        assert.ok(layer && (layer.paused || layer.width < WIDTH), `still small: ${JSON.stringify(layer)}`);
        const during = await ben.watched(anas, narrowed);
        const widened = await ben.now();
        await link.set({ both: { rate_kbps: 3000 } });
        const [larger, largerThere] = await Promise.all([ben.pictureBecomes(anas, WIDTH, RETURN_MS), ana.pictureBecomes(bens, WIDTH, RETURN_MS)]);
        figure('received: full size again after ms', larger, { atMost: 10_000 });
        figure('sent: full size again after ms', largerThere);
        await Promise.all([ben.flowsAgain(anas, await ben.now(), 10_000), ana.flowsAgain(bens, await ana.now(), 10_000)]);
        const after = await ben.watched(anas, widened);
        figure('received: longest freeze ms', Math.max(during.longestGapMs, after.longestGapMs), { atMost: LONGEST_FREEZE_MS });
        figure('sent: longest freeze ms', (await ana.watched(bens, narrowedThere)).longestGapMs, { atMost: LONGEST_FREEZE_MS });
        figure('received: frames/s at 0.4 Mbit/s', during.frames / ((during.last - narrowed) / 1000));
        assert.ok(during.frames > 0 && after.frames > 0);
    },
);
