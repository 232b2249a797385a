// A publisher's browser gets too little of the processor: it sends less within seconds, the call goes on, and when there is
// processor again it sends what it did before.

import assert from 'node:assert/strict';
import { scenario } from '../harness/emulated.ts';

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
    const before = await ana.askedOfEncoder(anas);

    share.limit(STARVED_CORES);
    figure('sends less after ms', await ana.askedOfEncoderIs(anas, before, false, PATIENCE_MS), { atMost: 6000 });
    await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
    share.limit(undefined);
    figure('sends as before after ms', await ana.askedOfEncoderIs(anas, before, true, PATIENCE_MS), { atMost: 30_000 });
    await ben.pictureBecomes(anas, 1280, PATIENCE_MS);
    assert.equal(await ana.state(), 'connected');
});
