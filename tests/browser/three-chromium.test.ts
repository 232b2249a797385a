// Three people in one room, in Chromium: everybody sees and hears the other two, each as who they are, and nothing else.

import { callTest } from './harness/call.ts';
import { hears, shows } from './harness/verdict.ts';

/** No tone is near another's harmonics. */
const PEOPLE = [
    { name: 'ana', pattern: 0, hz: 440 },
    { name: 'ben', pattern: 1, hz: 610 },
    { name: 'cleo', pattern: 2, hz: 850 },
] as const;
const TONES = PEOPLE.map(({ hz }) => hz);

callTest('three pages see and hear each other, and know who is who', {}, async (call) => {
    const pages = new Map<string, Awaited<ReturnType<typeof call.enter>>>();
    for (const { name, pattern, hz } of PEOPLE) {
        const page = await call.enter(name);
        pages.set(name, page);
        await page.publishPicture({ pattern });
        await page.publishTone(hz);
        call.figure(`${name} joined in ${page.joinMs.toFixed(0)} ms`);
    }
    const pairs = PEOPLE.flatMap((to) => PEOPLE.filter((from) => from !== to).map((from) => ({ page: pages.get(to.name)!, to, from })));
    for (const { page, from, to } of pairs) {
        const { sinceJoin, sinceAnnounced } = await page.firstFrame(await page.publicationOf(from.name, 'camera'));
        call.figure(`${to.name} saw ${from.name} ${sinceAnnounced.toFixed(0)} ms after the announcement, ${sinceJoin.toFixed(0)} ms after joining`);
    }
    // All six pictures at once: that is the load that a call of three is.
    await Promise.all(
        pairs.map(async ({ page, from, to }) => {
            const picture = await page.publicationOf(from.name, 'camera');
            const video = await shows(() => page.measureVideo(picture, 5000), from.pattern);
            call.figure(
                `${to.name} sees ${from.name}: ${video.decodedPerSecond.toFixed(1)} frames/s decoded, ${video.countersPerSecond.toFixed(1)} told apart, ` +
                    `${video.unreadable} of ${video.frames} unreadable, longest gap ${video.longestGapMs.toFixed(0)} ms`,
            );
        }),
    );
    await Promise.all(
        pairs.map(async ({ page, from, to }) => {
            const sound = await page.publicationOf(from.name, 'microphone');
            const margin = await hears(() => page.measureAudio(sound, 2000, TONES), from.hz, TONES);
            call.figure(`${to.name} hears ${from.name}: every other tone at least ${margin.toFixed(0)} dB below`);
        }),
    );
});
