// One byte of RTP padding makes the packets of a frame equally long, so that the edge sends them in one run. Browsers must not notice.

import assert from 'node:assert/strict';
import { callTest, type Call, type Person } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { comesTrue } from './harness/verdict.ts';
import type { DecodedVideo } from './page/contract.ts';
import { bandsOf } from './page/media/pattern.ts';

const MEASURED_MS = 5000;
/** Packets a second with padding that make the test one of padding: 40 to 50 have some on an idle machine. */
const LEAST_PADDED = 10;
/** Decoders drop a frame now and then for being late, on a machine that also encodes, paints and reads back. */
const MOST_DROPPED = 0.05;

await inOwnNetwork(import.meta.url, ({ announce }) => {
    callTest('Chromium decodes padded packets as if they were not', { udp: announce, timeoutMs: 150_000 }, async (call) => {
        const [ana, ben] = [await call.enter('ana'), await call.enter('ben')];
        for (const codec of ['vp8', 'vp9', 'h264'] as const) await decodes(call, ana, ben, codec);
    });

    callTest('Firefox decodes padded packets as if they were not', { udp: announce, timeoutMs: 150_000 }, async (call) => {
        const ana = await call.enter('ana');
        const fox = await call.enter('fox', { kind: 'firefox' });
        for (const codec of ['vp8', 'vp9'] as const) await decodes(call, ana, fox, codec);
    });
});

async function decodes(call: Call, from: Person, to: Person, codec: 'vp8' | 'vp9' | 'h264'): Promise<void> {
    const pattern = 2;
    // What noise takes at this size by default is six frames a second, of which a slow machine pads too few to say anything.
    const picture = await from.publishPicture({ pattern, noise: true }, { codec, simulcast: false, maxBitrate: 1_000_000 });
    await to.nextFrame(picture);
    const names = ['framesDecoded', 'framesDropped', 'packetsReceived', 'packetsLost', 'nackCount', 'pliCount', 'firCount', 'freezeCount'] as const;
    type Counts = Record<(typeof names)[number] | 'padded', number>;
    const counts = async (): Promise<Counts> => {
        const own = await Promise.all(names.map(async (name) => [name, await to.inboundCount(picture, name)]));
        return { ...Object.fromEntries(own), padded: (await call.edge.stats()).total.core['packets_padded'] ?? NaN } as Counts;
    };
    const measure = async (): Promise<{ video: DecodedVideo; grown: Counts }> => {
        const before = await counts();
        const video = await to.measureVideo(picture, MEASURED_MS);
        const after = await counts();
        const grown = Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Counts]])) as Counts;
        call.figure(`${to.identity}, ${codec}: ${video.decodedPerSecond.toFixed(1)} frames/s decoded; ${JSON.stringify(grown)}`);
        return { video, grown };
    };

    // How many frames a busy machine paints is not the question here: every one that was sent must be seen whole, over a time in which enough were
    // padded. If padding did harm there would be no such time.
    await comesTrue(measure, ({ video, grown }) => {
        assert.deepEqual(Object.keys(video.patterns), [bandsOf(pattern).name]);
        assert.equal(video.backwards, 0, "the publisher's counter went back");
        assert.ok(video.unreadable <= video.frames * MOST_DROPPED, `${video.unreadable} of ${video.frames} frames can't be read`);
        assert.ok(grown.padded >= (LEAST_PADDED * MEASURED_MS) / 1000, `too few packets were padded for this to say anything: ${grown.padded}`);
        for (const name of ['packetsLost', 'nackCount', 'pliCount', 'firCount'] as const) assert.equal(grown[name], 0, name);
        assert.ok(grown.framesDropped <= grown.framesDecoded * MOST_DROPPED, `${grown.framesDropped} frames dropped`);
    });
    await from.unpublish(picture);
}
