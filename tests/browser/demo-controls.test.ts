// The demo page's promises to people without a mouse and to whoever embeds it: states, keys, focus, and words for a bad token.

import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import type { Page } from 'puppeteer-core';
import { Tab } from './harness/browser.ts';
import { callTest, type Call } from './harness/call.ts';
import { Proxy } from './harness/proxy.ts';

const PATIENCE = { timeout: 15_000 };
/** More than the page has places to stop at. */
const MOST_TABS = 30;
/** A key of the test's own beside the development key. */
const KEY = { id: 'test', secret: randomBytes(32).toString('hex') };
/** What has the focus, and how wide its outline is in pixels. */
const FOCUSED = `(() => {
    const it = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(it);
    return { action: it.dataset.action ?? it.className, outline: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth), label: it.ariaLabel ?? it.textContent.trim() };
})()`;

callTest('data-state tells the course of a call', {}, async (call) => {
    const proxy = await Proxy.to(call.edge.http);
    try {
        const { page } = await Tab.open(await call.browser(), `${proxy.url}/?room=${call.room}&name=Ana`);
        await page.waitForSelector('body[data-state="lobby"] #lobby:not([hidden])', PATIENCE);
        await recordStates(page);
        await page.click('#join-button');
        await statesBecome(page, 'connecting', 'connected');
        await page.waitForSelector('[data-self] video:not([hidden])', PATIENCE);

        proxy.cut();
        await statesBecome(page, 'connecting', 'connected', 'reconnecting', 'connected');
        await page.waitForSelector('#banner-reconnecting[hidden]', PATIENCE);

        await page.click('[data-action="leave"]');
        await statesBecome(page, 'connecting', 'connected', 'reconnecting', 'connected', 'disconnected');
        await page.waitForSelector('#ended:not([hidden])', PATIENCE);
        assert.equal(await page.evaluate('document.body.dataset.error'), undefined, 'leaving is no error');
        assert.equal(await page.evaluate('window.nearcastRoom'), undefined, 'the room is let go of');
    } finally {
        await proxy.close();
    }
});

callTest('the keys do what the help says, and the other page sees it', {}, async (call) => {
    const ana = await join(call, 'Ana');
    const ben = await join(call, 'Ben');
    const anas = '[data-participant="Ana"][data-source="camera"]';
    await ben.waitForSelector(`${anas} video:not([hidden])`, PATIENCE);
    await ben.waitForSelector(`${anas} .tile-muted[hidden]`, PATIENCE);
    await ana.bringToFront();

    await ana.keyboard.press('m');
    await ben.waitForSelector(`${anas} .tile-muted:not([hidden])`, PATIENCE);
    await ana.waitForSelector('.controls [data-action="microphone"][data-off][aria-label^="Unmute"]', PATIENCE);
    await ana.keyboard.press('m');
    await ben.waitForSelector(`${anas} .tile-muted[hidden]`, PATIENCE);

    await ana.keyboard.press('v');
    await ben.waitForSelector(`${anas} video[hidden]`, PATIENCE);
    await ana.waitForSelector('.controls [data-action="camera"][data-off]', PATIENCE);
    await ana.keyboard.press('v');
    await ben.waitForSelector(`${anas} video:not([hidden])`, PATIENCE);

    await ana.keyboard.press('i');
    await ana.waitForSelector('.controls [data-action="stats"][aria-pressed="true"]', PATIENCE);
    await ana.waitForFunction(
        `/\\d+ ms/.test(document.querySelector('#call-stats:not([hidden])')?.textContent ?? '')
            && /Video.*\\d+×\\d+.*\\d+ fps.*Bitrate.*\\d+ [kM]b\\/s/.test(document.querySelector('[data-participant="Ben"] .tile-stats:not([hidden])')?.textContent ?? '')`,
        PATIENCE,
    );
    call.figure(`statistics: ${String(await ana.evaluate(`document.querySelector('#call-stats').textContent`))}`);
    await ana.keyboard.press('i');
    await ana.waitForFunction(`!document.querySelector('.tile-stats:not([hidden])')`, PATIENCE);

    await ana.keyboard.press('w');
    await ana.waitForSelector('.controls [data-action="why"][aria-expanded="true"]', PATIENCE);
    await ana.waitForFunction(`[...document.querySelectorAll('#why:not([hidden]) .why-plot path')].some((it) => it.getAttribute('d')?.includes('L'))`, PATIENCE);
    await ana.waitForSelector('#why-decisions > li', PATIENCE);
    await ana.waitForSelector('#why-save:not([hidden])', PATIENCE);
    const trace = (await ana.evaluate('nearcastRoom.exportTrace()')) as { kind: string; core: string };
    assert.ok(trace.kind === 'nearcast-trace' && trace.core.length > 1000, JSON.stringify(trace));
    for (const secret of ['Ana', 'Ben', 'a=ice-pwd']) assert.ok(!atob(trace.core).includes(secret), `the trace tells ${secret}`);
    await ana.keyboard.press('Escape');
    await ana.waitForSelector('#why[hidden]', PATIENCE);

    await ana.keyboard.press('?');
    await ana.waitForSelector('#help[open]', PATIENCE);
    await ana.keyboard.press('m'); // not a key of the call while something else is open
    await ana.keyboard.press('Escape');
    await ana.waitForSelector('#help:not([open])', PATIENCE);
    assert.equal(await ana.evaluate(`nearcastRoom.local.publication('microphone').muted`), false, 'a key in the help muted the microphone');

    // Before the page is drawn again, the focus is still in the dialog that has closed: a key pressed that fast counts too.
    await ana.keyboard.press('?');
    await ana.waitForSelector('#help[open]', PATIENCE);
    await ana.evaluate(`
        document.querySelector('#help').close();
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'c', bubbles: true }));`);
    await ana.waitForSelector('#chat:not([hidden])', PATIENCE);
    await ana.keyboard.press('Escape');
    await ana.waitForSelector('#chat[hidden]', PATIENCE);
});

