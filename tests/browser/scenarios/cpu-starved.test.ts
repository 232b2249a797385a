// A publisher's browser gets too little of the processor: it sends less within seconds, the call goes on, and when there is
// processor again it sends what it did before.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { until } from '../harness/wait.ts';

const STARVED_CORES = 0.25;
const PATIENCE_MS = 60_000;

await scenario(import.meta.url, 'cpu starved', 'sends less, then as before', { timeoutMs: 240_000 }, async ({ call, figure }) => {
    const share = call.cpuShare();
    const ana = await call.enter('ana', { cpu: share });
    const ben = await call.enter('ben');
    const anas = await ana.publishPicture({ pattern: 0, width: 1280, height: 720, noise: 0.2 });
    await ben.prefer(anas, { width: 1280, height: 720 });
    await ben.pictureBecomes(anas, 1280, PATIENCE_MS);
    await ben.watch(anas);
    await ben.flowsAgain(anas, 0, PATIENCE_MS);
    const before = await settled(() => ana.askedOfEncoder(anas));

    share.limit(STARVED_CORES);
    figure('sends less after ms', await ana.askedOfEncoderIs(anas, before, false, PATIENCE_MS), { atMost: 6000 });
    await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
    share.limit(undefined);
    figure('sends as before after ms', await ana.askedOfEncoderIs(anas, before, true, PATIENCE_MS), { atMost: 30_000 });
    await ben.pictureBecomes(anas, 1280, PATIENCE_MS);
    assert.equal(await ana.state(), 'connected');
});

/** The answer once it has been the same for a while: the edge switches encodings off that nobody watches, soon after the start. */
async function settled(ask: () => Promise<string>): Promise<string> {
    let [last, since] = ['', 0];
    const look = async (): Promise<string> => {
        const now = await ask();
        if (now !== last) [last, since] = [now, Date.now()];
        return now;
    };
    return until('the encoders to be left alone', look, () => Date.now() - since > SETTLED_MS, PATIENCE_MS);
}

const SETTLED_MS = 5000;
