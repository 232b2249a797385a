// Edges are killed, stand still and are deployed anew under a call.

import { chaos, linked, pause } from '../harness/trio.ts';
import { until } from '../harness/wait.ts';

chaos({
    id: 'C1',
    what: 'an edge is killed, and who was on it goes on at another',
    targetMs: 2000,
    untouched: [1, 2],
    async happens({ edges }, now) {
        const killed = await now();
        await edges[0]!.kill();
        return killed;
    },
});

for (const seconds of [5, 30]) {
    chaos({
        id: `C3-${seconds}`,
        what: `an edge stands still for ${seconds} s and goes on`,
        targetMs: 2000,
        untouched: [1, 2],
        async happens({ edges }, now) {
            edges[0]!.freeze(true);
            await pause(seconds * 1000); // how long it stands
            edges[0]!.freeze(false);
            return now();
        },
    });
}

chaos({
    id: 'C2',
    what: 'all edges are deployed anew, one after the other',
    targetMs: 2000,
    gapMs: 200,
    timeoutMs: 400_000,
    async happens({ call, edges, roads, flags }, now) {
        let since = await now();
        for (const place of edges.keys()) {
            since = await now();
            await edges[place]!.stop();
            edges[place] = await call.anotherEdge({ flags: flags(place) });
            roads.ways[place]!.to(edges[place]!.relay);
            for (const edge of edges) await linked(edge, 2);
        }
        return since;
    },
});

/** `make chaos BEFORE=REVISION` builds it. */
const older = process.env['NEARCAST_EDGE_BEFORE'];

chaos({
    id: 'C9',
    what: 'one edge is of the version before, until it is deployed anew',
    targetMs: 2000,
    untouched: [1, 2],
    ...(older === undefined ? { skip: 'no version before: make chaos BEFORE=REVISION' } : { programs: { 0: older } }),
    async happens({ call, edges, people, pictures, roads, flags }, now) {
        await pause(3000); // that they see each other is shown already
        const since = await now();
        await edges[0]!.stop();
        edges[0] = await call.anotherEdge({ flags: flags(0) });
        roads.ways[0]!.to(edges[0].relay);
        for (const edge of edges) await linked(edge, 2);
        // That version may give no claims: then who was there comes as somebody new.
        const published = async (): Promise<string | undefined> => (await people[1]!.participants()).find(({ identity }) => identity === 'ana')?.publications[0];
        await until('ana to publish elsewhere', published, (id) => id !== undefined, 60_000);
        const id = (await published())!;
        if (id !== pictures[0]) {
            pictures[0] = id;
            await Promise.all([1, 2].map((other) => people[other]!.watch(id)));
        }
        return since;
    },
});
