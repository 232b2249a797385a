// Data messages: reliable ones all and in order, lossy ones, to the room and to one participant.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { until } from './harness/wait.ts';

const MANY = 200;

callTest('data messages reach whom they are meant for', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const cleo = await call.enter('cleo');

    // Channels open a moment after joining; who was heard has one.
    for (const one of [ben, cleo]) {
        await until(`${one.identity} to have a data channel`, () => one.send('hello').then(() => 'open', String), (state) => state === 'open');
        await ana.sees({ type: 'data', from: one.identity, text: 'hello' });
    }
    await until('ana to have a data channel', () => ana.send('hello').then(() => 'open', String), (state) => state === 'open');
    await Promise.all([ben.sees({ type: 'data', from: 'ana', text: 'hello' }), cleo.sees({ type: 'data', from: 'ana', text: 'hello' })]);

    const before = await cleo.mark();
    // To one: cleo must not get it. Reliable messages keep their order, so what she gets next proves that she did not.
    await ana.send('for ben only', { to: ben.id, topic: 'private' });
    await ana.send('for everybody');
    await ben.sees({ type: 'data', from: 'ana', text: 'for ben only', topic: 'private', reliable: true });
    await ben.sees({ type: 'data', from: 'ana', text: 'for everybody', reliable: true });
    await cleo.sees({ type: 'data', from: 'ana', text: 'for everybody' });
    assert.deepEqual((await cleo.seen('data', before)).map(({ text }) => text), ['for everybody']);

    // Bytes stay bytes, and large ones stay whole.
    await ben.send([0, 1, 2, 254, 255]);
    await ana.sees({ type: 'data', from: 'ben', bytes: [0, 1, 2, 254, 255], reliable: true });
    const large = 'x'.repeat(50_000);
    await ben.send(large, { topic: 'large' });
    assert.equal((await cleo.sees({ type: 'data', topic: 'large' })).text, large);

    // Lossy: on one machine nothing is lost, but nothing is promised either: a machine that is busy may drop many. Those that arrive do so as lossy ones.
    const since = await ben.mark();
    for (let i = 0; i < MANY; i += 1) await ana.send(`lossy ${i}`, { reliable: false, topic: 'lossy' });
    for (let i = 0; i < MANY; i += 1) await ana.send(`sure ${i}`, { topic: 'sure' });
    await ben.sees({ type: 'data', text: `sure ${MANY - 1}` }, { since });
    const messages = await ben.seen('data', since);
    const sure = messages.filter(({ topic }) => topic === 'sure');
    assert.deepEqual(sure.map(({ text }) => text), Array.from({ length: MANY }, (_, i) => `sure ${i}`));
    const lossy = messages.filter(({ topic }) => topic === 'lossy');
    call.figure(`${lossy.length} of ${MANY} lossy messages arrived`);
    assert.ok(lossy.length > 0, 'no lossy message arrived');
    assert.ok(lossy.every(({ reliable }) => reliable === false), 'a lossy message says so');
    assert.deepEqual(await ana.seen('data', 0).then((all) => all.filter(({ from }) => from === 'ana')), [], 'nobody hears themselves');
});
