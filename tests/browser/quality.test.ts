// How good the call is, as apps are told it: on a way without faults everything is excellent, with numbers behind it.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import { until } from './harness/wait.ts';

callTest('two pages on one machine have an excellent connection, sound and picture', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    const picture = await ana.publishPicture({ pattern: 1 });
    const tone = await ana.publishTone(440);
    await ben.nextFrame(picture);

    const sent = await ana.qualityBecomes({}, ['good', 'excellent']);
    const received = await ben.qualityBecomes({}, ['good', 'excellent']);
    const shown = await ben.qualityBecomes({ publication: picture }, ['good', 'excellent']);
    const heard = await ben.qualityBecomes({ publication: tone }, ['good', 'excellent']);
    call.figure(`sender ${sent.score}, receiver ${received.score}, picture ${shown.score}, sound ${heard.score} (MOS ${heard.evidence.meanOpinionScore?.toFixed(2)})`);

    for (const { score, contributions, evidence } of [sent, received, shown, heard]) {
        const lost = Object.values(contributions).reduce<number>((sum, points) => sum + (points ?? 0), 0);
        assert.ok(Math.abs(score + lost - 100) < 1, `${score} and ${JSON.stringify(contributions)} don't make 100`);
        assert.ok((evidence.rttMs ?? Infinity) < 1000, JSON.stringify(evidence)); // a busy machine answers late; seconds would be another unit
    }
    // Rates need two readings: the numbers are there a second later at the latest.
    const counted = await until('frames to be counted', () => ben.qualityBecomes({ publication: picture }, ['good', 'excellent']), ({ evidence }) => (evidence.framesPerSecond ?? 0) > 5);
    assert.equal(counted.evidence.linesAsked, counted.evidence.lines, JSON.stringify(counted));
    const listened = await until('sound to be counted', () => ben.qualityBecomes({ publication: tone }, ['good', 'excellent']), ({ evidence }) => evidence.bufferMs !== undefined && (evidence.meanOpinionScore ?? 0) > 3.5);
    call.figure(`sound then ${JSON.stringify(listened.evidence)}`);

    await ana.setMuted(picture, true);
    await ben.qualityBecomes({ publication: picture }, ['unknown']);
    await ben.qualityBecomes({ publication: tone }, ['good', 'excellent']);
});
