// Browsers by WHIP and WHEP, with participants of the SDK in the same room. Other clients: tests/interop.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { hears, shows } from './harness/verdict.ts';
import type { WhipPage } from './page/whip-contract.ts';

const TONES = [440, 610];

callTest('what a browser publishes by WHIP is seen with the SDK and by WHEP', {}, async (call) => {
    const url = (protocol: string): string => `http://${call.edge.http}/${protocol}/${call.room}`;
    const ana = await call.enter('ana');
    const encoder = await call.open<WhipPage>('whip', 'encoder');
    await encoder.publish(url('whip'), await call.edge.token(call.room, 'encoder'), { pattern: 2 }, 440);
    const player = await call.open<WhipPage>('whip', 'player');
    await player.play(url('whep'), await call.edge.token(call.room, 'player'));

    const picture = await ana.publicationOf('encoder', 'camera');
    const tone = await ana.publicationOf('encoder', 'microphone');
    await Promise.all([shows(() => ana.measureVideo(picture, 3000), 2), shows(() => player.measureVideo(3000), 2)]);
    await Promise.all([hears(() => ana.measureAudio(tone, 1500, TONES), 440, TONES), hears(() => player.measureAudio(1500, TONES), 440, TONES)]);

    assert.equal(await encoder.end(), 200);
    assert.equal(await player.end(), 200);
});
