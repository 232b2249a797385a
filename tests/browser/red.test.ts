// Without adaptation microphones are sent with RED, each frame twice (RFC 2198), unless the application says no. By loss: red-loss.test.ts.
//
// Chromium's statistics call both audio/opus: they name what is inside. But they count as discarded each frame that came a
// second time and was not needed, and without loss none is needed.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { comesTrue, hears } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const RED_HZ = 440;
const PLAIN_HZ = 880;
const TONES = [RED_HZ, PLAIN_HZ];
/** Frames that came twice, of all packets. Measured: 1.00 and 0.00; a late packet now and then is discarded too. */
const MOSTLY = 0.8;
const HARDLY = 0.2;

callTest('a microphone arrives as RED unless it is not wanted', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    for (const { red, hz } of [{ red: true, hz: RED_HZ }, { red: false, hz: PLAIN_HZ }]) {
        const id = await ana.publishMicrophone(red ? {} : { red: false });
        await ana.replaceTone(id, hz); // a sound that the others can be sure of
        // The first moments still carry the microphone's own beeps.
        await until('the tone', () => ben.measureAudio(id, 300, TONES), ({ loudestHz }) => Math.abs(loudestHz - hz) < 15);

        const count = async (): Promise<number[]> => Promise.all(['packetsReceived', 'packetsDiscarded', 'bytesReceived'].map((it) => ben.inboundCount(id, it)));
        const grown = async (): Promise<number[]> => {
            const before = await count();
            await hears(() => ben.measureAudio(id, 2000, TONES), hz, TONES);
            return (await count()).map((now, at) => now - (before[at] ?? 0));
        };
        await comesTrue(grown, ([packets = 0, twice = 0, bytes = 0]) => {
            call.figure(`${red ? 'RED' : 'no RED'}: ${packets} packets of ${(bytes / packets).toFixed(0)} bytes, ${twice} frames came twice`);
            assert.ok(packets >= 50, `only ${packets} packets in two seconds`);
            if (red) assert.ok(twice / packets >= MOSTLY, `only ${twice} frames of ${packets} came twice`);
            else assert.ok(twice / packets <= HARDLY, `${twice} frames of ${packets} came twice`);
        });
        await ana.unpublish(id);
    }
});
