// The edge needs no SDK on the other side: a client that speaks JSON meets one that uses the SDK.

import { callTest } from './harness/call.ts';
import { carriesTone, showsPattern } from './harness/verdict.ts';
import type { ForeignPage } from './page/contract.ts';

const TONES = [440, 610];

callTest('a JSON client and the SDK see and hear each other', {}, async (call) => {
    const foreign = await call.open<ForeignPage>('foreign', 'foreign');
    const itself = await foreign.join(`http://${call.edge.http}`, await call.edge.token(call.room, 'foreign'), { pattern: 2 }, 440);
    const ana = await call.enter('ana');
    const picture = await ana.publishPicture({ pattern: 4 });
    const tone = await ana.publishTone(610);

    const [byAna, byForeign] = await Promise.all([ana.measureVideo(itself.picture, 3000), foreign.measureVideo(picture, 3000)]);
    showsPattern(byAna, 2);
    showsPattern(byForeign, 4);
    const [heardByAna, heardByForeign] = await Promise.all([
        ana.measureAudio(itself.tone, 1500, TONES),
        foreign.measureAudio(tone, 1500, TONES),
    ]);
    carriesTone(heardByAna, 440, TONES);
    carriesTone(heardByForeign, 610, TONES);
});
