// Three people on three edges that are linked: everybody sees and hears the other two, as on one; and the end of an edge is the end of its people only.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';
import type { Edge } from './harness/edge.ts';
import { hears, shows } from './harness/verdict.ts';
import { until } from './harness/wait.ts';

const PEOPLE = [
    { name: 'ana', pattern: 0, hz: 440 },
    { name: 'ben', pattern: 1, hz: 610 },
    { name: 'cleo', pattern: 2, hz: 850 },
] as const;
const TONES = PEOPLE.map(({ hz }) => hz);
const RELAY = ['--relay', '127.0.0.1:0'];

const links = (edge: Edge, count: number): Promise<unknown> =>
    until(`${count} links`, async () => (await edge.stats()).relay?.links, (now) => now === count, 20_000);

callTest('three pages on three edges see and hear each other', { flags: RELAY, timeoutMs: 180_000 }, async (call) => {
    const second = await call.anotherEdge({ flags: [...RELAY, '--relay-peers', call.edge.relay] });
    const third = await call.anotherEdge({ flags: [...RELAY, '--relay-peers', `${call.edge.relay},${second.relay}`] });
    const edges = [call.edge, second, third];
    await Promise.all(edges.map((edge) => links(edge, 2)));
    const pages = new Map<string, Awaited<ReturnType<typeof call.enter>>>();
    for (const [index, { name, pattern, hz }] of PEOPLE.entries()) {
        const page = await call.enter(name, { edge: edges[index]! });
        pages.set(name, page);
        await page.publishPicture({ pattern });
        await page.publishTone(hz);
    }
    const pairs = PEOPLE.flatMap((to) => PEOPLE.filter((from) => from !== to).map((from) => ({ page: pages.get(to.name)!, to, from })));
    for (const { page, from, to } of pairs) {
        const { sinceAnnounced } = await page.firstFrame(await page.publicationOf(from.name, 'camera'));
        call.figure(`${to.name} saw ${from.name} ${sinceAnnounced.toFixed(0)} ms after the announcement`);
    }
    await Promise.all(
        pairs.map(async ({ page, from, to }) => {
            const picture = await page.publicationOf(from.name, 'camera');
            const video = await shows(() => page.measureVideo(picture, 5000), from.pattern);
            call.figure(`${to.name} sees ${from.name}: ${video.decodedPerSecond.toFixed(1)} frames/s, longest gap ${video.longestGapMs.toFixed(0)} ms`);
        }),
    );
    await Promise.all(
        pairs.map(async ({ page, from, to }) => {
            const sound = await page.publicationOf(from.name, 'microphone');
            const margin = await hears(() => page.measureAudio(sound, 2000, TONES), from.hz, TONES);
            call.figure(`${to.name} hears ${from.name}: every other tone at least ${margin.toFixed(0)} dB below`);
        }),
    );
    await third.kill();
    const killed = performance.now();
    await Promise.all([call.edge, second].map((edge) => links(edge, 1)));
    call.figure(`the edge that was killed was missed after ${(performance.now() - killed).toFixed(0)} ms`);
    const [ana, ben] = [pages.get('ana')!, pages.get('ben')!];
    await shows(async () => ana.measureVideo(await ana.publicationOf('ben', 'camera'), 3000), 1);
    await shows(async () => ben.measureVideo(await ben.publicationOf('ana', 'camera'), 3000), 0);
    // She knows of no other edge to go on at, and is waited for in vain.
    const others = async (): Promise<string[]> => (await ana.participants()).map(({ identity }) => identity);
    await until('who was on the third edge to be told as gone', others, (known) => known.join() === 'ben', 60_000);
});
