// The media path is cut while signalling goes on: everybody stays who they are, and pictures come back soon after the network does.

import assert from 'node:assert/strict';
import { setTimeout as pass } from 'node:timers/promises';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { shows } from './harness/verdict.ts';

await inOwnNetwork(import.meta.url, ({ announce, cutUdp, mendUdp }) => {
    for (const seconds of [5, 25]) {
        callTest(`media cut for ${seconds} s comes back to the same participant`, { udp: announce, timeoutMs: 180_000 }, async (call) => {
            const ana = await call.enter('ana');
            const ben = await call.enter('ben');
            const anas = await ana.publishPicture({ pattern: 0 });
            const bens = await ben.publishPicture({ pattern: 1 });
            await Promise.all([ana.firstFrame(bens), ben.firstFrame(anas)]);
            // Beats have come back by now: silence means something.
            await Promise.all([ana.measureVideo(bens, 2000), ben.measureVideo(anas, 2000)]);

            const [since, bensMark] = [await ana.mark(), await ben.mark()];
            const cut = performance.now();
            cutUdp();
            await Promise.all([ana, ben].map((page, at) => page.sees({ type: 'statechanged', state: 'reconnecting' }, { since: [since, bensMark][at] ?? 0 })));
            call.figure(`noticed by both after ${(performance.now() - cut).toFixed(0)} ms`);
            await pass(seconds * 1000);
            const mended = performance.now();
            mendUdp();
            const back = await ana.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since, ms: 30_000 });
            await ben.sees({ type: 'statechanged', state: 'connected', previous: 'reconnecting' }, { since: bensMark, ms: 30_000 });
            call.figure(`cut for ${seconds} s; both connected ${(performance.now() - mended).toFixed(0)} ms after the network was back (${back.reason})`);

            // A fresh transport begins with small pictures and few of them: its way has yet to be measured.
            const shown = Promise.all([shows(() => ana.measureVideo(bens, 2000), 1), shows(() => ben.measureVideo(anas, 2000), 0)]);
            await shown.finally(async () => {
                for (const [page, from] of [[ana, since], [ben, bensMark]] as const) {
                    const steps = await page.seen('reconnecting', from);
                    call.figure(`${page.identity}: ${steps.map(({ step, reason, at }) => `${step} (${reason}) at ${at.toFixed(0)}`).join(', ')}`);
                }
            });
            assert.deepEqual((await ben.participants()).map(({ id }) => id), [ana.id], 'the same participant');
            for (const type of ['participantleft', 'publicationremoved', 'trackunsubscribed', 'localunpublished']) {
                assert.deepEqual(await ben.seen(type, bensMark), []);
                assert.deepEqual(await ana.seen(type, since), []);
            }
        });
    }
});
