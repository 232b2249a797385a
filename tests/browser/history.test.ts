// What the history says of calls with media: by which way, how good, and why they ended.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callTest, type Call } from './harness/call.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

interface Session {
    identity: string;
    status: string;
    reason: string | null;
    path: string | null;
    quality_mean: number | null;
    quality_worst: number | null;
    quality_level: string | null;
}

const folder = mkdtempSync(join(tmpdir(), 'nearcast-history-'));
const options = {
    flags: ['--history', join(folder, 'history.db')],
    after: async () => rmSync(folder, { recursive: true, force: true }),
};

async function sessions({ edge, room }: Call): Promise<Session[]> {
    const response = await fetch(`http://${edge.http}/v1/history/rooms/${room}`, { signal: AbortSignal.timeout(5000) });
    assert.equal(response.status, 200);
    return ((await response.json()) as { sessions: Session[] }).sessions;
}

callTest('a call that is over is told of with its way, its quality and its end', options, async (call) => {
    const ana = await call.enter('ana', { direct: false });
    const ben = await call.enter('ben', { direct: false });
    const picture = await ana.publishPicture({ pattern: 0 });
    await shows(() => ben.measureVideo(picture, 1500), 0);
    // The edge scores both once a second, and tells what it finds.
    for (const [one, other] of [[ana, ben], [ben, ana]] as const) await one.qualityBecomes({ participant: other.id }, ['excellent', 'good', 'poor']);
    await ben.leave();
    await ana.leave();
    const ended = await until('both to be written', () => sessions(call), (all) => all.length === 2 && all.every(({ status }) => status === 'ended'));
    for (const session of ended) {
        const { identity, reason, path, quality_mean: mean, quality_worst: worst, quality_level: level } = session;
        assert.deepEqual({ reason, path }, { reason: 'left', path: 'udp' }, identity);
        assert.ok(mean !== null && worst !== null && worst <= mean && mean <= 100, JSON.stringify(session));
        assert.ok(['excellent', 'good', 'poor', 'lost'].includes(level ?? ''), JSON.stringify(session));
    }
    call.figure(ended.map(({ identity, quality_mean: mean, quality_level: level }) => `${identity}: ${mean}, at worst ${level}`).join('; '));
});
