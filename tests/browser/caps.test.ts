// What holds pictures down (here: a busy processor) does so too when the call goes on over another transport.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { until } from './harness/wait.ts';

const PATIENCE_MS = 30_000;

callTest('a cap of the frame rate is kept across a new transport, and taken back there', { timeoutMs: 120_000 }, async (call) => {
    const ana = await call.enter('ana', { adaptation: true });
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 0, width: 640, height: 360 });
    await ben.watch(picture);
    await ben.flowsAgain(picture, 0, PATIENCE_MS);
    const rates = async (): Promise<(number | undefined)[]> => {
        const encodings = JSON.parse(await ana.askedOfEncoder(picture)) as { maxFramerate?: number }[];
        return encodings.map(({ maxFramerate }) => maxFramerate);
    };
    const before = await rates();

    const since = await ana.mark();
    await ana.pretendBusy(true);
    await ana.sees({ type: 'adapted', step: 'frame-rate-20', active: true }, { since, ms: PATIENCE_MS });
    await ana.pretendBusy(false); // ten quiet seconds until it is given back
    assert.ok(before.length > 0 && before.every((rate) => rate !== 20), String(before));

    assert.equal(await ana.transports(), 1);
    await call.replaceEdge();
    const { at } = await ana.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since, ms: PATIENCE_MS });
    const there = await rates();
    assert.equal(await ana.transports(), 2, 'another transport');
    assert.deepEqual((await ana.seen('adapted', since)).filter(({ active }) => active === false), [], 'not yet given back');
    assert.ok(there.length > 0 && there.every((rate) => rate === 20), `over the new transport at most ${there.join()} frames a second`);

    const given = await ana.sees({ type: 'adapted', step: 'frame-rate-20', active: false }, { since, ms: PATIENCE_MS });
    call.figure(`given back ${((given.at - at) / 1000).toFixed(1)} s after the new transport`);
    await until('all frames to be sent', rates, (now) => now.join() === before.join());
    await ben.flowsAgain(picture, await ben.now(), PATIENCE_MS);
});
