// The measuring parts in Firefox, on two RTCPeerConnections in one page, inside the network that firefox.test.ts uses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIREFOX_MICROPHONE_HZ, launch, Tab } from './harness/browser.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { servePages } from './harness/pages.ts';
import { remote } from './harness/remote.ts';
import { carriesTone, comesTrue, shows, showsPattern } from './harness/verdict.ts';
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
            const video = await shows(() => page.measureVideo(3000), 4);
            t.diagnostic(`video ${JSON.stringify(video)}`);
            assert.throws(() => showsPattern(video, 5), /pattern/);
            const audio = await comesTrue(() => page.measureAudio(1500, TONES), (it) => void carriesTone(it, FIREFOX_MICROPHONE_HZ, TONES));
            t.diagnostic(`audio ${JSON.stringify(audio)}`);
            assert.throws(() => carriesTone(audio, 440, TONES), /loudest/);
        } finally {
            await browser.close();
            await pages.close();
        }
    });
});
