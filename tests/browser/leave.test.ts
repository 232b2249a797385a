// Leaving and vanishing: the others are told how, and nothing stays behind in the edge.

import assert from 'node:assert/strict';
import { callTest, type Call, type Person } from './harness/call.ts';
import { until } from './harness/wait.ts';
import type { Tables } from './harness/edge.ts';

/** Who stays, and who goes in three different ways. */
async function twoWithMedia(call: Call, options: { ownBrowser?: boolean } = {}): Promise<{ ana: Person; cleo: Person; before: Tables }> {
    const ana = await call.enter('ana');
    await ana.publishPicture({ pattern: 0 });
    await ana.publishTone(440);
    await until('ana to send media', () => call.edge.stats(), ({ total }) => (total.core['srtp_aes128_gcm'] ?? 0) + (total.core['srtp_aes256_gcm'] ?? 0) > 0);
    const before = await call.edge.tables();
    const cleo = await call.enter('cleo', options);
    await cleo.publishTone(850);
    const picture = await cleo.publishPicture({ pattern: 2 });
    await ana.firstFrame(picture);
    assert.notDeepEqual(await call.edge.tables(), before, 'the tables tell who is there');
    return { ana, cleo, before };
}

callTest('who leaves is gone, and the tables are empty after the last one', {}, async (call) => {
    const empty = await call.edge.tables();
    const { ana, cleo, before } = await twoWithMedia(call);
    await cleo.leave();
    await ana.sees({ type: 'participantleft', identity: 'cleo', participant: cleo.id, reason: 'left' });
    assert.equal((await ana.seen('publicationremoved', 0)).length, 2);
    assert.deepEqual(await ana.participants(), []);
    await cleo.sees({ type: 'closed' });
    assert.equal(await cleo.state(), 'disconnected');
    await tablesAre(call, before);
    await ana.leave();
    await tablesAre(call, empty);
});

callTest('whose browser is killed is removed after the timeout', { flags: ['--resume-window', '2s'] }, async (call) => {
    const { ana, cleo, before } = await twoWithMedia(call, { ownBrowser: true });
    kill(cleo, 'SIGKILL');
    const killed = Date.now();
    await ana.sees({ type: 'participantleft', identity: 'cleo', participant: cleo.id, reason: 'timed-out' }, { ms: 15_000 });
    call.figure(`killed, removed after ${((Date.now() - killed) / 1000).toFixed(1)} s (resume window 2 s)`);
    await tablesAre(call, before);
});

const IMPATIENT = ['--ping-interval', '500ms', '--idle-timeout', '5s', '--resume-window', '2s'];

callTest('who says nothing more, with the connection still open, is removed too', { flags: IMPATIENT }, async (call) => {
    const { ana, cleo, before } = await twoWithMedia(call, { ownBrowser: true });
    kill(cleo, 'SIGSTOP');
    const stopped = Date.now();
    try {
        await ana.sees({ type: 'participantleft', identity: 'cleo', participant: cleo.id, reason: 'timed-out' }, { ms: 30_000 });
    } finally {
        kill(cleo, 'SIGKILL');
    }
    call.figure(`frozen, removed after ${((Date.now() - stopped) / 1000).toFixed(1)} s (idle timeout 5 s, resume window 2 s)`);
    await tablesAre(call, before);
});

/** Signals the browser and the processes that it started: Puppeteer gives each browser a process group of its own. */
function kill(person: Person, signal: NodeJS.Signals): void {
    const pid = person.browser.process()?.pid;
    assert.ok(pid, 'the browser runs');
    process.kill(-pid, signal);
}

async function tablesAre(call: Call, expected: Tables): Promise<void> {
    const same = (now: Tables): boolean => JSON.stringify(now) === JSON.stringify(expected);
    await until(`the edge's tables to be ${JSON.stringify(expected)}`, () => call.edge.tables(), same, 10_000);
}
