// The edge dies and another one starts on the same ports, knowing nothing: everybody is back in the room and media flows.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';

/** Only decides when a failure is called one. */
const PATIENCE_MS = 60_000;

await scenario(import.meta.url, 'edge restarted', 'everybody comes back', { timeoutMs: 180_000 }, async ({ call, link, figure }) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben', { behind: link });
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    await Promise.all([ben.watch(anas), ana.watch(bens)]);
    await Promise.all([ben.flowsAgain(anas, 0, PATIENCE_MS), ana.flowsAgain(bens, 0, PATIENCE_MS)]);

    const [since, sinceThere, diedAt] = await Promise.all([ben.mark(), ana.mark(), ben.now()]);
    await call.replaceEdge();
    const [startedAt, startedThere] = await Promise.all([ben.now(), ana.now()]);
    const lost = await ben.sees({ type: 'statechanged', state: 'reconnecting' }, { since, ms: PATIENCE_MS });
    figure('noticed ms', lost.at - diedAt, { atMost: 2000 });
    await Promise.all([
        ben.sees({ type: 'statechanged', state: 'connected' }, { since, ms: PATIENCE_MS }),
        ana.sees({ type: 'statechanged', state: 'connected' }, { since: sinceThere, ms: PATIENCE_MS }),
    ]);
    // A new edge gives new ids; what plays goes on as the same objects.
    const back = await ben.flowsAgain(anas, startedAt, PATIENCE_MS);
    await ana.flowsAgain(bens, startedThere, PATIENCE_MS);
    figure('received: back after ms', back - startedAt, { atMost: 2000 });
    assert.notEqual(await ben.publicationOf('ana', 'camera'), anas, 'another edge, another id');
    for (const type of ['trackunsubscribed', 'publicationremoved']) assert.deepEqual(await ben.seen(type, since), [], 'the same objects');
    assert.deepEqual([await ana.state(), await ben.state()], ['connected', 'connected']);
    assert.deepEqual((await ana.participants()).map(({ identity }) => identity), ['ben'], 'nobody twice');
});
