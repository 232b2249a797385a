// Firefox and Chromium talk directly.

import { networkInterfaces } from 'node:os';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const AUTO = { grants: { mode: 'auto' } };
const PATIENCE_MS = 20_000;
/** Firefox 153 goes on sending a sound whose encoding is switched off, fifty packets a second; and one comes late. */
const SOUND_PER_SECOND = 51;
/** An address of this machine that others could reach: with direct connections to that, Firefox drops what goes over the loopback. */
const udp = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';

callTest('Firefox and Chromium talk directly, and through the edge when a third one comes', { timeoutMs: 120_000, udp }, async (call) => {
    const ana = await call.enter('ana', AUTO);
    const ben = await call.enter('ben', { kind: 'firefox', ...AUTO });
    const [anas, bens] = [await ana.publishPicture({ pattern: 0 }), await ben.publishPicture({ pattern: 1 })];
    const [microphone, tone] = [await ben.publishMicrophone(), await ana.publishTone(440)];
    const way = (wanted: string) =>
        Promise.all([
            until('ana to get it so', () => ana.pathOf('ben'), (path) => path === wanted, PATIENCE_MS),
            until('ben to get it so', () => ben.pathOf('ana'), (path) => path === wanted, PATIENCE_MS),
        ]);
    const see = async (): Promise<void> => {
        await shows(() => ben.measureVideo(anas, 2000), 0);
        await shows(() => ana.measureVideo(bens, 2000), 1);
    };
    await way('direct');
    await see();
    const forwarded = async (): Promise<number> => (await call.edge.stats()).total.core['packets_forwarded'] ?? NaN;
    await until('the edge to forward no more than a sound for a second', async () => {
        const before = await forwarded();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        return (await forwarded()) - before;
    }, (packets) => packets <= SOUND_PER_SECOND, PATIENCE_MS);
    const heard = await Promise.all([ana.inboundCount(microphone, 'packetsReceived'), ben.inboundCount(tone, 'packetsReceived')]);
    call.figure(`packets of sound received directly: ${heard.join(' and ')}`);
    await call.enter('cleo', AUTO);
    await way('edge');
    await see();
});
