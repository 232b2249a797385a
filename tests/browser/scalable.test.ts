// VP9 and AV1 carry their sizes inside one encoding: the edge cuts out what each viewer shows.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

for (const codec of ['vp9', 'av1'] as const) {
    callTest(`${codec}: one encoding with two sizes, of which each viewer gets one`, {}, async (call) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben');
        const cleo = await call.enter('cleo');
        const picture = await ana.publishPicture({ pattern: 1, width: 640, height: 360 }, { codec });
        await ben.pictureBecomes(picture, 640);
        const [sent, ...more] = await ana.outgoing(picture);
        assert.deepEqual([sent?.scalabilityMode, more], ['L2T3_KEY', []]);
        await cleo.prefer(picture, { width: 320, height: 180 });
        await cleo.pictureBecomes(picture, 320);
        const [large, small] = await Promise.all([ben, cleo].map((page) => shows(() => page.measureVideo(picture, 3000), 1)));
        call.figure(`${codec}: ${large!.decodedPerSecond.toFixed(1)} frames/s large, ${small!.decodedPerSecond.toFixed(1)} small`);

        // With nobody left for the large one, it is not encoded any more.
        await ben.prefer(picture, { width: 320, height: 180 });
        const cut = await ana.scalabilityIs(picture, 'L1T3');
        await until('small frames', () => ana.outgoing(picture), ([now]) => now?.width === 320);
        await ben.prefer(picture, { width: 640, height: 360 });
        const back = await ana.scalabilityIs(picture, 'L2T3_KEY');
        await ben.pictureBecomes(picture, 640);
        call.figure(`${codec}: cut after ${cut.toFixed(0)} ms, back after ${back.toFixed(0)} ms`);
        await shows(() => ben.measureVideo(picture, 2000), 1);
    });
}
