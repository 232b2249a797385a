// People come and go, a few or very many, while others are in a call.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chaos, comes, pause } from '../harness/trio.ts';
import { until } from '../harness/wait.ts';

chaos({
    id: 'C7',
    what: 'the last participant at the edge where the room began leaves, and comes back after 12 s',
    targetMs: 2000,
    untouched: [1, 2],
    async happens(trio, now) {
        const { edges, people, pictures } = trio;
        await people[0]!.leave();
        await until('nobody at the first edge', async () => (await edges[0]!.tables()).participants, (count) => count === 0, 10_000);
        await pause(12_000); // longer than a registration counts
        await comes(trio, 0);
        const since = await now();
        await Promise.all([1, 2].flatMap((other) => [people[other]!.watch(pictures[0]!), people[0]!.watch(pictures[other]!)]));
        return since;
    },
});

const LOAD = fileURLToPath(new URL('../../../target/debug/nearcast-load', import.meta.url));

for (const joins of [200, 1000]) {
    chaos({
        id: `C14-${joins}`,
        what: `${joins} others join within a second, each with a transport of its own`,
        targetMs: 300,
        async happens({ call, edges }, now) {
            const since = await now();
            const flags = ['rush', '--joins', String(joins), ...edges.flatMap(({ http }) => ['--at', http])];
            const { stdout } = await promisify(execFile)(LOAD, flags, { timeout: 150_000 });
            call.figure(stdout.trim());
            const { asked, joined, later } = JSON.parse(stdout) as { asked: number; joined: number; later: number };
            if (joined + later < asked) throw new Error(`some got neither in nor a time to come back: ${stdout}`);
            return since;
        },
    });
}
