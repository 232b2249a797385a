// Behind a firewall that lets no UDP through, a call goes by a TURN server over TCP: a real coturn, with credentials that the edge made.

import assert from 'node:assert/strict';
import { scenarios, type Emulated } from './harness/emulated.ts';
import { noCoturn, startCoturn, TURN_TCP, TURN_UDP, withTurn } from './harness/coturn.ts';
import { meetThroughFirewall } from './harness/firewall.ts';
import { FAR } from './harness/link.ts';
import type { PreflightPage } from './page/preflight-contract.ts';

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
async function goesByRelay(emulated: Emulated): Promise<void> {
    const { ben, firstPictureMs } = await meetThroughFirewall(emulated);
    emulated.call.figure(`pictures ${(firstPictureMs / 1000).toFixed(1)} s after joining`);
    assert.equal((await ben.mediaPath()).protocol, 'udp', 'the relay speaks UDP to the edge');
}
