// Firefox sends two sizes, Chromium gets the one that it shows, and Firefox stops what nobody watches.

import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { shows } from './harness/verdict.ts';

await inOwnNetwork(import.meta.url, ({ announce }) => {
    callTest('Firefox sends two sizes, and Chromium gets one of them', { udp: announce }, async (call) => {
        const fox = await call.enter('fox', { kind: 'firefox' });
        const chrome = await call.enter('chrome', { kind: 'chromium' });
        const picture = await fox.publishPicture({ pattern: 4, width: 640, height: 360 });
        await chrome.pictureBecomes(picture, 640);
        await shows(() => chrome.measureVideo(picture, 3000), 4);

        await chrome.prefer(picture, { width: 320, height: 180 });
        const small = await chrome.pictureBecomes(picture, 320);
        const off = await fox.encodingIs(picture, 'h', false);
        await shows(() => chrome.measureVideo(picture, 3000), 4);

        await chrome.prefer(picture, { width: 640, height: 360 });
        const on = await fox.encodingIs(picture, 'h', true);
        await chrome.pictureBecomes(picture, 640);
        call.figure(`small after ${small.toFixed(0)} ms, the large one off ${off.toFixed(0)} ms later; on again after ${on.toFixed(0)} ms`);
        await shows(() => chrome.measureVideo(picture, 2000), 4);
    });
});
