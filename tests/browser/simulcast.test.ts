// A camera is sent in several sizes at once: each viewer gets the one that fits, and what nobody watches is not sent.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';
import { bandsOf } from './page/media/pattern.ts';

/** What the edge promises: an encoding that nobody watches is off by then, */
const OFF_WITHIN = { target: 2000, atWorst: 15_000 };
/** and back on by then once somebody wants it. */
const ON_WITHIN = { target: 500, atWorst: 5000 };

callTest('three sizes leave Chromium; they stop when nobody wants them and come back when somebody does', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 2, width: 960, height: 540 });
    const sent = await until(
        'three encodings at work',
        () => ana.outgoing(picture),
        (all) => all.length === 3 && all.every(({ framesEncoded }) => framesEncoded > 0),
        20_000,
    );
    assert.deepEqual(sent.map(({ rid, width }) => [rid, width]), [['q', 240], ['h', 480], ['f', 960]]);
    call.figure(`scalability: ${sent.map(({ scalabilityMode }) => scalabilityMode).join(', ')}`);
    await ben.pictureBecomes(picture, 960);

    const small = ben.pictureBecomes(picture, 240);
    const off = ana.encodingIs(picture, 'f', false);
    await ben.prefer(picture, { width: 240, height: 135 });
    const [offMs, smallMs] = await Promise.all([off, small]);
    await ana.encodingIs(picture, 'h', false);
    call.figure(`a viewer wants it small: it is after ${smallMs.toFixed(0)} ms, and the large one is off after ${offMs.toFixed(0)} ms`);
    const layer = await ben.layerOf(picture);
    assert.deepEqual([layer?.width, layer?.reason], [240, 'wished'], JSON.stringify(layer));
    await shows(() => ben.measureVideo(picture, 2000), 2);

    const large = ben.pictureBecomes(picture, 960);
    const on = ana.encodingIs(picture, 'f', true);
    await ben.prefer(picture, { width: 960, height: 540 });
    const [onMs, largeMs] = await Promise.all([on, large]);
    call.figure(`a viewer wants it large: it is on after ${onMs.toFixed(0)} ms, and seen after ${largeMs.toFixed(0)} ms`);
    await shows(() => ben.measureVideo(picture, 2000), 2);

    // Nobody can see it at all: nothing is sent on, and only the smallest is kept for the moment in which somebody looks again.
    await ben.prefer(picture, { visible: false });
    for (const rid of ['h', 'f']) await ana.encodingIs(picture, rid, false);
    await ben.pictureStops(picture, 700);
    await ben.prefer(picture, { visible: true });
    await ben.nextFrame(picture);
    call.took('the large one is off', offMs, OFF_WITHIN);
    call.took('the large one is on', onMs, ON_WITHIN);
});

callTest('each viewer gets the size that it shows, and encodings outlive muting and another track', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const cleo = await call.enter('cleo');
    const picture = await ana.publishPicture({ pattern: 3, width: 640, height: 360 });
    await Promise.all([ben.pictureBecomes(picture, 640), cleo.pictureBecomes(picture, 640)]);
    await cleo.prefer(picture, { width: 320, height: 180 });
    await cleo.pictureBecomes(picture, 320);
    await Promise.all([ben, cleo].map((page) => shows(() => page.measureVideo(picture, 3000), 3)));

    await ana.setMuted(picture, true);
    await ana.setMuted(picture, false);
    await ana.replacePicture(picture, { pattern: 4, width: 640, height: 360 });
    for (const page of [ben, cleo]) {
        await until('the other picture', () => page.nextFrame(picture), ({ pattern }) => pattern === bandsOf(4).name);
        await shows(() => page.measureVideo(picture, 2000), 4);
    }
    const widths = await Promise.all([ben, cleo].map((page) => page.inboundCount(picture, 'frameWidth')));
    assert.deepEqual(widths, [640, 320]);
});

// What Chromium encodes three times over; VP9 and AV1 when each encoding is asked to have one size.
for (const codec of ['h264', 'vp9', 'av1'] as const) {
    callTest(`${codec}: three encodings, of which each viewer gets one`, {}, async (call) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben');
        const picture = await ana.publishPicture({ pattern: 1, width: 960, height: 540 }, { codec, ...(codec !== 'h264' && { scalabilityMode: 'L1T2' }) });
        await ben.pictureBecomes(picture, 960);
        const sent = await ana.outgoing(picture);
        assert.deepEqual(sent.map(({ rid }) => rid), ['q', 'h', 'f']);
        assert.ok((await ben.codecOf(picture))?.toLowerCase().includes(codec));
        for (const width of [240, 480, 960]) {
            await ben.prefer(picture, { width, height: (width * 9) / 16 });
            const after = await ben.pictureBecomes(picture, width);
            const video = await shows(() => ben.measureVideo(picture, 2000), 1);
            call.figure(`${codec}: ${width} pixels wide after ${after.toFixed(0)} ms, ${video.decodedPerSecond.toFixed(1)} frames/s`);
        }
    });
}

callTest('simulcast can be declined', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 5, width: 640, height: 360 }, { simulcast: false });
    await ben.pictureBecomes(picture, 640);
    assert.equal((await ana.outgoing(picture)).length, 1);
    await shows(() => ben.measureVideo(picture, 2000), 5);
});
