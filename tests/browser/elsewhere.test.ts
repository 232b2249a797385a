// Two edges share a store: whoever asks the wrong one is sent to the right one, and when that one is drained everybody moves, with the same objects.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import type { Edge } from './harness/edge.ts';
import { Redis } from './harness/redis.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const redis = new Redis();
const participants = async (edge: Edge): Promise<number> => (await edge.tables()).participants;

callTest(
    'two who ask two edges meet on one of them, and go to the other when it is drained',
    { flags: redis.flags('a'), before: () => redis.start(), after: () => redis.stop() },
    async (call) => {
        const edges = [call.edge, await call.another(redis.flags('b'))] as const;
        for (const edge of edges) await until('the edges to know each other', async () => (await edge.stats()).cluster?.edges, (known) => known === 1);

        const ana = await call.enter('ana', { edge: edges[0] });
        const ben = await call.enter('ben', { edge: edges[1] });
        assert.deepEqual((await ben.participants()).map(({ id }) => id), [ana.id], 'they meet');
        const anas = await ana.publishPicture({ pattern: 0 });
        const bens = await ben.publishPicture({ pattern: 1 });
        await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);
        const [from, to] = (await participants(edges[0])) === 2 ? edges : ([edges[1], edges[0]] as const);

        const marks = [await ana.mark(), await ben.mark()] as const;
        const measuring = Promise.all([ben.measureVideo(anas, 6000), ana.measureVideo(bens, 6000)]);
        const answer = await fetch(`http://${from.http}/v1/drain`, { method: 'POST' });
        assert.deepEqual(await answer.json(), { rooms: 1, kept: 0 });
        for (const [person, since] of [[ana, marks[0]], [ben, marks[1]]] as const) {
            await person.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since, ms: 20_000 });
            assert.deepEqual(await person.seen('trackunsubscribed', since), [], 'the same objects');
        }
        for (const { longestGapMs } of await measuring) call.figure(`drained: longest gap in a picture ${longestGapMs.toFixed(0)} ms`);
        await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);
        assert.equal(await participants(to), 2);
        assert.deepEqual((await ben.participants()).map(({ identity }) => identity), ['ana'], 'nobody twice');
    },
);
