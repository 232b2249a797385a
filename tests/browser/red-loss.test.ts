// A microphone is sent plainly until its way loses packets, then twice (RED), and plainly again when the loss is over.
//
// How RED is told from statistics: red.test.ts.

import assert from 'node:assert/strict';
import { scenario } from './harness/emulated.ts';
import { until } from './harness/wait.ts';

const HZ = 440;
/** Of all packets, those whose first copy had come already. A tenth is lost, and so is a tenth of the copies. */
const MOSTLY = 0.6;
const HARDLY = 0.1;
const PATIENCE_MS = 60_000;

await scenario(import.meta.url, 'voice over loss', 'RED under 10 % of loss, and none without', { timeoutMs: 240_000 }, async ({ call, link, figure }) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben', { behind: link, adaptation: true });
    const voice = await ben.publishMicrophone();
    await ben.replaceTone(voice, HZ);
    await ana.measureAudio(voice, 1000, [HZ]);
    const twice = async (): Promise<number> => {
        const count = (): Promise<number[]> => Promise.all(['packetsReceived', 'packetsDiscarded'].map((it) => ana.inboundCount(voice, it)));
        const before = await count();
        await new Promise((resolve) => setTimeout(resolve, 3000)); // a share of so many packets
        const [packets = 0, discarded = 0] = (await count()).map((now, at) => now - (before[at] ?? 0));
        assert.ok(packets > 40, `only ${packets} packets in three seconds`);
        return discarded / packets;
    };
    const plain = await until('frames to come once', twice, (share) => share <= HARDLY, PATIENCE_MS);
    call.figure(`without loss ${plain.toFixed(2)} of all frames come twice`);

    const [since, began] = await Promise.all([ben.mark(), ben.now()]);
    await link.set({ up: { loss: 0.1 } });
    const on = await ben.sees({ type: 'adapted', what: 'uplink', step: 'red', active: true }, { since, ms: PATIENCE_MS });
    figure('RED after ms of loss', on.at - began, { atMost: 6000 });
    // The offer that it takes goes over the same way, and TCP is slow there.
    const lossy = await until('frames to come twice', twice, (share) => share >= MOSTLY, PATIENCE_MS);
    call.figure(`with 10 % ${lossy.toFixed(2)}`);

    await link.set({ up: { loss: 0 } });
    const healed = await ben.now();
    const off = await ben.sees({ type: 'adapted', what: 'uplink', step: 'red', active: false }, { since, ms: PATIENCE_MS });
    figure('plain again after ms', off.at - healed);
    await until('frames to come once', twice, (share) => share <= HARDLY, PATIENCE_MS);
    assert.deepEqual(await ana.seen('trackunsubscribed', 0), []);
});
