// The edge needs no SDK on the other side: a client that speaks JSON meets one that uses the SDK.

import { callTest } from './harness/call.ts';
import { hears, shows } from './harness/verdict.ts';
import type { ForeignPage } from './page/contract.ts';

const TONES = [440, 610];

callTest('a JSON client and the SDK see and hear each other', {}, async (call) => {
    const foreign = await call.open<ForeignPage>('foreign', 'foreign');
    const itself = await foreign.join(`http://${call.edge.http}`, await call.edge.token(call.room, 'foreign'), { pattern: 2 }, 440);
    const ana = await call.enter('ana');
    const picture = await ana.publishPicture({ pattern: 4 });
    const tone = await ana.publishTone(610);

    await Promise.all([shows(() => ana.measureVideo(itself.picture, 3000), 2), shows(() => foreign.measureVideo(picture, 3000), 4)]);
    await Promise.all([
        hears(() => ana.measureAudio(itself.tone, 1500, TONES), 440, TONES),
        hears(() => foreign.measureAudio(tone, 1500, TONES), 610, TONES),
    ]);
});
