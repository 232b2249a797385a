// A publication ends and another takes its place: the others see the one go and the other come, never one as the other.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { shows } from './harness/verdict.ts';

callTest('unpublish and publish again, four times', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const ids = new Set<string>();
    for (const pattern of [0, 1, 2, 3]) {
        const since = await ben.mark();
        const id = await ana.publishPicture({ pattern });
        await ben.sees({ type: 'publicationadded', publication: id, identity: 'ana', source: 'camera' }, { since });
        await shows(() => ben.measureVideo(id, 1500), pattern);
        await ana.unpublish(id);
        await ben.sees({ type: 'trackunsubscribed', publication: id }, { since });
        await ben.sees({ type: 'publicationremoved', publication: id }, { since });
        await ana.sees({ type: 'localunpublished', publication: id });
        ids.add(id);
    }
    assert.equal(ids.size, 4, 'publication ids are not used again');
    const [others] = await ben.participants();
    assert.deepEqual(others?.publications, []);
});

// Chromium uses the section again, with the SSRCs it had there and no names on the packets.
callTest('several sizes are published again where others were before', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    for (const pattern of [0, 1, 2]) {
        const picture = await ana.publishPicture({ pattern, width: 960, height: 540 });
        await ben.pictureBecomes(picture, 960);
        await shows(() => ben.measureVideo(picture, 1500), pattern);
        assert.deepEqual((await ana.outgoing(picture)).map(({ rid }) => rid), ['q', 'h', 'f']);
        await ana.unpublish(picture);
        await ben.sees({ type: 'publicationremoved', publication: picture });
    }
});
