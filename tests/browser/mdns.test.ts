// A browser that hides its addresses: its candidates have names that only its own network could resolve (draft-ietf-mmusic-mdns-ice-candidates).
// The edge uses no candidates, so it needs none of them, and never asks for such a name (FAULTS P11).

import assert from 'node:assert/strict';
import { scenario } from './harness/emulated.ts';
import { shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

/** Chromium hides them from pages that may not use the microphone, and the tests' other flags let every page. */
const HIDE = ['--enable-features=WebRtcHideLocalIpsWithMdns', '--use-fake-ui-for-media-stream=deny'];

await scenario(import.meta.url, 'P11 mDNS', 'hidden addresses are no hindrance, and nobody is asked for them', {}, async ({ call, link }) => {
    const [ana, ben] = [await call.enter('ana', { flags: HIDE }), await call.enter('ben', { behind: link, flags: HIDE })];
    const anas = await ana.publishPicture({ pattern: 0 });
    const bens = await ben.publishPicture({ pattern: 1 });
    const hidden = async (): Promise<string[]> => (await Promise.all([ana.ownAddresses(), ben.ownAddresses()])).flat();
    await until('candidates', hidden, (addresses) => addresses.length > 1, 10_000);
    assert.ok((await hidden()).every((address) => address.endsWith('.local')), (await hidden()).join());
    await shows(() => ana.measureVideo(bens, 2000), 1);
    await shows(() => ben.measureVideo(anas, 2000), 0);
    assert.equal((await ben.mediaPath()).protocol, 'udp');
    const complaints = call.edge.log.filter((line) => /WARN|ERROR/.test(line) && !line.includes('UDP buffers') && !line.includes('dev'));
    assert.deepEqual(complaints, []);
});
