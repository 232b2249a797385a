// Over a round trip of 50 ms the first picture comes soon after `connect` was called, by somebody who comes from a lobby and by somebody whose page
// calls it at once.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { isBench, percentile } from '../harness/figures.ts';
import { shows } from '../harness/verdict.ts';

const JOINS = isBench ? 20 : 3;

await scenario(import.meta.url, 'join at 50 ms', 'the first picture comes', { timeoutMs: 180_000 }, async ({ call, link, figure }) => {
    const ana = await call.enter('ana');
    const picture = await ana.publishPicture({ pattern: 0 });
    const browser = await call.browser('chromium', { own: true, network: link.near });
    const joins: { prepared: boolean; sinceJoin: number; sinceConnected: number; connect: number }[] = [];
    for (let join = 0; join < 2 * JOINS; join += 1) {
        const prepared = join % 2 === 0;
        const ben = await call.enter(`ben-${join}`, { browser, prepared });
        const first = await ben.firstFrame(picture);
        joins.push({ ...first, connect: ben.joinMs, prepared });
        await shows(() => ben.measureVideo(picture, 1000), 0);
        await ben.leave();
        await ben.tab.close();
    }
    const of = (part: 'sinceJoin' | 'sinceConnected' | 'connect', share: number, prepared: boolean): number =>
        percentile(joins.filter((join) => join.prepared === prepared).map((join) => join[part]), share);
    figure('first picture p50 ms', of('sinceJoin', 0.5, true), { atMost: 400 });
    figure('first picture p95 ms', of('sinceJoin', 0.95, true), { atMost: 1000 });
    figure('connect() p50 ms', of('connect', 0.5, true));
    figure('transport up → picture p50 ms', of('sinceConnected', 0.5, true));
    figure('without prepare(): first picture p50 ms', of('sinceJoin', 0.5, false));
    figure('without prepare(): first picture p95 ms', of('sinceJoin', 0.95, false), { atMost: 1000 });
    figure('joins of each', JOINS);
    assert.equal(joins.length, 2 * JOINS);
});
