// Two edges share a store: whoever asks the wrong one is sent to the right one, and when that one is drained or dies everybody moves, with the same objects.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import type { Edge } from './harness/edge.ts';
import { Redis } from './harness/redis.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';
import type { WhipPage } from './page/whip-contract.ts';

const participants = async (edge: Edge): Promise<number> => (await edge.tables()).participants;

/** A call of two who asked two edges, both seen by the other; then something happens to the edge that has them, and they go on at the other one. */
function movesTest(name: string, gapOf: string, happens: (edge: Edge) => Promise<void>): void {
    const redis = new Redis();
    const options = { flags: redis.flags('a'), before: () => redis.start(), after: () => redis.stop() };
    callTest(name, options, async (call) => {
        const edges = [call.edge, await call.anotherEdge({ flags: redis.flags('b') })] as const;
        for (const edge of edges) await until('the edges to know each other', async () => (await edge.stats()).cluster?.edges, (known) => known === 1);

        const ana = await call.enter('ana', { edge: edges[0] });
        const ben = await call.enter('ben', { edge: edges[1] });
        assert.deepEqual((await ben.participants()).map(({ id }) => id), [ana.id], 'they meet');
        const anas = await ana.publishPicture({ pattern: 0 });
        const bens = await ben.publishPicture({ pattern: 1 });
        await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);
        const [from, to] = (await participants(edges[0])) === 2 ? edges : ([edges[1], edges[0]] as const);

        const marks = [await ana.mark(), await ben.mark()] as const;
        const measuring = Promise.all([ben.measureVideo(anas, 8000), ana.measureVideo(bens, 8000)]);
        await happens(from);
        for (const [person, since] of [[ana, marks[0]], [ben, marks[1]]] as const) {
            await person.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since, ms: 30_000 });
            assert.deepEqual(await person.seen('trackunsubscribed', since), [], 'the same objects');
        }
        for (const { longestGapMs } of await measuring) call.figure(`${gapOf}: longest gap in a picture ${longestGapMs.toFixed(0)} ms`);
        await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);
        assert.equal(await participants(to), 2);
        assert.deepEqual((await ben.participants()).map(({ identity }) => identity), ['ana'], 'nobody twice');
    });
}

movesTest('two who ask two edges meet on one of them, and go to the other when it is drained', 'drained', async (edge) => {
    const answer = await fetch(`http://${edge.http}/v1/drain`, { method: 'POST' });
    assert.deepEqual(await answer.json(), { rooms: 1, kept: 0, http_sessions: 0 });
});

const shared = new Redis();
const sharing = { flags: shared.flags('a'), before: () => shared.start(), after: () => shared.stop() };
callTest('who publishes by WHIP hears goodbye when the edge is drained, and begins again where it is sent', sharing, async (call) => {
    const edges = [call.edge, await call.anotherEdge({ flags: shared.flags('b') })] as const;
    for (const edge of edges) await until('the edges to know each other', async () => (await edge.stats()).cluster?.edges, (known) => known === 1);
    const ana = await call.enter('ana');
    const from = (await participants(edges[0])) === 1 ? edges[0] : edges[1];
    const publish = async (encoder: WhipPage): Promise<void> =>
        encoder.publish(`http://${from.http}/whip/${call.room}`, await call.edge.token(call.room, 'encoder'), { pattern: 2 }, 440);
    const encoder = await call.open<WhipPage>('whip', 'encoder');
    await publish(encoder);
    const before = await ana.publicationOf('encoder', 'camera');
    await shows(() => ana.measureVideo(before, 1500), 2);

    const mark = await ana.mark();
    const over = encoder.over();
    const answer = await fetch(`http://${from.http}/v1/drain`, { method: 'POST' });
    assert.deepEqual(await answer.json(), { rooms: 1, kept: 0, http_sessions: 1 });
    await over;
    assert.equal(await encoder.end(), 404, 'that session is no more');
    await ana.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since: mark, ms: 30_000 });
    await publish(await call.open<WhipPage>('whip', 'encoder, again'));
    await shows(async () => ana.measureVideo(await ana.publicationOf('encoder', 'camera'), 1500), 2);
    assert.equal(await participants(from), 0);
});

movesTest('when the edge dies that has them, they meet on the other one', 'killed', (edge) => edge.kill());
