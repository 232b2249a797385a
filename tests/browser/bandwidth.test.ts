// A publisher's browser learns from the edge's feedback how much the way can carry. Without feedback that it understands,
// Chromium takes a fifth off its estimate each second, and after ten seconds pictures come as a slide show.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

/** Chromium begins at 300 kbit/s. Falling for want of feedback, it would be under 70 after this time (measured), */
const LONG_MS = 10_000;
/** and with feedback, on a busy machine where packets are late, it has not been seen under 250. */
const HELD = 150_000;

callTest("the publisher's estimate holds, and the picture keeps its pace", {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    // Noise makes use of what there is: an estimate that nobody uses says little.
    // In one size: that one Chromium scales down when noise takes more bits than there are, while several would drop frames.
    const picture = await ana.publishPicture({ pattern: 1, width: 640, height: 360, noise: true }, { simulcast: false });
    // Without this promise Chromium would believe receiver reports alone, and its estimate would rise whatever the way carries.
    assert.ok((await ana.transport()).transportFeedback, 'the answer offers transport-wide feedback');
    await ben.measureVideo(picture, LONG_MS - 4000);
    const video = await shows(() => ben.measureVideo(picture, 4000), 1);
    // Without feedback it would only fall; on a busy machine, where packets are late, it falls and rises again.
    const estimate = await until('the estimate to hold', () => ana.sendEstimate(), (bits) => (bits ?? 0) > HELD);
    call.figure(`after ${LONG_MS / 1000} s: estimate ${((estimate ?? 0) / 1000).toFixed(0)} kbit/s, ${video.decodedPerSecond.toFixed(1)} frames/s decoded`);
});
