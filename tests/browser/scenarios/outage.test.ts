// Nothing passes for a while, in either direction, and then everything again: the outage is noticed, and the media of both
// is back without either having left.

import assert from 'node:assert/strict';
import { scenarios, type Emulated } from '../harness/emulated.ts';

const SECONDS = [1, 5, 20];
const ROUND_TRIP_MS = 50;
/** Only decides when a failure is called one. */
const PATIENCE_MS = 60_000;

await scenarios(
    import.meta.url,
    SECONDS.map((seconds) => ({
        name: `outage ${seconds} s`,
        promise: 'noticed, and media is back',
        options: { timeoutMs: 120_000 },
        body: (emulated) => outage(seconds, emulated),
    })),
);

async function outage(seconds: number, { call, link, figure }: Emulated): Promise<void> {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben', { behind: link });
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    await Promise.all([ben.watch(anas), ana.watch(bens)]);
    await Promise.all([ben.flowsAgain(anas, 0, PATIENCE_MS), ana.flowsAgain(bens, 0, PATIENCE_MS)]);

    const [since, cutAt] = await Promise.all([ben.mark(), ben.now()]);
    await link.cut();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000)); // how long the outage is
    const [healedAt, healedThere] = await Promise.all([ben.now(), ana.now()]);
    await link.heal();
    const [back, backThere] = await Promise.all([ben.flowsAgain(anas, healedAt, PATIENCE_MS), ana.flowsAgain(bens, healedThere, PATIENCE_MS)]);
    const most = { atMost: 1000 + ROUND_TRIP_MS };
    figure('received: back after ms', back - healedAt, most);
    figure('sent: back after ms', backThere - healedThere, most);

    if (seconds > NOTICED_S) {
        const noticed = await ben.sees({ type: 'statechanged', state: 'reconnecting' }, { since, ms: PATIENCE_MS });
        figure('noticed ms', noticed.at - cutAt, { atMost: NOTICED_S * 1000 });
        await ben.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since, ms: PATIENCE_MS });
    }
    assert.equal(await ben.state(), 'connected');
    assert.deepEqual((await ana.participants()).map(({ id }) => id), [ben.id], 'the same participant, no ghost');
    assert.deepEqual(await ana.seen('participantleft', 0), []);
}

/** An outage that is shorter need not be noticed. */
const NOTICED_S = 2;
