// Who may enter, and as whom: refused tokens are named, and one identity is in a room once.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { until } from './harness/wait.ts';
import type { ParticipantPage } from './page/contract.ts';

callTest('refused tokens are named', {}, async (call) => {
    const outsider = await call.open<ParticipantPage>('participant', 'outsider');
    const url = `http://${call.edge.http}`;
    const forged = `${(await call.edge.token(call.room, 'eve')).slice(0, -8)}AAAAAAAA`;
    const signature = await outsider.refused(url, forged);
    assert.deepEqual([signature.name, signature.code, signature.retryable], ['TokenError', 'token-invalid', false]);
    const none = await outsider.refused(url, 'not-a-token');
    assert.deepEqual([none.name, none.code], ['TokenError', 'token-invalid']);
    const nowhere = await outsider.refused('http://127.0.0.1:9', await call.edge.token(call.room, 'eve'));
    assert.deepEqual([nowhere.name, nowhere.code, nowhere.retryable], ['ConnectError', 'edge-unreachable', true]);
    call.figure(`refused: ${signature.message} | ${none.message} | ${nowhere.message}`);
});

callTest('a second join with the same identity replaces the first', {}, async (call) => {
    const ben = await call.enter('ben');
    const first = await call.enter('ana');
    const second = await call.enter('ana');
    const closed = await first.sees({ type: 'closed' });
    assert.match(closed.error ?? 'no error', /^duplicate-identity/);
    await ben.sees({ type: 'participantleft', participant: first.id, reason: 'replaced' });
    await ben.sees({ type: 'participantjoined', participant: second.id });
    await until('one ana in the room', () => ben.participants(), (all) => all.length === 1 && all[0]?.id === second.id);
});

callTest('without the grant to publish, publishing is refused', {}, async (call) => {
    const ana = await call.enter('ana', { grants: { can_publish: false } });
    await assert.rejects(ana.publishPicture({ pattern: 0 }), /not-permitted|permi/i);
});
