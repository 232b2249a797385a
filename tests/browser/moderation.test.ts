// Moderation: a moderator mutes, locks and removes; what was muted is neither seen nor heard, whatever its page does, and who was removed stays out.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { hears, isSilent, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';
import type { ParticipantPage } from './page/contract.ts';

const TONES = [440];

callTest('a moderator mutes, allows, locks, removes and ends', { timeoutMs: 150_000 }, async (call) => {
    const chair = await call.enter('chair', { grants: { can_moderate: true } });
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 2 });
    const tone = await ana.publishTone(440);
    await shows(() => ben.measureVideo(picture, 1500), 2);
    await hears(() => ben.measureAudio(tone, 1000, TONES), 440, TONES);

    await assert.rejects(ben.moderate('lock'), /can_moderate/);
    await chair.moderate('ask-mute', tone);
    await ana.sees({ type: 'moderated', action: 'ask-mute', publication: tone });
    for (const publication of [picture, tone]) {
        await chair.moderate('mute', publication);
        for (const page of [ana, ben, chair]) await page.sees({ type: 'moderated', action: 'mute', publication });
        await ben.sees({ type: 'publicationmuted', publication, muted: true });
        await assert.rejects(ana.setMuted(publication, false), /moderator/);
    }
    await ben.pictureStops(picture, 700);
    await until('silence after the mute', () => ben.measureAudio(tone, 300, TONES), (audio) => {
        try {
            isSilent(audio, TONES);
            return true;
        } catch {
            return false; // the caller asks again, and reports what it saw last
        }
    });
    for (const publication of [picture, tone]) {
        await chair.moderate('allow-unmute', publication);
        await ana.sees({ type: 'moderated', action: 'allow-unmute', publication });
        await ana.setMuted(publication, false);
    }
    await shows(() => ben.measureVideo(picture, 1500), 2);
    await hears(() => ben.measureAudio(tone, 1000, TONES), 440, TONES);

    await chair.moderate('lock');
    await ben.sees({ type: 'moderated', action: 'lock' });
    const outsider = await call.open<ParticipantPage>('participant', 'outsider');
    const url = `http://${call.edge.http}`;
    const locked = await outsider.refused(url, await call.edge.token(call.room, 'late'));
    assert.deepEqual([locked.name, locked.code], ['ConnectError', 'room-locked']);
    await chair.moderate('unlock');

    await chair.moderate('remove', 'ana');
    assert.match((await ana.sees({ type: 'closed' })).error ?? 'no error', /^removed/);
    await ben.sees({ type: 'participantleft', identity: 'ana', reason: 'removed' });
    const removed = await outsider.refused(url, await call.edge.token(call.room, 'ana'));
    assert.deepEqual([removed.code, removed.retryable], ['removed', false]);
    // It doesn't come back by itself: the room has two, and keeps two while a reconnection would have been through.
    const since = await ben.mark();
    await chair.moderate('readmit', 'ana');
    const again = await call.enter('ana');
    await ben.sees({ type: 'participantjoined', participant: again.id }, { since });
    assert.equal((await ben.seen('participantjoined', since)).length, 1);

    await chair.moderate('end');
    for (const page of [chair, ben, again]) assert.match((await page.sees({ type: 'closed' })).error ?? 'no error', /^room-closed/);
});
