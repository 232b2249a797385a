// The measuring parts in Firefox, on two RTCPeerConnections in one page, inside the network that firefox.test.ts uses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIREFOX_MICROPHONE_HZ, launch, Tab } from './harness/browser.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { servePages } from './harness/pages.ts';
import { remote } from './harness/remote.ts';
import { carriesTone, hears, showsPattern } from './harness/verdict.ts';
import type { LoopbackPage } from './page/contract.ts';

const TONES = [440, FIREFOX_MICROPHONE_HZ];

await inOwnNetwork(import.meta.url, () => {
    test('Firefox reads pictures and hears tones, and refuses wrong ones', { timeout: 60_000 }, async (t) => {
        const pages = await servePages(['loopback']);
        const browser = await launch('firefox');
        try {
            const tab = await Tab.open(browser, pages.url('loopback'));
            const page = remote<LoopbackPage>(tab.page);
            await page.start({ picture: { pattern: 4 }, tones: 'microphone' });
            const video = await page.measureVideo(3000);
            t.diagnostic(`video ${JSON.stringify(video)}`);
            showsPattern(video, 4);
            assert.throws(() => showsPattern(video, 5), /pattern/);
            const audio = await page.measureAudio(1500, TONES);
            t.diagnostic(`audio ${JSON.stringify(audio)}`);
            carriesTone(audio, FIREFOX_MICROPHONE_HZ, TONES);
            assert.throws(() => carriesTone(audio, 440, TONES), /loudest/);
        } finally {
            await browser.close();
            await pages.close();
        }
    });
});
