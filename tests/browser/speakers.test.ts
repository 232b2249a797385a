// Who speaks: everybody is told who makes a sound, and when it changes.

import { callTest } from './harness/call.ts';

callTest('the speakers are those who make a sound', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const cleo = await call.enter('cleo');
    const anas = await ana.publishTone(440);
    const bens = await ben.publishTone(610);
    await ben.setAudible(bens, false);
    await cleo.sees({ type: 'speakerschanged', speakers: ['ana'] });
    await ben.sees({ type: 'speakerschanged', speakers: ['ana'] });

    let since = await cleo.mark();
    await ana.setAudible(anas, false);
    await ben.setAudible(bens, true);
    await cleo.sees({ type: 'speakerschanged', speakers: ['ben'] }, { since });

    since = await cleo.mark();
    await ben.setAudible(bens, false);
    await cleo.sees({ type: 'speakerschanged', speakers: [] }, { since });
});
