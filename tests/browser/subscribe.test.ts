// Subscriptions by choice: nothing comes unasked, everything asked for comes, and it stops when it is no longer wanted.

import assert from 'node:assert/strict';
import { callTest, type Call } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

callTest('without autoSubscribe, media comes when asked for and stops when not', {}, async (call) => {
    const ana = await call.enter('ana');
    const picture = await ana.publishPicture({ pattern: 4 });
    const ben = await call.enter('ben', { autoSubscribe: false });
    assert.equal(await ben.publicationOf('ana', 'camera'), picture);
    assert.deepEqual(await ben.seen('tracksubscribed', 0), []);

    for (const round of [1, 2]) {
        const since = await ben.mark();
        const asked = Date.now();
        await ben.subscribe(picture, true);
        await ben.sees({ type: 'tracksubscribed', publication: picture }, { since });
        await ben.nextFrame(picture);
        call.figure(`subscription ${round}: first frame within ${Date.now() - asked} ms`);
        await shows(() => ben.measureVideo(picture, 1500), 4);
        await ben.subscribe(picture, false);
        await ben.sees({ type: 'trackunsubscribed', publication: picture }, { since });
        // Nothing is sent to anybody now: ana has nobody else to be forwarded to.
        await until('the edge to forward nothing', () => forwardedIn(call, 500), (packets) => packets === 0);
    }
});

/** Media packets that the edge forwards in `ms`: a dozen and more while a picture is watched. */
async function forwardedIn(call: Call, ms: number): Promise<number> {
    const count = async (): Promise<number> => (await call.edge.stats()).total.core['packets_forwarded'] ?? NaN;
    const before = await count();
    await new Promise((resolve) => setTimeout(resolve, ms));
    return (await count()) - before;
}
