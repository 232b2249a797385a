// One of two viewers sits behind a narrow line: it gets a smaller picture soon and without a freeze, the other one keeps the large picture.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { shows } from './harness/verdict.ts';

/** The largest picture takes 800 kbit/s, the one of half its size 270. */
const [WIDTH, HEIGHT] = [960, 540];
const LINE = 500_000;
const SMALLER_WITHIN = { target: 2000, atWorst: 10_000 };
const LONGEST_FREEZE = { target: 300, atWorst: 3000 };

await inOwnNetwork(import.meta.url, ({ announce, slowDown }) => {
    callTest('behind 500 kbit/s a smaller picture comes in time, and nobody else notices', { udp: announce, timeoutMs: 120_000 }, async (call) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben');
        const cleo = await call.enter('cleo');
        // Enough noise to need the bits, not so much that the encoder leaves frames out.
        const picture = await ana.publishPicture({ pattern: 1, width: WIDTH, height: HEIGHT, noise: 0.2 });
        await Promise.all([ben, cleo].map((page) => page.pictureBecomes(picture, WIDTH, 30_000)));
        await Promise.all([ben, cleo].map((page) => page.measureVideo(picture, 3000)));

        const port = (await ben.mediaPath()).localPort;
        assert.ok(port, 'the port of the slow viewer');
        const freezes = await ben.inboundCount(picture, 'freezeCount');
        slowDown(port, LINE);
        const smaller = ben.pictureShrinks(picture, WIDTH);
        const [slow, fast, ms] = await Promise.all([ben.measureVideo(picture, 10_000), cleo.measureVideo(picture, 10_000), smaller]);
        const layer = await ben.layerOf(picture);
        const frozen = (await ben.inboundCount(picture, 'freezeCount')) - freezes;
        call.figure(`${frozen} freezes by the browser's count; the other viewer's longest gap ${fast.longestGapMs.toFixed(0)} ms`);
        call.figure(`sent: ${(await ana.outgoing(picture)).map(({ width, framesEncoded, bytesSent }) => `${width} ${framesEncoded} frames ${(bytesSent / 1000).toFixed(0)} kB`).join(', ')}`);
        call.figure(`then ${JSON.stringify(layer)}; ${slow.decodedPerSecond.toFixed(1)} and ${fast.decodedPerSecond.toFixed(1)} frames/s`);
        call.took('until the picture is smaller', ms, SMALLER_WITHIN);
        call.took('longest gap on the way there', slow.longestGapMs, LONGEST_FREEZE);
        assert.ok(['bandwidth', 'hold-down'].includes(layer?.reason ?? ''), JSON.stringify(layer));
        for (const page of [ben, cleo]) await shows(() => page.measureVideo(picture, 2000), 1);
        assert.equal(await cleo.inboundCount(picture, 'frameWidth'), WIDTH, 'the other viewer keeps the large picture');
    });
});
