// The WebSocket is killed over a round trip of 50 ms: it is resumed, the picture doesn't stop, and signalling works again.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';

await scenario(import.meta.url, 'websocket killed', 'resumed while the picture goes on', {}, async ({ call, link, figure }) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben', { behind: link });
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    await Promise.all([ben.watch(anas), ana.watch(bens)]);
    await Promise.all([ben.flowsAgain(anas, 0, 10_000), ana.flowsAgain(bens, 0, 10_000)]);

    const [since, began, beganThere] = await Promise.all([ben.mark(), ben.now(), ana.now()]);
    ben.proxy.cut();
    const lost = await ben.sees({ type: 'statechanged', state: 'reconnecting' }, { since });
    const back = await ben.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since });
    await Promise.all([ben.flowsAgain(anas, back.at, 10_000), ana.flowsAgain(bens, await ana.now(), 10_000)]);
    figure('noticed ms', lost.at - began);
    figure('resumed after ms', back.at - lost.at, { atMost: 1000 });
    figure('longest time without a picture, received ms', (await ben.watched(anas, began)).longestGapMs, { atMost: 300 });
    figure('longest time without a picture, sent ms', (await ana.watched(bens, beganThere)).longestGapMs, { atMost: 300 });

    assert.deepEqual((await ana.participants()).map(({ id }) => id), [ben.id], 'the same participant');
    const told = await ana.mark();
    await ben.setMuted(bens, true);
    await ana.sees({ type: 'publicationmuted', publication: bens, muted: true }, { since: told });
});
