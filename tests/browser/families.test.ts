// An edge with both families, and participants who have one of them (FAULTS N10): each connects by its own, also when the other goes away in mid-call.

import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { callTest } from './harness/call.ts';
import { inOwnNetwork, ip } from './harness/own-network.ts';
import { shows } from './harness/verdict.ts';

const PATIENCE_MS = 30_000;

const deviceOf = (wanted: string): string => {
    const found = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some(({ address }) => address === wanted));
    if (!found) throw new Error(`nothing here has ${wanted}`);
    return found[0];
};

await inOwnNetwork(import.meta.url, ({ announce, raiseIpv6 }) => {
    const v6 = raiseIpv6().slice(1, -1);
    const edge = (...addresses: string[]) => ({ udp: '[::]', timeoutMs: 120_000, flags: ['--announce', addresses.join(',')] });

    callTest('N10: IPv4 only', edge(announce), async (call) => {
        const [ana, ben] = [await call.enter('ana'), await call.enter('ben')];
        const anas = await ana.publishPicture({ pattern: 0 });
        await shows(() => ben.measureVideo(anas, 2000), 0);
        assert.ok(!isIPv6((await ben.mediaPath()).remote ?? ''));
    });

    callTest('N10: IPv6 only', edge(v6), async (call) => {
        const [ana, ben] = [await call.enter('ana'), await call.enter('ben')];
        const anas = await ana.publishPicture({ pattern: 0 });
        await shows(() => ben.measureVideo(anas, 2000), 0);
        assert.ok(isIPv6((await ben.mediaPath()).remote ?? ''));
    });

    callTest('N10: the family in use goes away in mid-call', edge(announce, v6), async (call) => {
        const [ana, ben] = [await call.enter('ana'), await call.enter('ben', { ownBrowser: true })];
        const anas = await ana.publishPicture({ pattern: 0 });
        await ben.watch(anas);
        await ben.flowsAgain(anas, 0, PATIENCE_MS);
        const used = (await ben.mediaPath()).remote ?? '';
        const gone = await ben.now();
        ip('address', 'del', isIPv6(used) ? `${v6}/64` : `${announce}/24`, 'dev', deviceOf(used));
        const silent = 300; // Not the pictures that were already on their way.
        call.figure(`pictures again ${((await ben.flowsAgain(anas, gone + silent, PATIENCE_MS)) - gone).toFixed(0)} ms after ${used} went away`);
        assert.notEqual(isIPv6((await ben.mediaPath()).remote ?? ''), isIPv6(used), 'by the other family');
        assert.deepEqual((await ana.participants()).map(({ id }) => id), [ben.id], 'the same participant');
    });
});
