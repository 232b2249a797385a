// Each codec that the edge forwards, encoded and decoded by Chromium.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';

callTest('VP8, VP9, AV1 and H.264 arrive', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    for (const [pattern, codec] of (['vp8', 'vp9', 'av1', 'h264'] as const).entries()) {
        const id = await ana.publishPicture({ pattern }, { codec });
        const video = await shows(() => ben.measureVideo(id, 2000), pattern);
        call.figure(`${codec}: ${video.decodedPerSecond.toFixed(1)} frames/s decoded`);
        assert.ok((await ben.codecOf(id))?.toLowerCase().includes(codec), `${codec} was asked for, ${await ben.codecOf(id)} arrives`);
        await ana.unpublish(id);
    }
});
