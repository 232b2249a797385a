// No UDP reaches the edge any more (nor TCP for media), but WebSockets do and UDP to others too: media goes directly, and through the edge again
// when that is possible.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { until } from '../harness/wait.ts';

const PATIENCE_MS = 60_000;

await scenario(import.meta.url, 'udp to the edge blocked', 'directly, and back to the edge', { timeoutMs: 240_000, flags: ['--tcp', 'off'] }, async ({ call, link, figure }) => {
    const mode = { grants: { mode: 'auto' } };
    const people = [await call.enter('ana', mode), await call.enter('ben', { behind: link, ...mode }), await call.enter('cleo', mode)] as const;
    const [ana, ben] = people;
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    await Promise.all([ben.watch(anas), ana.watch(bens)]);
    const throughEdge = async (): Promise<boolean> => (await ben.sourceOf(anas)) === call.edge.udp;
    await until('media to go through the edge: they are three', throughEdge, Boolean, PATIENCE_MS);
    await Promise.all([ben.flowsAgain(anas, 0, PATIENCE_MS), ana.flowsAgain(bens, 0, PATIENCE_MS)]);

    const [blocked, blockedThere] = await Promise.all([ben.now(), ana.now()]);
    await link.set({ block: { udp_port: Number(call.edge.udp.split(':').at(-1)) } });
    // Not the pictures that were already there.
    const silent = 1000;
    figure('received: back after ms', (await ben.flowsAgain(anas, blocked + silent, PATIENCE_MS)) - blocked, { atMost: 3000 });
    figure('sent: back after ms', (await ana.flowsAgain(bens, blockedThere + silent, PATIENCE_MS)) - blockedThere, { atMost: 3000 });
    assert.equal(await throughEdge(), false);

    await link.set({ block: 'nothing' });
    const unblocked = await ben.now();
    await until('media to go through the edge again', throughEdge, Boolean, PATIENCE_MS);
    await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
    figure('longest gap on the way back ms', (await ben.watched(anas, unblocked)).longestGapMs, { atMost: 300 });
    assert.deepEqual((await ana.participants()).map(({ id }) => id).sort(), [ben.id, people[2].id].sort(), 'the same participants');
});
