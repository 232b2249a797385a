// `pickEdge` finds the nearest of edges in networks of their own by checks of STUN, one round trip each; over UDP, and
// over TCP where nothing else gets through.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Networks } from './cluster/networks.ts';
import { callTest } from './harness/call.ts';
import { inOwnNetwork } from './harness/own-network.ts';
import { Proxy } from './harness/proxy.ts';
import { Redis } from './harness/redis.ts';
import { until } from './harness/wait.ts';
import type { PreflightPage } from './page/preflight-contract.ts';

/** One way, in milliseconds, from here. */
const CITIES = [
    { name: 'near', delayMs: 10 },
    { name: 'middle', delayMs: 60 },
    { name: 'far', delayMs: 120 },
] as const;
/** What a busy machine may add. */
const SLACK_MS = 200;

interface Listed {
    id: string;
    fullness: number;
    media: { udp: string[]; tcp: string[] };
}

async function list(http: string): Promise<{ edges: Listed[] }> {
    const answer = await fetch(`http://${http}/v1/edges`, { signal: AbortSignal.timeout(5000) });
    return (await answer.json()) as { edges: Listed[] };
}

const listed = async (http: string): Promise<Listed[]> => (await list(http)).edges;

/** Says of all edges that they take media by TCP alone, as they seem behind a firewall that lets no UDP through. */
async function withoutUdp(http: string): Promise<{ url: string; close(): Promise<void> }> {
    const server = createServer((_, response) => {
        void list(http).then((answer) => {
            for (const { media } of answer.edges) media.udp = [];
            response.writeHead(200, { 'access-control-allow-origin': '*' }).end(JSON.stringify(answer));
        });
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))) };
}

// The networks of the edges hang on one of the test's own.
await inOwnNetwork(import.meta.url, () => {
    const redis = new Redis();
    const proxies: { close(): Promise<void> }[] = [];
    let networks: Networks | undefined;
    // It is asked, and it is full: nobody should be sent to it.
    const flags = [...redis.flags('asked'), '--region', 'asked', '--edge-participants', '1'];
    const options = {
        flags,
        timeoutMs: 120_000,
        async before() {
            await redis.start();
            networks = await Networks.raise();
        },
        async after() {
            await Promise.all(proxies.map((proxy) => proxy.close()));
            networks?.close();
            await redis.stop();
        },
    };

    callTest('the nearest of far edges is found by STUN', options, async (call) => {
        for (const [index, { name, delayMs }] of CITIES.entries()) {
            const { network, address } = await networks!.place(index + 1, delayMs);
            const proxy = await Proxy.to(`${address}:8080`);
            proxies.push(proxy);
            const own = [...redis.flags(name), '--region', name, '--client-url', proxy.url];
            await call.anotherEdge({ namespace: network, host: address, ports: { http: '8080', udp: '7700' }, flags: own });
        }
        await until('the edges to know each other', async () => (await call.edge.stats()).cluster?.edges, (known) => known === CITIES.length);
        await call.enter('ana'); // takes the only place
        await until('the edge to be known as full', () => listed(call.edge.http), (edges) => edges.some(({ id, fullness }) => id === 'asked' && fullness >= 1));
        for (const kind of ['chromium', 'firefox'] as const) {
            const page = await call.open<PreflightPage>('preflight', kind, await call.browser(kind));
            const pick = async (timeoutMs?: number, asked = `http://${call.edge.http}`): Promise<Awaited<ReturnType<PreflightPage['pick']>>> => {
                const pick = await page.pick(asked, timeoutMs);
                const measured = pick.edges.map(({ id, rttMs }) => `${id} ${rttMs === undefined ? 'not in time' : `${rttMs.toFixed(1)} ms`}`).join(', ');
                call.figure(`${kind}: ${pick.picked} after ${pick.ms.toFixed(0)} ms, ${timeoutMs ?? 300} for answers: ${measured}`);
                return pick;
            };
            for (const _ of [1, 2]) await pick(); // how much of it is in time on this machine is for the figures to say
            const overTcp = await withoutUdp(call.edge.http);
            proxies.push(overTcp);
            const byUdp = await pick(3000);
            assert.equal(byUdp.picked, 'near');
            // Firefox counts the handshake of TCP too.
            for (const [{ edges }, roundTrips] of [[byUdp, 1], [await pick(3000, overTcp.url), 2]] as const) {
                const far = edges.map(({ id }) => id).filter((id) => CITIES.some(({ name }) => name === id));
                assert.deepEqual(far, ['near', 'middle', 'far']);
                for (const { name, delayMs } of CITIES) {
                    const { rttMs = NaN } = edges.find(({ id }) => id === name) ?? {};
                    assert.ok(rttMs >= 2 * delayMs && rttMs < roundTrips * 2 * delayMs + SLACK_MS, `${name}: ${rttMs} ms by a way of ${2 * delayMs}`);
                }
            }
        }
        const { core } = (await call.edge.stats()).total;
        assert.ok(core['distance_checks']! >= 3, `${core['distance_checks']} checks answered`);
    });
});
