// Who joins a call that has been going on gets a picture at once, not at the publisher's next key frame (which, unasked,
// may be minutes away).

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { median, shows } from './harness/verdict.ts';

/**
 * From the transport to the first frame. Measured: 12 to 96 ms on a busy machine when the first key frame arrives, and 500 more when
 * it is missed, since the edge asks a publisher twice a second at most. Nobody would ask in the worst case.
 */
const AT_ONCE = { target: 350, atWorst: 5000 };

callTest('a late joiner sees the first frame at once', {}, async (call) => {
    const ana = await call.enter('ana');
    const picture = await ana.publishPicture({ pattern: 5 });
    const ben = await call.enter('ben');
    await shows(() => ben.measureVideo(picture, 3000), 5);
    const times: number[] = [];
    for (const name of ['cleo', 'dina', 'eli']) {
        const late = await call.enter(name);
        const { sinceJoin, sinceConnected } = await late.firstFrame(picture);
        call.figure(
            `${name}: joined in ${late.joinMs.toFixed(0)} ms, first frame ${sinceJoin.toFixed(0)} ms after connect was called ` +
                `and ${sinceConnected.toFixed(0)} ms after the transport was there`,
        );
        times.push(sinceConnected);
        assert.equal((await late.nextFrame(picture)).pattern, 'cyan-green-blue');
        await late.leave();
        await late.tab.close();
    }
    call.took('first frame after the transport was there, the median', median(times), AT_ONCE);
});
