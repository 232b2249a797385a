// Two talk directly: the edge forwards nothing, and pictures and tones are as they are through it. A third one moves them to the edge, and
// back when they are two again; the tracks are the same objects, and nobody sees a gap.

import assert from 'node:assert/strict';
import { callTest, type Call, type Person } from './harness/call.ts';
import type { ParticipantPage } from './page/contract.ts';
import { hears, isSilent, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const TONES = [440, 610];
const AUTO = { grants: { mode: 'auto' } };
/** Connecting, and changing the source of every track. */
const PATIENCE_MS = 15_000;
/** The edge waits before it lets a room go back. */
const HOLD_DOWN_MS = 10_000;
const LONGEST_GAP = { target: 300, atWorst: 3000 };
const STOPS_WITHIN = { target: 1000, atWorst: 5000 };

interface Publishing {
    page: Person;
    picture: string;
    tone: string;
}

async function pair(call: Call, grantsOfBen: Record<string, unknown> = {}): Promise<[Publishing, Publishing]> {
    const ana = await call.enter('ana', AUTO);
    const ben = await call.enter('ben', { grants: { ...AUTO.grants, ...grantsOfBen } });
    const publish = async (page: Person, pattern: number, hz: number): Promise<Publishing> => ({
        page,
        picture: await page.publishPicture({ pattern }),
        tone: await page.publishTone(hz),
    });
    return [await publish(ana, 0, 440), await publish(ben, 1, 610)];
}

const path = (page: Person, of: string, wanted: string, ms = PATIENCE_MS): Promise<string> =>
    until(`${page.identity} to get ${of}'s media by way of ${wanted}`, () => page.pathOf(of), (now) => now === wanted, ms);

/** Both get the other's media this way, and the edge agrees. */
async function both([ana, ben]: [Publishing, Publishing], way: string, ms?: number): Promise<void> {
    await Promise.all([path(ana.page, 'ben', way, ms), path(ben.page, 'ana', way, ms)]);
}

async function seeAndHear([ana, ben]: [Publishing, Publishing]): Promise<void> {
    await shows(() => ben.page.measureVideo(ana.picture, 1500), 0);
    await shows(() => ana.page.measureVideo(ben.picture, 1500), 1);
    await hears(() => ben.page.measureAudio(ana.tone, 1000, TONES), 440, TONES);
    await hears(() => ana.page.measureAudio(ben.tone, 1000, TONES), 610, TONES);
}

const forwarded = async (call: Call): Promise<number> => (await call.edge.stats()).total.core['packets_forwarded'] ?? NaN;

/** Waits until the edge has nothing to forward any more: what was on its way may still come. */
async function standsStill(call: Call): Promise<void> {
    let last = -1;
    await until('the edge to forward nothing for a second', async () => {
        const before = await forwarded(call);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        last = (await forwarded(call)) - before;
        return last;
    }, (packets) => packets === 0, PATIENCE_MS);
}

callTest('two pages talk directly, and the edge forwards nothing', {}, async (call) => {
    const two = await pair(call);
    const began = Date.now();
    await both(two, 'direct');
    call.figure(`both directly ${Date.now() - began} ms after the last publication`);
    await standsStill(call);
    const before = await forwarded(call);
    await seeAndHear(two);
    assert.equal(await forwarded(call), before, 'packets forwarded while both were seen and heard');
    assert.notEqual(await two[0].page.sourceOf(two[1].picture), call.edge.udp);
});

callTest('a third one moves both to the edge, and two go back: the same tracks, and no gap', { timeoutMs: 150_000 }, async (call) => {
    const two = await pair(call);
    const [{ page: ana, ...anas }, { page: ben, ...bens }] = two;
    await both(two, 'direct');
    await Promise.all([ben.watch(anas.picture), ana.watch(bens.picture)]);
    await Promise.all([ben.flowsAgain(anas.picture, 0, PATIENCE_MS), ana.flowsAgain(bens.picture, 0, PATIENCE_MS)]);
    const marks = [await ana.mark(), await ben.mark()];
    let [began, beganThere] = [await ben.now(), await ana.now()];
    /** The longest gap of both until now, when both flow; measuring anything else would take frames away. */
    const longest = async (): Promise<number> => {
        await Promise.all([ben.flowsAgain(anas.picture, await ben.now(), PATIENCE_MS), ana.flowsAgain(bens.picture, await ana.now(), PATIENCE_MS)]);
        return Math.max((await ben.watched(anas.picture, began)).longestGapMs, (await ana.watched(bens.picture, beganThere)).longestGapMs);
    };

    const cleo = await call.enter('cleo', AUTO);
    await both(two, 'edge');
    const toEdge = await longest();
    assert.equal(await ben.sourceOf(anas.picture), call.edge.udp);
    await shows(() => cleo.measureVideo(anas.picture, 1500), 0);
    await shows(() => cleo.measureVideo(bens.picture, 1500), 1);
    await seeAndHear(two);

    [began, beganThere] = [await ben.now(), await ana.now()];
    const left = Date.now();
    await cleo.leave();
    await both(two, 'direct', HOLD_DOWN_MS + PATIENCE_MS);
    const after = Date.now() - left;
    const toDirect = await longest();
    await seeAndHear(two);
    await standsStill(call);
    call.figure(`direct again after ${after} ms`);
    assert.ok(after >= HOLD_DOWN_MS, `back after ${after} ms`);
    for (const [index, page] of [ana, ben].entries()) {
        for (const type of ['tracksubscribed', 'trackunsubscribed', 'statechanged']) {
            const about = (await page.seen(type, marks[index] ?? 0)).filter(({ identity }) => identity !== 'cleo');
            assert.deepEqual(about, [], `${page.identity} keeps its tracks`);
        }
    }
    call.took('longest gap from direct to the edge', toEdge, LONGEST_GAP);
    call.took('longest gap from the edge to direct', toDirect, LONGEST_GAP);
});

callTest('a room for two refuses a third one, in words', {}, async (call) => {
    const grants = { mode: 'auto', max_participants: 2 };
    await call.enter('ana', { grants });
    await call.enter('ben', { grants });
    const cleo = await call.open<ParticipantPage>('participant', 'cleo');
    const refusal = await cleo.refused(`http://${call.edge.http}`, await call.edge.token(call.room, 'cleo', grants));
    assert.equal(refusal.code, 'room-full');
    assert.match(refusal.message, /\bfull\b|participants/);
    call.figure(refusal.message);
});

callTest('mute, another track, an end and a new publication are seen directly', { timeoutMs: 120_000 }, async (call) => {
    const two = await pair(call);
    const [{ page: ana, ...anas }, { page: ben, ...bens }] = two;
    await both(two, 'direct');
    await standsStill(call);

    await ana.setMuted(anas.picture, true);
    await ben.sees({ type: 'publicationmuted', publication: anas.picture, muted: true });
    await ben.pictureStops(anas.picture, 700);
    await ana.setMuted(anas.picture, false);
    await ben.nextFrame(anas.picture);
    const { pattern } = await ben.nextFrame(anas.picture);
    await ana.replacePicture(anas.picture, { pattern: 2 });
    await ana.replaceTone(anas.tone, 610);
    await until('other colours', () => ben.nextFrame(anas.picture), (frame) => frame.pattern !== pattern);
    await shows(() => ben.measureVideo(anas.picture, 1500), 2);
    await hears(() => ben.measureAudio(anas.tone, 1000, TONES), 610, TONES);

    for (const audible of [false, true]) {
        const before = [await ana.mark(), await ben.mark()];
        await ana.setAudible(anas.tone, audible);
        const speakers = audible ? ['ana'] : [];
        await ben.setAudible(bens.tone, false);
        await Promise.all([ana, ben].map((page, index) => page.sees({ type: 'speakerschanged', speakers }, { since: before[index] ?? 0 })));
    }

    const since = await ben.mark();
    const second = await ana.publishPicture({ pattern: 3 }, { source: 'other' });
    await shows(() => ben.measureVideo(second, 1500), 3);
    await until('the second one directly', () => ben.sourceOf(second), (source) => source !== undefined && source !== call.edge.udp, PATIENCE_MS);
    await standsStill(call);
    await shows(() => ben.measureVideo(second, 1500), 3);
    await ana.unpublish(anas.picture);
    await ben.sees({ type: 'publicationremoved', publication: anas.picture }, { since });
    await standsStill(call);
    await shows(() => ben.measureVideo(second, 1500), 3);
    assert.equal(await ben.pathOf('ana'), 'direct');
});

callTest('what a moderator mutes stops directly, and who is removed sends nothing more', { timeoutMs: 150_000 }, async (call) => {
    const two = await pair(call, { can_moderate: true });
    const [{ page: ana, ...anas }, { page: ben }] = two;
    await both(two, 'direct');
    await seeAndHear(two);
    await standsStill(call);
    await ben.watch(anas.picture);
    await ben.flowsAgain(anas.picture, 0, PATIENCE_MS);

    /** Waits until no picture has come for a while; how long after `since` the last one came. */
    const stopped = async (since: number): Promise<number> => {
        const quietFor = async (): Promise<number> => (await ben.now()) - (await ben.watched(anas.picture)).last;
        await until('the pictures to stop', quietFor, (ms) => ms > 1000, PATIENCE_MS);
        return Math.max(0, (await ben.watched(anas.picture)).last - since);
    };
    const muted = await ben.now();
    await ben.moderate('mute', anas.picture);
    await ana.sees({ type: 'moderated', action: 'mute', publication: anas.picture }); // The sender's own SDK says so.
    call.took('pictures come on directly after a moderator muted them', await stopped(muted), STOPS_WITHIN);
    assert.equal(await ben.pathOf('ana'), 'direct', 'the sound goes on');
    await hears(() => ben.measureAudio(anas.tone, 1000, TONES), 440, TONES);
    await ben.moderate('mute', anas.tone);
    await ana.sees({ type: 'moderated', action: 'mute', publication: anas.tone });
    await until('silence', () => ben.measureAudio(anas.tone, 300, TONES), (audio) => {
        try {
            isSilent(audio, TONES);
            return true;
        } catch {
            return false; // until() asks again, and reports what it saw last
        }
    });
    for (const publication of [anas.picture, anas.tone]) await assert.rejects(ana.setMuted(publication, false), /moderator/);
    // Nobody takes the sender's word for it: what is muted by a moderator has the edge for its source, which passes nothing on.
    await path(ben, 'ana', 'edge');

    for (const publication of [anas.picture, anas.tone]) {
        await ben.moderate('allow-unmute', publication);
        await ana.sees({ type: 'moderated', action: 'allow-unmute', publication });
        await ana.setMuted(publication, false);
    }
    await path(ben, 'ana', 'direct');
    await ben.flowsAgain(anas.picture, await ben.now(), PATIENCE_MS);
    await hears(() => ben.measureAudio(anas.tone, 1000, TONES), 440, TONES);

    const removed = await ben.now();
    await ben.moderate('remove', 'ana');
    assert.match((await ana.sees({ type: 'closed' })).error ?? 'no error', /^removed/);
    await ben.sees({ type: 'participantleft', identity: 'ana', reason: 'removed' });
    call.took('pictures come on directly after their sender was removed', await stopped(removed), STOPS_WITHIN);
});

callTest('whoever wants no direct connection has none', {}, async (call) => {
    const ana = await call.enter('ana', AUTO);
    const ben = await call.enter('ben', { ...AUTO, direct: false });
    const [anas, bens] = [await ana.publishPicture({ pattern: 0 }), await ben.publishPicture({ pattern: 1 })];
    await shows(() => ben.measureVideo(anas, 3000), 0);
    await shows(() => ana.measureVideo(bens, 3000), 1);
    assert.deepEqual([await ana.pathOf('ben'), await ben.pathOf('ana')], ['edge', 'edge']);
    assert.deepEqual(await ben.unhandled(), []);
});
