// As tcp.test.ts, for Firefox, which can't be steered from outside a network that it is alone in: here nobody has UDP.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const PATIENCE_MS = 40_000;

await inOwnNetwork(import.meta.url, ({ announce, cutUdp, mendUdp }) => {
    const options = { host: announce, timeoutMs: 150_000 };

    callTest('N7a firefox: UDP blocked from the start: media over TCP', { ...options, before: async () => cutUdp(), after: async () => mendUdp() }, async (call) => {
        const ana = await call.enter('ana');
        const anas = await ana.publishPicture({ pattern: 0 });
        const ben = await call.enter('ben', { kind: 'firefox' });
        const joined = await ben.now();
        await ben.watch(anas);
        call.figure(`pictures ${((await ben.flowsAgain(anas, 0, PATIENCE_MS)) - joined).toFixed(0)} ms after joining`);
        const bens = await ben.publishPicture({ pattern: 1 });
        await shows(() => ana.measureVideo(bens, 2000), 1);
        await shows(() => ben.measureVideo(anas, 2000), 0);
        assert.equal((await ben.mediaPath()).protocol, 'tcp');
        assert.equal((await call.edge.stats()).total.core.transports_over_tcp, 2);
    });

    callTest('N7b firefox: UDP killed in mid-call: TCP takes over', options, async (call) => {
        const ana = await call.enter('ana');
        const ben = await call.enter('ben', { kind: 'firefox' });
        const anas = await ana.publishPicture({ pattern: 0 });
        await ben.watch(anas);
        await ben.flowsAgain(anas, 0, PATIENCE_MS);
        const protocol = async (): Promise<string | undefined> => (await ben.mediaPath()).protocol;
        await until('media to go by UDP', protocol, (it) => it === 'udp', PATIENCE_MS);
        const cut = await ben.now();
        cutUdp();
        try {
            const silent = 500; // Not the pictures that were already on their way.
            call.figure(`pictures again ${((await ben.flowsAgain(anas, cut + silent, PATIENCE_MS)) - cut).toFixed(0)} ms after UDP was cut`);
            for (const page of [ana, ben]) {
                const steps = (await page.seen('reconnecting', 0)).map(({ step, reason }) => `${step} (${reason})`);
                call.figure(`${page.identity}: ${steps.join(', ')}`);
            }
            await until('media to go over TCP', protocol, (it) => it === 'tcp', PATIENCE_MS);
            assert.deepEqual((await ana.participants()).map(({ id }) => id), [ben.id], 'the same participant');
        } finally {
            mendUdp();
        }
    });
});
