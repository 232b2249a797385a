// The measuring parts themselves, on two RTCPeerConnections in one page: they say what is there, and they do say so when
// it is wrong. No edge and no SDK take part.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { launch, Tab } from './harness/browser.ts';
import { servePages, type PageServer } from './harness/pages.ts';
import { remote } from './harness/remote.ts';
import { carriesTone, comesTrue, hears, median, shows, showsPattern } from './harness/verdict.ts';
import type { LoopbackPage } from './page/contract.ts';
import { BIT_BOXES, bitsOf, counterOf } from './page/media/pattern.ts';

let browser: Browser;
let pages: PageServer;
before(async () => {
    pages = await servePages(['loopback']);
    browser = await launch('chromium');
});
after(async () => {
    await browser?.close();
    await pages?.close();
});

async function withLoopback(options: Parameters<LoopbackPage['start']>[0], body: (page: LoopbackPage) => Promise<void>): Promise<void> {
    const tab = await Tab.open(browser, pages.url('loopback'));
    try {
        const page = remote<LoopbackPage>(tab.page);
        await page.start(options);
        await body(page);
    } catch (error) {
        throw new Error(`${String(error)}\n${tab.console.join('\n')}`, { cause: error });
    } finally {
        await tab.close();
    }
}

const TONES = [440, 610, 850];

test('a picture and its counter survive encoding, and the tone is found', { timeout: 40_000 }, async (t) => {
    await withLoopback({ picture: { pattern: 1 }, tones: [440] }, async (page) => {
        const video = await shows(() => page.measureVideo(3000), 1);
        t.diagnostic(`video ${JSON.stringify(video)}`);
        const margin = await hears(() => page.measureAudio(2000, TONES), 440, TONES);
        t.diagnostic(`audio ${margin.toFixed(0)} dB above the other tones`);
    });
});

test('somebody else\'s picture and tone are refused', { timeout: 40_000 }, async () => {
    await withLoopback({ picture: { pattern: 2 }, tones: [610] }, async (page) => {
        const video = await page.measureVideo(1500);
        assert.throws(() => showsPattern(video, 1), /pattern/);
        const audio = await page.measureAudio(1500, TONES);
        assert.throws(() => carriesTone(audio, 440, TONES), /loudest/);
    });
});

test('a faint second tone is refused as cross-talk', { timeout: 40_000 }, async () => {
    await withLoopback({ picture: { pattern: 0 }, tones: [440, 850] }, async (page) => {
        const audio = await page.measureAudio(1500, TONES);
        const dominant = audio.loudestHz > 600 ? 850 : 440;
        assert.throws(() => carriesTone(audio, dominant, TONES), /cross-talk/);
    });
});

test('a frame whose checksum is wrong is not read', { timeout: 40_000 }, async () => {
    await withLoopback({ picture: { pattern: 0, }, tones: [440], spoilCounter: true }, async (page) => {
        const video = await page.measureVideo(1500);
        assert.equal(video.countersPerSecond, 0);
        assert.throws(() => showsPattern(video, 0), /readable/);
    });
});

test('a black picture and a white one are not read', () => {
    for (const bit of [false, true]) assert.equal(counterOf(BIT_BOXES.map(() => bit)), undefined);
    for (const counter of [0, 1, 12345, 0xffff]) assert.equal(counterOf(bitsOf(counter)), counter);
});

test('a video that stands still is refused', { timeout: 40_000 }, async () => {
    await withLoopback({ picture: { pattern: 0 }, tones: [440] }, async (page) => {
        await page.measureVideo(1000);
        await page.stopPainting();
        await assert.rejects(async () => showsPattern(await page.measureVideo(1500, 500), 0), /no frame|per second/);
    });
});

test('sound and picture that left together arrive together, and a late sound is seen to be late', { timeout: 120_000 }, async (t) => {
    await withLoopback({ picture: { pattern: 3 }, tones: [440] }, async (page) => {
        await page.measureVideo(1000);
        // Buffers change while they fill: the two are judged together, once both are what they will be.
        const both = async (): Promise<number[]> => [median(await page.measureLipSync(3, 0)), median(await page.measureLipSync(3, 250))];
        await comesTrue(both, ([together = NaN, late = NaN]) => {
            t.diagnostic(`sound after picture: ${together.toFixed(0)} ms; held back by 250 ms: ${late.toFixed(0)} ms`);
            assert.ok(Math.abs(together) < 150, `${together} ms`);
            assert.ok(Math.abs(late - together - 250) < 100, `${late - together} ms instead of 250`);
        }, 60_000);
    });
});
