// Role-based forwarding: in an arena judges and players hear and see, the audience sees and hears nothing.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { hears, shows } from './harness/verdict.ts';

const TONES = [440, 660];
const ARENA = ['--policy', 'arena=judge player: audio video; audience: video from player'];

callTest('the audience of an arena sees the players and hears nobody', { flags: ARENA }, async (call) => {
    const grants = (role: string) => ({ grants: { role, policy: 'arena' } });
    const player = await call.enter('player', grants('player'));
    const early = await call.enter('early', grants('audience'));
    const judge = await call.enter('judge', grants('judge'));
    const picture = await player.publishPicture({ pattern: 3 });
    const tone = await player.publishTone(440);
    const verdict = await judge.publishTone(660);
    const late = await call.enter('late', grants('audience'));

    await hears(() => judge.measureAudio(tone, 1000, TONES), 440, TONES);
    await hears(() => player.measureAudio(verdict, 1000, TONES), 660, TONES);
    for (const viewer of [early, late]) {
        await shows(() => viewer.measureVideo(picture, 1500), 3);
        const known = (await viewer.participants()).flatMap(({ publications }) => publications);
        assert.deepEqual(known, [picture], 'nothing else is offered');
        await assert.rejects(viewer.subscribe(tone, true), /nobody publishes/);
    }
    await shows(() => judge.measureVideo(picture, 1500), 3);
});
