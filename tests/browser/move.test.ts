// An edge that is linked with another one is drained under a call: who is there goes on at the other one, and nobody sees it happen.

import assert from 'node:assert/strict';
import { Networks } from './cluster/networks.ts';
import { callTest, type Call } from './harness/call.ts';
import type { Edge } from './harness/edge.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { Proxy } from './harness/proxy.ts';
import { Redis } from './harness/redis.ts';
import { linked } from './harness/trio.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

/** Neither what the one who moves sees of others, nor what they see of them, may stand for longer. */
const TARGET_MS = 200;
/** On a machine that is busy with other things: a picture that stands for this long was cut. */
const CUT_MS = 3000;

/** Of two edges, each in a network of its own, one way from here. */
const FAR_MS = 50;

// The networks of edges that are far hang on one of the test's own.
await inOwnNetwork(import.meta.url, () => {
    for (const { name, place, far } of [
        { name: 'on another edge', place: 1, far: false },
        { name: 'on the same edge', place: 0, far: false },
        { name: `on another edge, all of them ${FAR_MS} ms away each way`, place: 1, far: true },
    ] as const) {
        const redis = new Redis();
        const proxies: Proxy[] = [];
        let networks: Networks | undefined;
        const flags = (edge: string, relay = '127.0.0.1'): string[] => [...redis.flags(edge), '--relay', `${relay}:0`, '--relay-secret', 'moves'.repeat(8)];
        const farAway = async (call: Call, number: number, edge: string): Promise<Edge> => {
            const { network, address } = await networks!.place(number, FAR_MS);
            const proxy = await Proxy.to(`${address}:8080`);
            proxies.push(proxy);
            return call.anotherEdge({ namespace: network, host: address, ports: { http: '8080', udp: '7700' }, flags: [...flags(edge, address), '--client-url', proxy.url] });
        };
        const options = {
            flags: far ? [] : flags('a'),
            timeoutMs: 120_000,
            async before() {
                await redis.start();
                if (far) networks = await Networks.raise();
            },
            async after() {
                await Promise.all(proxies.map((proxy) => proxy.close()));
                networks?.close();
                await redis.stop();
            },
        };
        callTest(`two, the other one ${name}: the edge is drained`, options, async (call) => {
            const edges = far ? ([await farAway(call, 1, 'a'), await farAway(call, 2, 'b')] as const) : ([call.edge, await call.anotherEdge({ flags: flags('b') })] as const);
            for (const edge of edges) await linked(edge, 1);
            const ana = await call.enter('ana', { edge: edges[0] });
            const ben = await call.enter('ben', { edge: edges[place], ownBrowser: false });
            const [anas, bens] = [await ana.publishPicture({ pattern: 0 }), await ben.publishPicture({ pattern: 1 })];
            await Promise.all([ana.watch(bens), ben.watch(anas)]);
            await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);
            const began = [await ana.now(), await ben.now()] as const;
            const marks = [await ana.mark(), await ben.mark()] as const;

            const answer = await fetch(`http://${edges[0].http}/v1/drain`, { method: 'POST' });
            assert.equal(answer.status, 200);
            await until('both to be at the other edge', async () => (await edges[1].tables()).participants, (count) => count === 2, 30_000);
            await until('nobody to be at the first', async () => (await edges[0].tables()).participants, (count) => count === 0, 30_000);
            await Promise.all([shows(() => ben.measureVideo(anas, 1500), 0), shows(() => ana.measureVideo(bens, 1500), 1)]);

            const [hers, his] = [await ana.watched(bens, began[0]), await ben.watched(anas, began[1])];
            call.took('what ana, who moves, sees of ben: the longest gap', hers.longestGapMs, { target: TARGET_MS, atWorst: CUT_MS });
            call.took('what ben sees of ana: the longest gap', his.longestGapMs, { target: TARGET_MS, atWorst: CUT_MS });
            for (const [person, since] of [[ana, marks[0]], [ben, marks[1]]] as const) {
                for (const type of ['statechanged', 'trackunsubscribed', 'participantleft', 'participantjoined', 'publicationremoved'] as const) {
                    assert.deepEqual(await person.seen(type, since), [], `nothing of ${type}`);
                }
            }
            const steps = (await ana.seen('reconnecting', marks[0])).map((event) => `${event['step']} ${event['reason']}`);
            assert.deepEqual(steps, ['moving elsewhere', 'connected moved']);
            assert.deepEqual((await ben.participants()).map(({ id }) => id), [ana.id], 'she is who she was');
        });
    }
});
