// The WebSocket is lost, media is not: the participant stays the same one, and nobody's picture stops.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';

/** Publishers paint every 33 ms. A picture that waits for signalling would stop for as long as that is away, and for a new transport on top. */
const LONGEST_GAP = { target: 300, atWorst: 3000 };

callTest('a cut WebSocket is resumed by the same participant, media uninterrupted', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    await Promise.all([ana.firstFrame(bens), ben.firstFrame(anas)]);

    const since = await ana.mark();
    const bensMark = await ben.mark();
    const connections = ana.proxy.accepted;
    const measuring = Promise.all([ben.measureVideo(anas, 4000), ana.measureVideo(bens, 4000)]);
    ana.proxy.cut();
    const lost = await ana.sees({ type: 'statechanged', state: 'reconnecting' }, { since });
    const back = await ana.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since });
    call.figure(`cut, back after ${(back.at - lost.at).toFixed(0)} ms`);
    assert.ok(ana.proxy.accepted > connections, 'a new connection was made');

    const [seenByBen, seenByAna] = await measuring;
    call.took("longest gap in ana's picture", seenByBen.longestGapMs, LONGEST_GAP);
    call.took("longest gap in ben's picture", seenByAna.longestGapMs, LONGEST_GAP);
    assert.deepEqual([await ana.transports(), await ben.transports()], [1, 1], 'media goes on over the same transport');
    await shows(() => ben.measureVideo(anas, 1500), 0);
    await shows(() => ana.measureVideo(bens, 1500), 1);
    assert.deepEqual(await ben.seen('participantleft', bensMark), []);
    assert.deepEqual((await ben.participants()).map(({ id }) => id), [ana.id]);
    assert.deepEqual(await ana.seen('trackunsubscribed', since), []);

    // Signalling works again, both ways.
    await ana.setMuted(anas, true);
    await ben.sees({ type: 'publicationmuted', publication: anas, muted: true }, { since: bensMark });
    await ana.setMuted(anas, false);
});

callTest('what happened while the WebSocket was gone is made up for', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const bens = await ben.publishPicture({ pattern: 1 });
    await ana.firstFrame(bens);

    const since = await ana.mark();
    ana.proxy.cut({ refuse: true });
    await ana.sees({ type: 'statechanged', state: 'reconnecting' }, { since });
    const cleo = await call.enter('cleo');
    const cleos = await cleo.publishPicture({ pattern: 2 });
    await ben.unpublish(bens);
    await ana.send('through the data channel').catch(() => undefined); // whether it is possible now is not the promise here
    ana.proxy.admit();
    await ana.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since, ms: 20_000 });
    await ana.sees({ type: 'participantjoined', identity: 'cleo' }, { since });
    await ana.sees({ type: 'publicationremoved', publication: bens }, { since });
    await shows(() => ana.measureVideo(cleos, 1500), 2);
    assert.deepEqual((await ben.participants()).map(({ id }) => id).sort(), [ana.id, cleo.id].sort());
});
