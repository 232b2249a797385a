// One participant publishes a camera, a microphone, a screen and its sound: any MediaStreamTrack will do, and the other
// side can tell them apart.

import { callTest } from './harness/call.ts';
import { carriesTone, showsPattern } from './harness/verdict.ts';

const TONES = [440, 610];

callTest('camera, screen and both sounds of one participant stay apart', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    await Promise.all([
        ana.publishPicture({ pattern: 0 }),
        ana.publishPicture({ pattern: 3 }, { source: 'screen' }),
        ana.publishTone(440),
        ana.publishTone(610, { source: 'screen-audio' }),
    ]);
    const [camera, screen] = await Promise.all(
        (['camera', 'screen'] as const).map(async (source) => ben.measureVideo(await ben.publicationOf('ana', source), 2000)),
    );
    showsPattern(camera!, 0);
    showsPattern(screen!, 3);
    const [voice, music] = await Promise.all(
        (['microphone', 'screen-audio'] as const).map(async (source) => ben.measureAudio(await ben.publicationOf('ana', source), 1500, TONES)),
    );
    carriesTone(voice!, 440, TONES);
    carriesTone(music!, 610, TONES);
});
