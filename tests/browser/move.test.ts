// An edge that is linked with another one is drained under a call: who is there goes on at the other one, and nobody sees it happen.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { Redis } from './harness/redis.ts';
import { linked } from './harness/trio.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

/** Neither what the one who moves sees of others, nor what they see of them, may stand for longer. */
const TARGET_MS = 200;
/** On a machine that is busy with other things: a picture that stands for this long was cut. */
const CUT_MS = 3000;

for (const [name, place] of [['on another edge', 1], ['on the same edge', 0]] as const) {
    const redis = new Redis();
    const flags = (edge: string): string[] => [...redis.flags(edge), '--relay', '127.0.0.1:0', '--relay-secret', 'moves'.repeat(8)];
    const options = { flags: flags('a'), before: () => redis.start(), after: () => redis.stop(), timeoutMs: 120_000 };
    callTest(`two, the other one ${name}: the edge is drained`, options, async (call) => {
        const edges = [call.edge, await call.anotherEdge({ flags: flags('b') })] as const;
        for (const edge of edges) await linked(edge, 1);
        const ana = await call.enter('ana', { edge: edges[0] });
        const ben = await call.enter('ben', { edge: edges[place], ownBrowser: false });
        const [anas, bens] = [await ana.publishPicture({ pattern: 0 }), await ben.publishPicture({ pattern: 1 })];
        await Promise.all([ana.watch(bens), ben.watch(anas)]);
        await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);
        const began = [await ana.now(), await ben.now()] as const;
        const marks = [await ana.mark(), await ben.mark()] as const;

        const answer = await fetch(`http://${edges[0].http}/v1/drain`, { method: 'POST' });
        assert.equal(answer.status, 200);
        await until('both to be at the other edge', async () => (await edges[1].tables()).participants, (count) => count === 2, 30_000);
        await until('nobody to be at the first', async () => (await edges[0].tables()).participants, (count) => count === 0, 30_000);
        await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);

        const [hers, his] = [await ana.watched(bens, began[0]), await ben.watched(anas, began[1])];
        call.took('what ana, who moves, sees of ben: the longest gap', hers.longestGapMs, { target: TARGET_MS, atWorst: CUT_MS });
        call.took('what ben sees of ana: the longest gap', his.longestGapMs, { target: TARGET_MS, atWorst: CUT_MS });
        for (const [person, since] of [[ana, marks[0]], [ben, marks[1]]] as const) {
            for (const type of ['statechanged', 'trackunsubscribed', 'participantleft', 'participantjoined', 'publicationremoved'] as const) {
                assert.deepEqual(await person.seen(type, since), [], `nothing of ${type}`);
            }
        }
        const steps = (await ana.seen('reconnecting', marks[0])).map((event) => `${event['step']} ${event['reason']}`);
        assert.deepEqual(steps, ['moving elsewhere', 'connected moved']);
        assert.deepEqual((await ben.participants()).map(({ id }) => id), [ana.id], 'she is who she was');
    });
}
