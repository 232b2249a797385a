// The store dies, forgets, or says nothing under a call: nobody notices.

import { chaos, pause } from '../harness/trio.ts';
import { shows } from '../harness/verdict.ts';

/** Longer than a registration counts. */
const AWAY_MS = 12_000;

chaos({
    id: 'C5-kill',
    what: 'the store is killed; somebody joins meanwhile; it starts again with nothing in it',
    targetMs: 300,
    async happens({ call, redis, edges, pictures }, now) {
        const since = await now();
        await redis.kill();
        await pause(AWAY_MS);
        const dora = await call.enter('dora', { edge: edges[1]! });
        await shows(() => dora.measureVideo(pictures[0]!, 1500), 0);
        await dora.leave();
        await redis.start();
        await pause(5000); // edges register every two seconds
        return since;
    },
});

chaos({
    id: 'C5-flush',
    what: 'the store forgets everything',
    targetMs: 300,
    async happens({ redis }, now) {
        const since = await now();
        redis.command('FLUSHALL');
        await pause(AWAY_MS);
        return since;
    },
});

chaos({
    id: 'C5-silent',
    what: 'the store answers nothing for a while, with its connections open',
    targetMs: 300,
    async happens({ redis }, now) {
        const since = await now();
        redis.freeze(true);
        await pause(AWAY_MS);
        redis.freeze(false);
        await pause(5000);
        return since;
    },
});

chaos({
    id: 'C5-slow',
    what: 'the store takes half a second for everything',
    targetMs: 300,
    async happens({ redis }, now) {
        const since = await now();
        for (let round = 0; round < 12; round += 1) {
            redis.command('CLIENT', 'PAUSE', '500', 'ALL');
            await pause(1000);
        }
        return since;
    },
});
