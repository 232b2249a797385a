// A publisher's browser gets too little of the processor: it sends less within seconds, the call goes on, and when there is
// processor again it sends what it did before.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { until } from '../harness/wait.ts';

const STARVED_CORES = 0.25;
const PATIENCE_MS = 60_000;
/** Long enough for several rungs of the ladder. */
const STARVED_MS = 10_000;
const SETTLED_MS = 5000;

await scenario(import.meta.url, 'cpu starved', 'sends less, then as before', { timeoutMs: 300_000 }, async ({ call, figure }) => {
    const share = call.cpuShare();
    const ana = await call.enter('ana', { cpu: share, adaptation: true });
    const ben = await call.enter('ben');
    const anas = await ana.publishPicture({ pattern: 0, width: 1280, height: 720, noise: 0.2 });
    await ben.publicationOf('ana', 'camera');
    await ben.prefer(anas, { width: 1280, height: 720 });
    await ben.pictureBecomes(anas, 1280, PATIENCE_MS);
    await ben.watch(anas);
    await ben.flowsAgain(anas, 0, PATIENCE_MS);
    const before = await settled(() => ana.askedOfEncoder(anas));

    const [since, began] = await Promise.all([ana.mark(), ana.now()]);
    const starvedAt = Date.now();
    share.limit(STARVED_CORES);
    const down = await ana.sees({ type: 'adapted', what: 'cpu', active: true }, { since, ms: PATIENCE_MS });
    figure('first rung after ms', down.at - began, { atMost: 6000 });
    await ana.askedOfEncoderIs(anas, before, false, PATIENCE_MS);
    figure('sends less, as seen from outside, after ms', Date.now() - starvedAt); // a starved page answers late
    await new Promise((resolve) => setTimeout(resolve, STARVED_MS)); // how long it is starved
    await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
    const fedAt = Date.now();
    share.limit(undefined);
    await ana.askedOfEncoderIs(anas, before, true, 2 * PATIENCE_MS);
    figure('sends as before after ms', Date.now() - fedAt, { atMost: 60_000 });
    await ben.pictureBecomes(anas, 1280, PATIENCE_MS);
    assert.equal(await ana.state(), 'connected');
    const taken = (await ana.seen('adapted', since)).map(({ step, active, reason }) => `${active ? '-' : '+'}${step} (${reason})`);
    call.figure(`rungs: ${taken.join(', ')}`);
    assert.equal(down.active, true);
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
