// End-to-end encryption between Chromium and Firefox: who has the key sees and hears, who has another or none does not, and a change of keys is no gap.

import assert from 'node:assert/strict';
import { FIREFOX_MICROPHONE_HZ } from './harness/browser.ts';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { hears, isSilent, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const CHROMIUM_HZ = 440;
const TONES = [CHROMIUM_HZ, FIREFOX_MICROPHONE_HZ];
const KEY = { passphrase: 'correct horse battery staple' };

await inOwnNetwork(import.meta.url, ({ announce }) => {
    callTest('with the key Chromium and Firefox see and hear each other, without it nobody does', { udp: announce, timeoutMs: 150_000 }, async (call) => {
        const fox = await call.enter('fox', { kind: 'firefox', ...KEY });
        const chrome = await call.enter('chrome', { kind: 'chromium', ...KEY });
        const foxPicture = await fox.publishPicture({ pattern: 4 });
        const foxSound = await fox.publishMicrophone();
        const chromePicture = await chrome.publishPicture({ pattern: 1 });
        const chromeSound = await chrome.publishTone(CHROMIUM_HZ);

        await Promise.all([shows(() => fox.measureVideo(chromePicture, 3000), 1), shows(() => chrome.measureVideo(foxPicture, 3000), 4)]);
        await Promise.all([
            hears(() => fox.measureAudio(chromeSound, 2000, TONES), CHROMIUM_HZ, TONES),
            hears(() => chrome.measureAudio(foxSound, 2000, TONES), FIREFOX_MICROPHONE_HZ, TONES),
        ]);

        // Keys change while everybody watches: the sender's and, later, the other's.
        await fox.watch(chromePicture);
        await chrome.watch(foxPicture);
        const [foxSince, chromeSince] = [await fox.now(), await chrome.now()];
        for (const page of [chrome, fox]) {
            await page.rotateKey();
            await shows(() => fox.measureVideo(chromePicture, 2000), 1);
            await shows(() => chrome.measureVideo(foxPicture, 2000), 4);
        }
        const gaps = [await fox.watched(chromePicture, foxSince), await chrome.watched(foxPicture, chromeSince)].map(({ longestGapMs }) => longestGapMs);
        call.took('longest time without a frame over two changes of keys', Math.max(...gaps), { target: 300, atWorst: 3000 });

        // Frames come to whoever has no key, or another one, and none of them is shown.
        for (const [identity, key] of [['stranger', { passphrase: 'battery horse' }], ['plain', {}]] as const) {
            const other = await call.enter(identity, { kind: 'chromium', ...key });
            const measured = await other.measureVideo(chromePicture, 3000).catch(() => undefined);
            assert.deepEqual(measured?.patterns ?? {}, {}, `${identity} sees something`);
            assert.ok((await other.inboundCount(chromePicture, 'packetsReceived')) > 50, `${identity} is sent frames`);
            if (identity === 'stranger') isSilent(await other.measureAudio(chromeSound, 1500, TONES), TONES);
            await other.leave();
        }
        // The others never noticed.
        await shows(() => fox.measureVideo(chromePicture, 2000), 1);
    });

    callTest('messages are read by those with the key, and by nobody else', { udp: announce, timeoutMs: 90_000 }, async (call) => {
        const fox = await call.enter('fox', { kind: 'firefox', ...KEY });
        const chrome = await call.enter('chrome', KEY);
        const stranger = await call.enter('stranger', { passphrase: 'battery horse' });
        const plain = await call.enter('plain');
        // In order, also while keys change, and with a topic that the edge doesn't see.
        await chrome.sendSealed('one', { topic: 'chat' });
        await chrome.rotateKey();
        for (const text of ['two', 'three']) await chrome.sendSealed(text, { topic: 'chat' });
        await chrome.sendSealed([0, 1, 255]);
        await fox.sendSealed('and back');
        const expected = [...['one', 'two', 'three'].map((payload) => ({ from: 'chrome', payload, topic: 'chat' })), { from: 'chrome', payload: [0, 1, 255], topic: undefined }];
        const told = async () => JSON.stringify([await fox.sealedMessages(), await chrome.sealedMessages()]);
        const wanted = JSON.stringify([expected, [{ from: 'fox', payload: 'and back' }]]);
        await until('all messages, in order', told, (now) => now === wanted, 20_000);
        // They come to the others too, and say nothing.
        await plain.sees({ type: 'data', from: 'fox', topic: 'sframe' });
        const seen = JSON.stringify(await plain.seen('data', 0));
        assert.ok(!/chat|one|two|back/.test(seen), seen);
        assert.deepEqual([await stranger.sealedMessages(), await plain.sealedMessages()], [[], []]);
    });
});
