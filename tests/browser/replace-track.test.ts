// What a publication carries is exchanged under it: the others see other colours, or another device, and no new publication.

import assert from 'node:assert/strict';
import { callTest, type Person } from './harness/call.ts';
import { comesTrue, hears, LEAST_FPS, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const TONES = [440, 880];
/** What publishScreen asks for unless told otherwise (docs: ScreenOptions). */
const SCREEN_FPS = 15;

callTest('replaceTrack: other colours and another tone under the same publications', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 0 });
    const tone = await ana.publishTone(440);
    await shows(() => ben.measureVideo(picture, 1500), 0);
    await hears(() => ben.measureAudio(tone, 1000, TONES), 440, TONES);

    const since = await ben.mark();
    const { pattern: before } = await ben.nextFrame(picture);
    await ana.replacePicture(picture, { pattern: 1 });
    await ana.replaceTone(tone, 880);
    await until('other colours', () => ben.nextFrame(picture), ({ pattern }) => pattern !== before);
    await shows(() => ben.measureVideo(picture, 1500), 1);
    await hears(() => ben.measureAudio(tone, 1000, TONES), 880, TONES);
    await nothingButThisHappened(ben, since);
});

callTest('switchDevice: another camera and another microphone under the same publications', {}, async (call) => {
    // Three, because Chromium 156 shows the second one's frames but encodes none of them, in a bare RTCPeerConnection too.
    const ana = await call.enter('ana', { flags: ['--use-fake-device-for-media-stream=device-count=3'] });
    const ben = await call.enter('ben');
    const camera = await ana.publishCamera();
    const microphone = await ana.publishMicrophone();
    for (const [id, kind] of [[camera, 'videoinput'], [microphone, 'audioinput']] as const) {
        await flows(ben, id);
        const since = await ben.mark();
        const from = await ana.deviceOf(id);
        const to = (await ana.devices(kind)).findLast((device) => device !== from);
        assert.ok(to, `no other ${kind}`);
        await ana.switchDevice(id, to);
        assert.equal(await ana.deviceOf(id), to);
        await flows(ben, id);
        await nothingButThisHappened(ben, since);
    }
    const { decodedPerSecond } = await comesTrue(() => ben.measureVideo(camera, 1500), (video) => {
        assert.ok(video.decodedPerSecond >= LEAST_FPS, `${video.decodedPerSecond} frames/s`);
    });
    call.figure(`the other camera: ${decodedPerSecond.toFixed(1)} frames/s decoded`);
});

callTest('publishScreen: a shared screen is seen until it is unpublished', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const id = await ana.publishScreen();
    await ben.sees({ type: 'publicationadded', publication: id, identity: 'ana', source: 'screen' });
    await comesTrue(() => ben.measureVideo(id, 2000), ({ decodedPerSecond }) => {
        call.figure(`the screen: ${decodedPerSecond.toFixed(1)} frames/s decoded`);
        assert.ok(decodedPerSecond >= SCREEN_FPS / 2 && decodedPerSecond <= SCREEN_FPS * 1.3, `${decodedPerSecond} frames/s of ${SCREEN_FPS}`);
    });
    await ana.unpublish(id);
    await ben.sees({ type: 'publicationremoved', publication: id });
});

/** Waits for more packets: ten, which even a microphone between its beeps, saving bits (DTX), sends in the time. */
async function flows(page: Person, publication: string): Promise<void> {
    const packets = (): Promise<number> => page.inboundCount(publication, 'packetsReceived');
    const before = await packets();
    await until('packets', packets, (now) => now >= before + 10);
}

async function nothingButThisHappened(page: Person, since: number): Promise<void> {
    for (const type of ['publicationadded', 'publicationremoved', 'tracksubscribed', 'trackunsubscribed', 'publicationmuted']) {
        assert.deepEqual(await page.seen(type, since), [], type);
    }
}
