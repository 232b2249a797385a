// Over a round trip of 50 ms the first picture comes soon after `connect` was called, in a browser that was never there before.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { isBench, percentile } from '../harness/figures.ts';
import { shows } from '../harness/verdict.ts';

const JOINS = isBench ? 20 : 3;

await scenario(import.meta.url, 'join at 50 ms', 'the first picture comes', { timeoutMs: 180_000 }, async ({ call, link, figure }) => {
    const ana = await call.enter('ana');
    const picture = await ana.publishPicture({ pattern: 0 });
    const browser = await call.browser('chromium', { own: true, network: link.near });
    const times: { sinceJoin: number; sinceConnected: number; connect: number }[] = [];
    for (let join = 0; join < JOINS; join += 1) {
        const ben = await call.enter(`ben-${join}`, { browser });
        const first = await ben.firstFrame(picture);
        times.push({ ...first, connect: ben.joinMs });
        await shows(() => ben.measureVideo(picture, 1000), 0);
        await ben.leave();
        await ben.tab.close();
    }
    const of = (part: keyof (typeof times)[number], share: number): number => percentile(times.map((one) => one[part]), share);
    figure('first picture p50 ms', of('sinceJoin', 0.5), { atMost: 400 });
    figure('first picture p95 ms', of('sinceJoin', 0.95), { atMost: 1000 });
    figure('connect() p50 ms', of('connect', 0.5));
    figure('transport up → picture p50 ms', of('sinceConnected', 0.5));
    figure('joins', times.length);
    assert.equal(times.length, JOINS);
});
