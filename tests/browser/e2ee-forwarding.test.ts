// What is sealed from end to end goes through an edge that can't read it: codecs, sizes, late comers, direct connections.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import type { ParticipantPage } from './page/contract.ts';

const KEY = { passphrase: 'correct horse battery staple' };

callTest('the edge forwards what it cannot read: every codec, sizes, late comers', { timeoutMs: 150_000 }, async (call) => {
    const ben = await call.enter('ben', KEY);
    for (const [pattern, codec] of (['vp8', 'vp9', 'h264'] as const).entries()) {
        const ana = await call.enter(`ana-${codec}`, KEY);
        // Sizes by simulcast, of VP9 too.
        const id = await ana.publishPicture({ pattern, width: 640, height: 360 }, { codec, scalabilityMode: 'L1T1' });
        await shows(() => ben.measureVideo(id, 2000), pattern);
        assert.ok((await ben.codecOf(id))?.toLowerCase().includes(codec), `${codec} was asked for, ${await ben.codecOf(id)} arrives`);
        // A change of sizes waits for a key frame, or for a layer that stands alone: the edge finds both.
        await ben.pictureBecomes(id, 640);
        await ben.prefer(id, { width: 320, height: 180 });
        call.figure(`${codec}: smaller after ${(await ben.pictureBecomes(id, 320)).toFixed(0)} ms`);
        await ben.prefer(id, { width: 640, height: 360 });
        call.figure(`${codec}: larger after ${(await ben.pictureBecomes(id, 640)).toFixed(0)} ms`);
        const late = await call.enter(`late-${codec}`, KEY);
        await shows(() => late.measureVideo(id, 2000), pattern);
        await late.leave();
        await ana.leave();
    }
    const ana = await call.enter('ana', KEY);
    await assert.rejects(ana.publishPicture({ pattern: 3 }, { codec: 'av1' }), /AV1 can't be sealed/);
    assert.equal(await ana.state(), 'connected');
});

callTest('one participant publishes one codec after the other', { timeoutMs: 120_000 }, async (call) => {
    const [ana, ben] = [await call.enter('ana', KEY), await call.enter('ben', KEY)];
    // One of each beside the others, then one in the place of another.
    const size = { width: 640, height: 360 };
    const beside: string[] = [];
    for (const [pattern, codec] of (['vp8', 'vp9', 'h264'] as const).entries()) {
        const id = await ana.publishPicture({ pattern, ...size }, { codec, scalabilityMode: 'L1T1', source: 'other' });
        await shows(() => ben.measureVideo(id, 1500), pattern);
        beside.push(id);
    }
    for (const id of beside) await ana.unpublish(id);
    for (const [pattern, codec] of (['vp8', 'vp9', 'h264', 'vp8', 'h264'] as const).entries()) {
        const id = await ana.publishPicture({ pattern, ...size }, { codec, scalabilityMode: 'L1T1' });
        await shows(() => ben.measureVideo(id, 1500), pattern);
        await ana.unpublish(id);
    }
});

callTest('two that talk directly seal as well', { timeoutMs: 90_000 }, async (call) => {
    const grants = { grants: { mode: 'auto' } };
    const ana = await call.enter('ana', { ...KEY, ...grants });
    const ben = await call.enter('ben', { ...KEY, ...grants });
    const picture = await ana.publishPicture({ pattern: 5 });
    await ben.sees({ type: 'pathchanged', identity: 'ana', path: 'direct' });
    await shows(() => ben.measureVideo(picture, 2000), 5);
});

callTest('a browser that hands frames out as streams only takes part', { timeoutMs: 60_000 }, async (call) => {
    const ben = await call.enter('ben', KEY);
    const ana = await call.open<ParticipantPage>('participant', 'ana');
    // As Chromium was for years.
    await ana.tab.page.evaluate('delete globalThis.RTCRtpScriptTransform');
    await ana.join(`http://${call.edge.http}`, await call.edge.token(call.room, 'ana'), { ...KEY, adaptation: false, adaptiveStream: false });
    const [hers, his] = [await ana.publishPicture({ pattern: 1 }), await ben.publishPicture({ pattern: 2 })];
    await shows(() => ben.measureVideo(hers, 2000), 1);
    await shows(() => ana.measureVideo(his, 2000), 2);
});
