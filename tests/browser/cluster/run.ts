// `make cluster`: a store and three edges in networks of their own, far from each other, and a page that shows them. Until Ctrl-C.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { Edge, type EdgeStats } from '../harness/edge.ts';
import { Proxy } from '../harness/proxy.ts';
import { Redis } from '../harness/redis.ts';
import { linked } from '../harness/trio.ts';
import { Networks } from './networks.ts';

const WATCH_PORT = 8090;
/** One way, in milliseconds, from the hub: the way between two of them is the sum. */
const CITIES = [
    { name: 'frankfurt', region: 'eu', delayMs: 5, port: 8081 },
    { name: 'dublin', region: 'eu', delayMs: 15, port: 8082 },
    { name: 'virginia', region: 'us', delayMs: 45, port: 8083 },
] as const;
const SECRET = 'a secret for edges of one demonstration';

const redis = new Redis();
const networks = await Networks.raise();
const edges: { name: string; region: string; delayMs: number; url: string; edge: Edge; proxy: Proxy }[] = [];
let ending = false;

async function end(code: number): Promise<void> {
    if (ending) return;
    ending = true;
    await Promise.allSettled(edges.flatMap(({ edge, proxy }) => [proxy.close(), edge.kill()]));
    await redis.stop();
    networks.close();
    process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal);
    process.once(signal, () => void end(0));
}

try {
    await redis.start();
    for (const [index, { name, region, delayMs, port }] of CITIES.entries()) {
        const { network, address } = await networks.place(index + 1, delayMs);
        const url = `http://localhost:${port}`;
        const flags = [...redis.flags(name), '--region', region, '--client-url', url, '--relay', `${address}:7500`, '--relay-secret', SECRET];
        const edge = await Edge.start({ namespace: network, host: address, ports: { http: '8080', udp: '7700' }, flags });
        const proxy = await Proxy.to(edge.http, '127.0.0.1', port);
        edges.push({ name, region, delayMs, url, edge, proxy });
        console.log(`${name}: an edge ${delayMs} ms away, at ${url}`);
    }
    for (const { edge } of edges) await linked(edge, edges.length - 1);
} catch (error) {
    console.error(error);
    await end(1);
}

const page = readFileSync(new URL('watch.html', import.meta.url), 'utf8');
createServer((request, response) => {
    void (async () => {
        if (request.url !== '/state') return response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
        const state = await Promise.all(edges.map(async ({ edge, proxy: _, ...about }) => ({ ...about, stats: await edge.stats().catch((): EdgeStats | null => null) })));
        return response.setHeader('content-type', 'application/json').end(JSON.stringify(state));
    })();
}).listen(WATCH_PORT, '127.0.0.1');

console.log(`
  Watch them:  http://localhost:${WATCH_PORT}

  Join the same room at different edges, one browser tab each:
${CITIES.map(({ name, port }) => `      http://localhost:${port}/?room=lobby      ${name}`).join('\n')}

  Kill one to see what becomes of its people (kill -9 with the pid of \`nearcast-edge\`). Ctrl-C ends everything.`);
