// A publisher of VP9 gets too little of the processor for long: frames and the largest picture give way, then the codec itself, in the middle of the
// call and without an offer. Viewers go on seeing the picture.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';
import { until } from '../harness/wait.ts';
import { bandsOf } from '../page/media/pattern.ts';

const STARVED_CORES = 0.12;
const PATIENCE_MS = 90_000;

await scenario(import.meta.url, 'cpu starved, VP9', 'goes on in VP8, and comes back', { timeoutMs: 300_000 }, async ({ call, figure }) => {
    const share = call.cpuShare();
    const ana = await call.enter('ana', { cpu: share, adaptation: true });
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 0, width: 1280, height: 720, noise: 0.2 }, { codec: 'vp9' });
    await ben.publicationOf('ana', 'camera');
    await ben.watch(picture);
    await ben.flowsAgain(picture, 0, PATIENCE_MS);

    const [since, began] = await Promise.all([ana.mark(), ana.now()]);
    share.limit(STARVED_CORES);
    const changed = await ana.sees({ type: 'adapted', what: 'cpu', step: 'codec', active: true }, { since, ms: PATIENCE_MS });
    figure('codec changed after ms', changed.at - began);
    const codec = (): Promise<string | undefined> => ben.codecOf(picture);
    await until('a viewer to decode VP8', codec, (name) => name === 'video/VP8', PATIENCE_MS);
    share.limit(undefined);
    await ben.flowsAgain(picture, await ben.now(), PATIENCE_MS);
    await until('a viewer to decode VP9 again', codec, (name) => name === 'video/VP9', PATIENCE_MS);
    // Frames come back last: that there are few still is no fault.
    const { patterns } = await ben.measureVideo(picture, 2000);
    assert.deepEqual(Object.keys(patterns), [bandsOf(0).name]);
    const taken = (await ana.seen('adapted', since)).map(({ step, active, reason }) => `${active ? '-' : '+'}${step} (${reason})`);
    call.figure(`rungs: ${taken.join(', ')}`);
    assert.equal(await ana.state(), 'connected');
});
