// One participant publishes a camera, a microphone, a screen and its sound: any MediaStreamTrack will do, and the other
// side can tell them apart.

import { callTest } from './harness/call.ts';
import { hears, shows } from './harness/verdict.ts';

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
    await Promise.all(
        ([['camera', 0], ['screen', 3]] as const).map(async ([source, pattern]) => {
            const picture = await ben.publicationOf('ana', source);
            await shows(() => ben.measureVideo(picture, 2000), pattern);
        }),
    );
    await Promise.all(
        ([['microphone', 440], ['screen-audio', 610]] as const).map(async ([source, hz]) => {
            const sound = await ben.publicationOf('ana', source);
            await hears(() => ben.measureAudio(sound, 1500, TONES), hz, TONES);
        }),
    );
});
