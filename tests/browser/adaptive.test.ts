// Adaptive stream: a viewer receives what its page shows, without a word from the app.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';

callTest('the layer follows the element: smaller, scrolled away, back', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben', { adaptiveStream: true });
    const picture = await ana.publishPicture({ pattern: 2, width: 640, height: 360 });
    await ben.showAs(picture, 640);
    await ben.pictureBecomes(picture, 640, 20_000);

    await ben.showAs(picture, 320);
    const smaller = await ben.layerBecomes(picture, { width: 320, reason: 'wished' });
    await ben.pictureBecomes(picture, 320);
    await ana.encodingIs(picture, 'h', false);

    await ben.scrollAway(picture, true);
    const hidden = await ben.layerBecomes(picture, { paused: true, reason: 'hidden' });
    await ben.pictureStops(picture, 700);

    await ben.scrollAway(picture, false);
    const back = await ben.layerBecomes(picture, { paused: false, width: 320 });
    await ben.nextFrame(picture);
    await ben.showAs(picture, 640);
    const larger = await ben.pictureBecomes(picture, 640, 20_000);
    await shows(() => ben.measureVideo(picture, 2000), 2);
    const figures = { smaller, hidden, back, larger };
    call.figure(Object.entries(figures).map(([what, ms]) => `${what} after ${ms.toFixed(0)} ms`).join(', '));
});

callTest('what the app names comes first', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben', { adaptiveStream: true });
    const picture = await ana.publishPicture({ pattern: 3, width: 640, height: 360 });
    await ben.showAs(picture, 320);
    await ben.layerBecomes(picture, { width: 320, reason: 'wished' });
    await ben.prefer(picture, { width: 640, height: 360 });
    await ben.layerBecomes(picture, { width: 640 });
    await ben.prefer(picture, { visible: false });
    await ben.layerBecomes(picture, { paused: true, reason: 'hidden' });
    assert.equal((await ben.layerOf(picture))?.width, 0);
});
