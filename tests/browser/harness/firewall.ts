// Two people, of whom one is behind a firewall that lets no UDP through from the start.

import assert from 'node:assert/strict';
import type { Person } from './call.ts';
import type { Emulated } from './emulated.ts';
import { shows } from './verdict.ts';

/** Only decides when a failure is called one. */
const PATIENCE_MS = 40_000;

export interface Met {
    /** Who is behind it. */
    ben: Person;
    /** From ben's joining to ana's picture. */
    firstPictureMs: number;
}

/** They see each other, whichever way media has found. */
export async function meetThroughFirewall({ call, link }: Emulated): Promise<Met> {
    await link.set({ block: 'udp' });
    const ana = await call.enter('ana');
    const anas = await ana.publishPicture({ pattern: 0 });
    const ben = await call.enter('ben', { behind: link });
    const joined = await ben.now();
    await ben.watch(anas);
    const first = await ben.flowsAgain(anas, 0, PATIENCE_MS);
    const bens = await ben.publishPicture({ pattern: 1 });
    await shows(() => ana.measureVideo(bens, 2000), 1);
    await shows(() => ben.measureVideo(anas, 2000), 0);
    assert.equal(await ben.state(), 'connected');
    return { ben, firstPictureMs: first - joined };
}
