// A call that may use nothing but a TURN server, a real coturn: over each transport that it takes, and for longer than two lives of the
// credentials that the edge makes for it (FAULTS P12: it refuses those that have expired).

import assert from 'node:assert/strict';
import { scenarios, type Emulated, type Scenario } from './harness/emulated.ts';
import { noCoturn, startCoturn, TURN_TCP, TURN_TLS, TURN_UDP, withTurn } from './harness/coturn.ts';
import type { EnterOptions, Person } from './harness/call.ts';
import { Edge } from './harness/edge.ts';
import { FAR } from './harness/link.ts';
import { hears, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const PATIENCE_MS = 40_000;
/** On the far side's network, and nobody's. */
const NOBODY = '10.78.0.77';
const TONES = [440, 880];
/** RFC 8489 §9.2.4: the credentials are refused. */
const UNAUTHORIZED = 401;
/** Of credentials, in seconds: fresh ones come after half of it. */
const LIFETIME_S = 6;

const over = (relay: string, address: string): Scenario => ({
    name: `coturn over ${relay}`,
    promise: 'picture and sound pass, both ways, by the relay alone',
    options: { flags: withTurn(address), skip: noCoturn },
    body: (emulated) =>
        withCoturn(async () => {
            const { ana, ben, anas, bens } = await meet(emulated);
            const [anasTone, bensTone] = [await ana.publishTone(440), await ben.publishTone(880)];
            await shows(() => ana.measureVideo(bens, 2000), 1);
            await shows(() => ben.measureVideo(anas, 2000), 0);
            await hears(() => ana.measureAudio(bensTone, 1000, TONES), 880, TONES);
            await hears(() => ben.measureAudio(anasTone, 1000, TONES), 440, TONES);
            assert.equal((await ben.mediaPath()).relay, relay);
            assert.equal((await ana.mediaPath()).relay, undefined, 'ana goes without');
        }),
});

const longerThanCredentials: Scenario = {
    name: 'coturn P12',
    promise: 'a call outlives two credentials, and restarts with the third',
    options: { flags: [...withTurn(TURN_UDP, TURN_TCP), '--turn-lifetime', `${LIFETIME_S}s`], skip: noCoturn, timeoutMs: 150_000 },
    body: (emulated) =>
        withCoturn(async (restart) => {
            const { ana, ben, anas, bens } = await meet(emulated);
            const { figure } = emulated;
            const first = await ben.turnCredentials();
            assert.ok(first, 'the SDK has given the browser credentials');
            assert.equal(await ben.askForRelay([TURN_UDP], first), 0, 'fresh ones are taken');

            // Each says until when it holds: the second has run out when there is one that was made after its end.
            const until1970 = async (): Promise<number> => Number((await ben.turnCredentials())?.username.split(':')[0]);
            const began = await until1970();
            await until('the second credentials to have expired', until1970, (end) => end > began + 2 * LIFETIME_S, PATIENCE_MS);
            assert.equal(await ben.askForRelay([TURN_UDP], first), UNAUTHORIZED, 'the first ones are refused now');
            await shows(() => ben.measureVideo(anas, 2000), 0);
            await shows(() => ana.measureVideo(bens, 2000), 1);

            // The relay forgets its allocations: for new ones the first credentials would not do.
            const name = await ben.iceName();
            const restarted = await ben.now();
            await restart();
            figure('pictures again after the relay began anew ms', (await ben.flowsAgain(anas, restarted + 500, PATIENCE_MS)) - restarted);
            await until('another name in the offer', () => ben.iceName(), (now) => now !== name, PATIENCE_MS);
            await until('media to go by the relay', async () => (await ben.mediaPath()).relay, (relay) => relay !== undefined, PATIENCE_MS);
            await shows(() => ana.measureVideo(bens, 2000), 1);
            await shows(() => ben.measureVideo(anas, 2000), 0);
            assert.deepEqual((await ana.participants()).map(({ id }) => id), [ben.id], 'the same participant');
        }),
};

const discovery: Scenario = {
    name: 'coturn tells the address',
    promise: 'an edge announces what a STUN server sees, and nothing else',
    options: { skip: noCoturn },
    body: ({ call, link }) =>
        withCoturn(async () => {
            await call.edge.stop();
            call.edge = await Edge.start({ host: FAR, udp: '0.0.0.0', flags: ['--tcp', 'off', '--announce', TURN_UDP.replace('turn:', 'stun:').replace(/\?.*/, '')] });
            const port = call.edge.udp.split(':').at(-1);
            const told = call.edge.log.find((line) => line.includes('serving')) ?? '';
            assert.ok(told.includes(`candidates=[${FAR}:${port}]`), told);
            const [ana, ben] = [await call.enter('ana'), await call.enter('ben', { behind: link })];
            const anas = await ana.publishPicture({ pattern: 0 });
            await shows(() => ben.measureVideo(anas, 2000), 0);
            assert.equal((await ben.mediaPath()).remote, FAR);
        }),
};

const nearest: Scenario = {
    name: 'coturn measured',
    promise: 'the edge knows how long each server takes, gives the one that answers first, and counts whom it relays',
    options: { flags: withTurn(`turn:${NOBODY}:3478?transport=udp`, TURN_UDP), skip: noCoturn },
    body: (emulated) =>
        withCoturn(async () => {
            // Anew, so that it finds coturn there when it asks for the first time.
            await emulated.call.replaceEdge();
            const standings = async () => (await emulated.call.edge.stats()).ice_servers;
            const [silent, answers] = await until('both servers to have been asked', standings, ([, second]) => second?.response_ms != null, PATIENCE_MS);
            emulated.figure('coturn answers after ms', answers?.response_ms ?? NaN);
            assert.equal(silent?.response_ms, null);
            // Both come from elsewhere than coturn: the edge tells what is relayed by its address.
            const { ben } = await meet(emulated, { behind: emulated.link });
            const urls = await ben.turnServers();
            assert.equal(urls[0], TURN_UDP, `the one that answers comes first: ${urls.join()}`);
            const relayed = async () => (await emulated.call.edge.stats()).total.core['transports_over_turn'];
            await until('one of two to be counted as relayed', relayed, (count) => count === 1, PATIENCE_MS);
        }),
};

await scenarios(import.meta.url, [over('udp', TURN_UDP), over('tcp', TURN_TCP), over('tls', TURN_TLS), longerThanCredentials, discovery, nearest]);

/** `restart` ends coturn as a crash would, and starts another. */
async function withCoturn(body: (restart: () => Promise<void>) => Promise<void>): Promise<void> {
    let stop = await startCoturn();
    try {
        await body(async () => {
            await stop();
            stop = await startCoturn();
        });
    } finally {
        await stop();
    }
}

/** Two who see each other; ben uses nothing but the relay, and trusts its certificate. */
async function meet({ call, link, figure }: Emulated, anaIs: EnterOptions = {}): Promise<{ ana: Person; ben: Person; anas: string; bens: string }> {
    const ana = await call.enter('ana', anaIs);
    const anas = await ana.publishPicture({ pattern: 0 });
    const ben = await call.enter('ben', { behind: link, relayOnly: true, flags: ['--ignore-certificate-errors'] });
    const joined = await ben.now();
    await ben.watch(anas);
    figure('pictures after joining ms', (await ben.flowsAgain(anas, 0, PATIENCE_MS)) - joined);
    return { ana, ben, anas, bens: await ben.publishPicture({ pattern: 1 }) };
}
