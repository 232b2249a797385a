// Firefox and Chromium in one room, both ways.

import assert from 'node:assert/strict';
import { FIREFOX_MICROPHONE_HZ } from './harness/browser.ts';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { hears, shows } from './harness/verdict.ts';

const CHROMIUM_HZ = 440;
const TONES = [CHROMIUM_HZ, FIREFOX_MICROPHONE_HZ];

await inOwnNetwork(import.meta.url, ({ announce }) => {
    callTest('Firefox and Chromium see and hear each other', { udp: announce }, async (call) => {
        const fox = await call.enter('fox', { kind: 'firefox' });
        const chrome = await call.enter('chrome', { kind: 'chromium' });
        const foxPicture = await fox.publishPicture({ pattern: 4 });
        const foxSound = await fox.publishMicrophone();
        const chromePicture = await chrome.publishPicture({ pattern: 1 });
        const chromeSound = await chrome.publishTone(CHROMIUM_HZ);
        call.figure(`joined: Firefox in ${fox.joinMs.toFixed(0)} ms, Chromium in ${chrome.joinMs.toFixed(0)} ms`);

        const [byFox, byChrome] = await Promise.all([
            shows(() => fox.measureVideo(chromePicture, 5000), 1),
            shows(() => chrome.measureVideo(foxPicture, 5000), 4),
        ]);
        call.figure(`Firefox sees Chromium: ${byFox.decodedPerSecond.toFixed(1)} frames/s decoded, ${byFox.countersPerSecond.toFixed(1)} told apart`);
        call.figure(`Chromium sees Firefox: ${byChrome.decodedPerSecond.toFixed(1)} frames/s decoded, ${byChrome.countersPerSecond.toFixed(1)} told apart`);

        await Promise.all([
            hears(() => fox.measureAudio(chromeSound, 2000, TONES), CHROMIUM_HZ, TONES),
            hears(() => chrome.measureAudio(foxSound, 2000, TONES), FIREFOX_MICROPHONE_HZ, TONES),
        ]);

        for (const page of [fox, chrome]) {
            const facts = await page.transport();
            call.figure(`${page.identity}: ${JSON.stringify(facts)}`);
            assert.match(facts.srtpCipher ?? 'unknown', /AEAD_AES_(128|256)_GCM/);
        }
        const since = await chrome.mark();
        await fox.send('from Firefox');
        await chrome.sees({ type: 'data', from: 'fox', text: 'from Firefox', reliable: true }, { since });
        await chrome.send('from Chromium', { reliable: false });
        await fox.sees({ type: 'data', from: 'chrome', text: 'from Chromium', reliable: false });

        await fox.leave();
        await chrome.sees({ type: 'participantleft', identity: 'fox', reason: 'left' });
    });
});
