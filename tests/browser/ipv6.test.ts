// A call over IPv6. Chromium reaches ::1 only from another IPv6 address of the machine, which it may not have: so this runs in
// a network of its own, with a unique local address.

import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { hears, shows } from './harness/verdict.ts';

const TONES = [440, 880];

await inOwnNetwork(import.meta.url, ({ raiseIpv6 }) => {
    callTest('media flows over IPv6', { udp: raiseIpv6() }, async (call) => {
        const people = [await call.enter('ana'), await call.enter('ben')] as const;
        const [ana, ben] = people;
        const [anas, bens] = [await ana.publishPicture({ pattern: 0 }), await ben.publishPicture({ pattern: 1 })];
        const [anasTone, bensTone] = [await ana.publishTone(440), await ben.publishTone(880)];
        await Promise.all([shows(() => ana.measureVideo(bens, 2000), 1), shows(() => ben.measureVideo(anas, 2000), 0)]);
        await hears(() => ana.measureAudio(bensTone, 1000, TONES), 880, TONES);
        await hears(() => ben.measureAudio(anasTone, 1000, TONES), 440, TONES);
        for (const page of people) {
            const path = await page.mediaPath();
            call.figure(`${page.identity}: ${JSON.stringify(path)}`);
            assert.ok(isIPv6(path.local ?? '') && isIPv6(path.remote ?? ''), 'the selected pair is not IPv6');
            assert.equal(path.protocol, 'udp');
        }
    });
});
