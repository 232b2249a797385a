// Two talk directly, a third one joins: their media moves to the edge without a gap that anybody sees, and back when they are two again.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { until } from '../harness/wait.ts';

const PATIENCE_MS = 60_000;
const LONGEST_GAP_MS = 300;

await scenario(import.meta.url, 'third joiner', 'from direct to the edge and back', { timeoutMs: 180_000 }, async ({ call, link, figure }) => {
    const mode = { grants: { mode: 'auto' } };
    const ana = await call.enter('ana', mode);
    const ben = await call.enter('ben', { behind: link, ...mode });
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    await Promise.all([ben.watch(anas), ana.watch(bens)]);
    const throughEdge = async (): Promise<boolean> => (await ben.sourceOf(anas)) === call.edge.udp;
    await until('media to go directly', throughEdge, (through) => !through, PATIENCE_MS);
    await Promise.all([ben.flowsAgain(anas, 0, PATIENCE_MS), ana.flowsAgain(bens, 0, PATIENCE_MS)]);

    const [began, beganThere, tracks] = await Promise.all([ben.now(), ana.now(), ben.mark()]);
    const cleo = await call.enter('cleo', mode);
    await until('media to go through the edge', throughEdge, Boolean, PATIENCE_MS);
    await Promise.all([cleo.firstFrame(anas), cleo.firstFrame(bens)]);
    await Promise.all([ben.flowsAgain(anas, await ben.now(), PATIENCE_MS), ana.flowsAgain(bens, await ana.now(), PATIENCE_MS)]);
    const gap = Math.max((await ben.watched(anas, began)).longestGapMs, (await ana.watched(bens, beganThere)).longestGapMs);
    figure('longest gap, direct → edge ms', gap, { atMost: LONGEST_GAP_MS });
    assert.deepEqual(await ben.seen('trackunsubscribed', tracks), [], 'the same tracks');

    const alone = await ben.now();
    await cleo.leave();
    await until('media to go directly again', throughEdge, (through) => !through, PATIENCE_MS);
    await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
    figure('longest gap, edge → direct ms', (await ben.watched(anas, alone)).longestGapMs, { atMost: LONGEST_GAP_MS });
});
