// Behind a firewall that lets no UDP through, a call goes by a TURN server over TCP: a real coturn, with credentials that the edge made.

import assert from 'node:assert/strict';
import { scenarios, type Emulated } from './harness/emulated.ts';
import { noCoturn, startCoturn, TURN_TCP, TURN_UDP, withTurn } from './harness/coturn.ts';
import { FAR } from './harness/link.ts';
import { shows } from './harness/verdict.ts';
import type { PreflightPage } from './page/preflight-contract.ts';

const PATIENCE_MS = 40_000;
const options = { flags: ['--tcp', 'off', ...withTurn(TURN_UDP, TURN_TCP)], skip: noCoturn };

await scenarios(import.meta.url, [
    {
        name: 'relay',
        promise: 'media by TURN over TCP where UDP is blocked',
        options,
        body: async (emulated) => {
            const stop = await startCoturn();
            try {
                await goesByRelay(emulated);
            } finally {
                await stop();
            }
        },
    },
    {
        name: 'relay inside the edge',
        promise: 'media by the TURN server of the edge itself, over TCP',
        options: { flags: ['--tcp', 'off', '--turn', `${FAR}:3478`] },
        body: goesByRelay,
    },
    {
        name: 'preflight with a relay',
        promise: 'the way around the firewall is found',
        options,
        body: async ({ call, link }) => {
            const stop = await startCoturn();
            try {
                await link.set({ block: 'udp' });
                const page = await call.open<PreflightPage>('preflight', 'preflight', await call.browser('chromium', { own: true, network: link.near }));
                const { ok, checks } = await page.run(`http://${call.edge.http}`, await call.edge.token(call.room, 'ana'));
                const states = Object.fromEntries(checks.map(({ name, status }) => [name, status]));
                call.figure(JSON.stringify(states));
                assert.deepEqual([states['udp'], states['tcp'], states['turn'], ok], ['failed', 'passed', 'failed', true]);
            } finally {
                await stop();
            }
        },
    },
]);

/** Two people see each other, one of them behind the firewall. */
async function goesByRelay({ call, link }: Emulated): Promise<void> {
    await link.set({ block: 'udp' });
    const ana = await call.enter('ana');
    const anas = await ana.publishPicture({ pattern: 0 });
    const ben = await call.enter('ben', { behind: link });
    const joined = await ben.now();
    await ben.watch(anas);
    const first = await ben.flowsAgain(anas, 0, PATIENCE_MS);
    call.figure(`pictures ${((first - joined) / 1000).toFixed(1)} s after joining`);
    const bens = await ben.publishPicture({ pattern: 1 });
    await shows(() => ana.measureVideo(bens, 2000), 1);
    await shows(() => ben.measureVideo(anas, 2000), 0);
    assert.equal((await ben.mediaPath()).protocol, 'udp', 'the relay speaks UDP to the edge');
    assert.equal(await ben.state(), 'connected');
}
