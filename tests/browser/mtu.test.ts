// A path that takes no packet above 1280 bytes, as tunnels and mobile networks have it, and one that takes none above 576, the least that IPv4
// hosts must take (RFC 791): there packets travel in fragments (FAULTS N9).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { scenarios, type Emulated } from './harness/emulated.ts';
import { ip } from './harness/own-network.ts';
import { hears, shows } from './harness/verdict.ts';

const TONES = [440, 880];

const narrow = (mtu: number) => ({
    name: `N9 ${mtu}`,
    promise: 'handshake, picture and sound pass',
    options: {},
    body: (emulated: Emulated) => passes(emulated, mtu),
});

await scenarios(import.meta.url, [narrow(1280), narrow(576)]);

async function passes({ call, link, figure }: Emulated, mtu: number): Promise<void> {
    // As nearcast-link calls its device, on both sides.
    const narrow = ['link', 'set', 'link0', 'mtu', String(mtu)];
    ip(...narrow);
    execFileSync('nsenter', [`--net=/proc/${link.near}/ns/net`, 'ip', ...narrow], { stdio: 'pipe' });

    const [ana, ben] = [await call.enter('ana'), await call.enter('ben', { behind: link })];
    const joined = await ben.now();
    const [anas, bens] = [await ana.publishPicture({ pattern: 0, noise: 0.2 }), await ben.publishPicture({ pattern: 1, noise: 0.2 })];
    const [anasTone, bensTone] = [await ana.publishTone(440), await ben.publishTone(880)];
    await ben.watch(anas);
    figure('pictures after joining ms', (await ben.flowsAgain(anas, 0, 20_000)) - joined, { atMost: 3000 });
    await shows(() => ana.measureVideo(bens, 2000), 1);
    await shows(() => ben.measureVideo(anas, 2000), 0);
    await hears(() => ana.measureAudio(bensTone, 1000, TONES), 880, TONES);
    await hears(() => ben.measureAudio(anasTone, 1000, TONES), 440, TONES);
    assert.equal((await ben.mediaPath()).protocol, 'udp');
    const { failed, gso_lost } = (await call.edge.stats()).total.send;
    assert.deepEqual([failed, gso_lost], [0, 0], 'datagrams that the kernel refused for their size, and what that cost everybody');
}
