// The demo page itself, as people open it: three browsers' pages, fake cameras, no click.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { Tab } from './harness/browser.ts';
import { callTest, type Call } from './harness/call.ts';
import { comesTrue, LEAST_FPS } from './harness/verdict.ts';
import { within } from './harness/wait.ts';

const NAMES = ['Ana', 'Ben', 'Cleo'];
const SCREENSHOT = fileURLToPath(new URL('../../target/screenshots/demo.png', import.meta.url));

callTest('three demo pages show each other', {}, async (call) => {
    const served = await fetch(`http://${call.edge.http}/`);
    assert.equal(served.status, 200, 'The edge was built without the demo page. Remedy: run `make build`, which builds the demo first.');
    const browser = await call.browser();
    const tabs = new Map<string, Tab>();
    for (const name of NAMES) tabs.set(name, await openDemo(call, browser, name));
    try {
        for (const { page } of tabs.values()) await page.waitForSelector('body[data-state="connected"]', { timeout: 15_000 });
        const views = NAMES.flatMap((viewer) => NAMES.filter((name) => name !== viewer).map((name) => ({ viewer, name })));
        await Promise.all(
            views.map(async ({ viewer, name }) => {
                const { page } = tabs.get(viewer)!;
                await page.waitForSelector(`[data-participant="${name}"] video`, { timeout: 15_000 });
                // A machine that is short gives fifteen frames a second (docs/adaptation.md), of which one may come late.
                const rate = await comesTrue(() => framesPerSecond(page, name, 5000), (it) => {
                    assert.ok(it >= LEAST_FPS - 1, `${viewer} sees ${name} at ${it.toFixed(1)} frames/s`);
                });
                call.figure(`${viewer} sees ${name}: ${rate.toFixed(1)} frames/s`);
            }),
        );
        for (const { page } of tabs.values()) assert.equal((await page.$$('[data-participant][data-self] video')).length, 1, 'the own tile');
        const first = tabs.get('Ana')!.page;
        await first.setViewport({ width: 1280, height: 800 });
        await framesPerSecond(first, 'Ben', 0); // a frame in the new size
        mkdirSync(fileURLToPath(new URL('.', `file://${SCREENSHOT}`)), { recursive: true });
        await first.screenshot({ path: SCREENSHOT });
        call.figure(`screenshot: ${SCREENSHOT}`);

        await tabs.get('Cleo')!.close();
        await first.waitForFunction(`!document.querySelector('[data-participant="Cleo"]')`, { timeout: 45_000 });
    } catch (error) {
        const logs = await Promise.all(
            [...tabs].map(async ([name, { console: log, page }]) => {
                const shown = await page.evaluate('JSON.stringify(document.body.dataset) + " " + document.body.innerText').catch(String);
                return `--- ${name}: ${String(shown)}\n${log.join('\n')}`;
            }),
        );
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs.join('\n')}`);
    }
});

callTest('the demo page tells whether a call would work', {}, async (call) => {
    const tab = await Tab.open(await call.browser(), `http://${call.edge.http}/?preflight=1`);
    try {
        await tab.page.waitForSelector('body[data-preflight="passed"]', { timeout: 30_000 });
        const shown = await tab.page.$$eval('#preflight-list li', (rows) => rows.map((row) => `${row.dataset.check} ${row.dataset.status}`));
        call.figure(shown.join(', '));
        assert.deepEqual(shown.filter((row) => row.endsWith(' failed') || row.endsWith(' waiting')), []);
        assert.equal(shown.length, 10);
    } finally {
        await tab.close();
    }
});

async function openDemo(call: Call, browser: Browser, name: string): Promise<Tab> {
    return Tab.open(browser, `http://${call.edge.http}/?room=${call.room}&name=${name}&autojoin=1`);
}

/** Frames that the tile's <video> presents; fails when it presents none for five seconds. */
async function framesPerSecond(page: Page, name: string, ms: number): Promise<number> {
    const measured = page.evaluate(`new Promise((resolve) => {
        const video = document.querySelector('[data-participant="${name}"] video');
        let first;
        const look = (now, { presentedFrames }) => {
            first ??= { now, presentedFrames };
            if (now - first.now >= ${ms}) resolve(((presentedFrames - first.presentedFrames) * 1000) / (now - first.now));
            else video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
    })`) as Promise<number>;
    return within(ms + 10_000, `frames in the tile of ${name}`, measured);
}
