// What lies between edges is cut, and mixes up.

import { chaos, linked, part, pause } from '../harness/trio.ts';

for (const seconds of [1, 10]) {
    chaos({
        id: `C8-cut-${seconds}`,
        what: `the link between two edges is cut for ${seconds} s`,
        targetMs: 1000,
        untouched: [0, 2],
        async happens(trio, now) {
            part(trio, [0, 1], true);
            await pause(seconds * 1000);
            part(trio, [0, 1], false);
            return now();
        },
    });
}

chaos({
    id: 'C8-reorder',
    what: 'every fifth datagram between edges comes 15 ms late',
    targetMs: 1000,
    async happens({ roads }, now) {
        const since = await now();
        for (const way of roads.ways) way.reorder(5, 15);
        await pause(10_000);
        return since;
    },
});

chaos({
    id: 'C6',
    what: 'the owner is cut off from the store and the other edges for 20 s; somebody joins there, and the room has two owners',
    targetMs: 2000,
    untouched: [1, 2],
    async happens(trio, now) {
        const { call, edges, roads } = trio;
        const cutOff = (cut: boolean): void => {
            for (const other of [1, 2]) part(trio, [0, other], cut);
            if (cut) roads.toStore[0]!.cut({ refuse: true });
            else roads.toStore[0]!.admit();
        };
        const owned = async (place: number): Promise<number> => (await edges[place]!.stats()).cluster?.rooms_owned ?? 0;
        cutOff(true);
        await pause(12_000); // its registration counts for ten
        const dora = await call.enter('dora', { edge: edges[1]! });
        await pause(8_000);
        const owners = await Promise.all([0, 1, 2].map(owned));
        call.figure(`rooms owned while they are apart: ${owners.join(', ')}`);
        await dora.leave();
        cutOff(false);
        const [since, began] = [await now(), performance.now()];
        for (const edge of edges) await linked(edge, 2);
        call.figure(`linked again after ${(performance.now() - began).toFixed(0)} ms`);
        return since;
    },
});
