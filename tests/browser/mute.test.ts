// Muting: the others are told, and the media really stops; unmuting brings it back.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { hears, isSilent, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const TONES = [440];

callTest('mute and unmute are seen, and heard', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 2 });
    const tone = await ana.publishTone(440);
    await shows(() => ben.measureVideo(picture, 1500), 2);
    await hears(() => ben.measureAudio(tone, 1000, TONES), 440, TONES);

    for (const publication of [picture, tone]) {
        await ana.setMuted(publication, true);
        await ben.sees({ type: 'publicationmuted', publication, muted: true, identity: 'ana' });
        await ana.sees({ type: 'publicationmuted', publication, muted: true, identity: 'ana' });
        assert.equal(await ben.isMuted(publication), true);
    }
    await ben.pictureStops(picture, 700);
    await until('silence after muting', () => ben.measureAudio(tone, 300, TONES), (audio) => passes(() => isSilent(audio, TONES)));

    // Whoever comes now is told, too.
    const cleo = await call.enter('cleo');
    assert.equal(await cleo.isMuted(await cleo.publicationOf('ana', 'camera')), true);

    for (const publication of [picture, tone]) await ana.setMuted(publication, false);
    await ben.sees({ type: 'publicationmuted', publication: picture, muted: false });
    await ben.sees({ type: 'publicationmuted', publication: tone, muted: false });
    const { ms } = await ben.nextFrame(picture);
    call.figure(`first frame ${ms.toFixed(0)} ms after ben knew of the unmuting`);
    for (const page of [ben, cleo]) {
        await shows(() => page.measureVideo(picture, 1500), 2);
        await hears(() => page.measureAudio(tone, 1000, TONES), 440, TONES);
    }
});

function passes(verdict: () => void): boolean {
    try {
        verdict();
        return true;
    } catch {
        return false; // the caller asks again, and reports what it saw last
    }
}
