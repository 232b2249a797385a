// Picture and sound of one person that left together arrive together.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { comesTrue, median, shows } from './harness/verdict.ts';

/** People notice from about 125 ms (ITU-R BT.1359); the two paths through a test page differ by up to 100 ms themselves. */
const TOGETHER_MS = 150;
/** Chromium moves what it plays 80 ms a second at most, and only once it has sender reports of both. */
const PATIENCE_MS = 60_000;
/** The senders' clock is exact; what remains is one frame and the moments at which each path reports. */
const CLOCK_MS = 150;

callTest('flash and beep arrive together', { timeoutMs: 180_000 }, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 3 });
    const tone = await ana.publishTone(440);
    await shows(() => ben.measureVideo(picture, 2000), 3);
    await ana.signal(picture, tone, true);
    await comesTrue(() => ben.measureLipSync(picture, tone, 5), (offsets) => {
        call.figure(`sound after picture: ${offsets.map((offset) => offset.toFixed(0)).join(', ')} ms`);
        assert.ok(Math.abs(median(offsets)) < TOGETHER_MS, `median ${median(offsets)} ms`);
    }, PATIENCE_MS);
    await ana.signal(picture, tone, false);

    // The same by the sender's clock: Chromium reckons from the edge's sender reports when what it plays now was captured.
    const clock = await comesTrue(() => ben.senderClockOffset(picture, tone), (offset) => {
        assert.ok(Math.abs(offset ?? NaN) < CLOCK_MS, `sound minus picture by the sender's clock: ${offset} ms`);
    }, PATIENCE_MS);
    call.figure(`capture times of what is played, sound minus picture: ${clock?.toFixed(0)} ms`);
});
