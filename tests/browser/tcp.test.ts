// Where no UDP comes through, media goes over TCP to the edge itself, without any other server (FAULTS N7).

import assert from 'node:assert/strict';
import { scenarios, type Scenario } from './harness/emulated.ts';
import { meetThroughFirewall } from './harness/firewall.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const PATIENCE_MS = 40_000;
const options = { timeoutMs: 150_000 };

/** FAULTS N7 (a). */
const fromTheStart: Scenario = {
    name: 'N7a',
    promise: 'UDP blocked from the start: media over TCP',
    options,
    body: async (emulated) => {
        const { ben, firstPictureMs } = await meetThroughFirewall(emulated);
        emulated.figure('pictures after joining ms', firstPictureMs, { atMost: 3000 });
        assert.equal((await ben.mediaPath()).protocol, 'tcp');
        assert.equal((await emulated.call.edge.stats()).total.core.transports_over_tcp, 1, 'ana goes on by UDP');
    },
};

/** FAULTS N7 (b). */
const inMidCall: Scenario = {
    name: 'N7b',
    promise: 'UDP killed in mid-call: TCP takes over, and UDP again when it returns',
    options,
    body: async ({ call, link, figure }) => {
        const people = [await call.enter('ana'), await call.enter('ben', { behind: link })] as const;
        const [ana, ben] = people;
        const anas = await ana.publishPicture({ pattern: 0 });
        const bens = await ben.publishPicture({ pattern: 1 });
        await Promise.all([ben.watch(anas), ana.watch(bens)]);
        await Promise.all([ben.flowsAgain(anas, 0, PATIENCE_MS), ana.flowsAgain(bens, 0, PATIENCE_MS)]);
        const protocol = async (): Promise<string | undefined> => (await ben.mediaPath()).protocol;
        await until('media to go by UDP', protocol, (it) => it === 'udp', PATIENCE_MS);

        const [blocked, blockedThere] = await Promise.all([ben.now(), ana.now()]);
        await link.set({ block: 'udp' });
        const silent = 500; // Not the pictures that were already on their way.
        const received = ben.flowsAgain(anas, blocked + silent, PATIENCE_MS);
        const sent = ana.flowsAgain(bens, blockedThere + silent, PATIENCE_MS);
        figure('received: back after ms', (await received) - blocked, { atMost: 3000 });
        figure('sent: back after ms', (await sent) - blockedThere, { atMost: 3000 });
        await until('media to go over TCP', protocol, (it) => it === 'tcp', PATIENCE_MS);
        await shows(() => ana.measureVideo(bens, 2000), 1);

        const unblocked = await ben.now();
        await link.set({ block: 'nothing' });
        await until('media to go by UDP again', protocol, (it) => it === 'udp', PATIENCE_MS);
        figure('back to UDP after ms', (await ben.now()) - unblocked);
        await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
        figure('longest gap on the way back ms', (await ben.watched(anas, unblocked)).longestGapMs, { atMost: 300 });
        assert.deepEqual((await ana.participants()).map(({ id }) => id), [ben.id], 'the same participant');
        assert.equal(await ben.state(), 'connected');
    },
};

/** The browser forgets a way that fails for half a minute: the SDK looks for UDP 30 and 90 s after it was lost, and ever more rarely. */
const longBlocked: Scenario = {
    name: 'N7c',
    promise: 'UDP that was away for longer than the browser looks for it is found again, without a gap',
    options: { timeoutMs: 240_000 },
    body: async ({ call, link, figure }) => {
        const [ana, ben] = [await call.enter('ana'), await call.enter('ben', { behind: link })];
        const anas = await ana.publishPicture({ pattern: 0 });
        await ben.watch(anas);
        await ben.flowsAgain(anas, 0, PATIENCE_MS);
        const protocol = async (): Promise<string | undefined> => (await ben.mediaPath()).protocol;
        await until('media to go by UDP', protocol, (it) => it === 'udp', PATIENCE_MS);
        await link.set({ block: 'udp' });
        await until('media to go over TCP', protocol, (it) => it === 'tcp', PATIENCE_MS);
        await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
        const settled = await ben.now();
        const name = await ben.iceName();
        // In vain: UDP is away still.
        await until('the SDK to look for UDP', () => ben.iceName(), (now) => now !== name, 2 * PATIENCE_MS);
        await new Promise((resolve) => setTimeout(resolve, 5000));
        assert.equal(await protocol(), 'tcp');
        figure('longest gap over TCP, while UDP is looked for ms', (await ben.watched(anas, settled)).longestGapMs, { atMost: 300 });
        const unblocked = await ben.now();
        await link.set({ block: 'nothing' });
        await until('media to go by UDP again', protocol, (it) => it === 'udp', 90_000);
        figure('back to UDP after ms', (await ben.now()) - unblocked);
        await ben.flowsAgain(anas, await ben.now(), PATIENCE_MS);
        figure('longest gap on the way back ms', (await ben.watched(anas, unblocked)).longestGapMs, { atMost: 300 });
        assert.equal(await ben.state(), 'connected');
    },
};

await scenarios(import.meta.url, [fromTheStart, inMidCall, longBlocked]);