callTest('Tab reaches every control, in order, and shows where it is', {}, async (call) => {
    const page = await join(call, 'Ana');
    await page.bringToFront();
    const wanted = (await page.evaluate(`[...document.querySelectorAll('.controls button')].filter((it) => it.checkVisibility()).map((it) => it.dataset.action)`)) as string[];
    assert.ok(wanted.includes('microphone') && wanted.at(-1) === 'leave', `unexpected controls: ${wanted.join(', ')}`);
    const stops: { action: string; outline: number; label: string }[] = [];
    while (stops.at(-1)?.action !== 'leave') {
        assert.ok(stops.length < MOST_TABS, `Tab does not come to the last control: ${JSON.stringify(stops)}`);
        await page.keyboard.press('Tab');
        stops.push((await page.evaluate(FOCUSED)) as (typeof stops)[number]);
    }
    call.figure(`Tab: ${stops.map(({ action }) => action).join(', ')}`);
    assert.deepEqual(stops.slice(-wanted.length).map(({ action }) => action), wanted);
    for (const stop of stops) {
        assert.ok(stop.outline >= 2, `no visible focus on ${JSON.stringify(stop)}`);
        assert.notEqual(stop.label, '', `nothing to read out on ${JSON.stringify(stop)}`);
    }
    await page.keyboard.press('Enter');
    await page.waitForSelector('body[data-state="disconnected"] #ended:not([hidden])', PATIENCE);
});

callTest('an expired or invalid token is told in words that help', { flags: ['--key', `${KEY.id}:${KEY.secret}`] }, async (call) => {
    const cases = [
        { token: expired(call.room), code: 'token-expired', words: /expired.*Ask for a new link/s },
        { token: 'no.such.token', code: 'token-invalid', words: /isn’t valid.*Ask for a new link/s },
    ];
    for (const { token, code, words } of cases) {
        const url = `http://${call.edge.http}/?name=Ana&autojoin=1&token=${token}`;
        const tab = await Tab.open(await call.browser(), url);
        await tab.page.waitForSelector(`body[data-state="disconnected"][data-error]`, PATIENCE);
        assert.equal(await tab.page.evaluate('document.body.dataset.error'), code);
        const told = await tab.page.waitForSelector('[role="alert"]:not([hidden]):not(:empty)', PATIENCE);
        assert.match(String(await told?.evaluate((it) => it.textContent)), words);
        assert.ok(await told?.isVisible(), 'the words are in the page, but nobody sees them');
        await tab.close();
    }
});

async function join(call: Call, name: string): Promise<Page> {
    const { page } = await Tab.open(await call.browser(), `http://${call.edge.http}/?room=${call.room}&name=${name}&autojoin=1`);
    await page.waitForSelector('body[data-state="connected"] [data-self] video:not([hidden])', PATIENCE);
    return page;
}

/** Every value that data-state takes from now on; an observer is told the old value of each change, however fast the next follows. */
async function recordStates(page: Page): Promise<void> {
    await page.evaluate(`
        window.statesSeen = [];
        new MutationObserver((changes) => {
            const values = [...changes.slice(1).map(({ oldValue }) => oldValue), document.body.dataset.state];
            for (const value of values) if (value !== statesSeen.at(-1)) statesSeen.push(value);
        }).observe(document.body, { attributeFilter: ['data-state'], attributeOldValue: true });`);
}

async function statesBecome(page: Page, ...states: string[]): Promise<void> {
    await page.waitForFunction(`statesSeen.length >= ${states.length}`, PATIENCE);
    assert.deepEqual(await page.evaluate('statesSeen'), states);
}

/** A token as an application's server signs it (docs/tokens.md), but an hour too old. */
function expired(room: string): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const hourAgo = Math.floor(Date.now() / 1000) - 3600;
    const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: KEY.id })}.${part({ room, sub: 'ana', exp: hourAgo })}`;
    return `${signed}.${createHmac('sha256', KEY.secret).update(signed).digest('base64url')}`;
}
