// libdatachannel is what OBS publishes with: H.264 and Opus from it by WHIP, seen and heard with the SDK.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { DatachannelEncoder } from './harness/datachannel-encoder.ts';
import { hears, shows } from './harness/verdict.ts';

const HZ = 610;
const TONES = [440, HZ];

callTest('what libdatachannel publishes by WHIP, as OBS does, is seen and heard', {}, async (call) => {
    const ana = await call.enter('ana');
    const url = `http://${call.edge.http}/whip/${call.room}`;
    const encoder = await DatachannelEncoder.publish({ url, token: await call.edge.token(call.room, 'encoder'), pattern: 2, hz: HZ });
    try {
        const [picture, tone] = [await ana.publicationOf('encoder', 'camera'), await ana.publicationOf('encoder', 'microphone')];
        const seen = await shows(() => ana.measureVideo(picture, 3000), 2);
        const margin = await hears(() => ana.measureAudio(tone, 1500, TONES), HZ, TONES);
        call.figure(`Chromium decodes ${seen.decodedPerSecond.toFixed(1)} frames/s of libdatachannel, tone ${margin.toFixed(0)} dB above the other`);
        assert.equal(await encoder.end(), 200);
        await ana.sees({ type: 'participantleft', identity: 'encoder', reason: 'left' });
    } finally {
        await encoder.close();
    }
});
