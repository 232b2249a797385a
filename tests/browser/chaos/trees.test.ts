// An edge that passes a picture on to another one is lost to it: who is behind it gets the picture another way.

import { chaos, part, pause, type Trio } from '../harness/trio.ts';
import { until } from '../harness/wait.ts';

/** Ana is alone beyond the sea: her picture crosses it once. */
const regions = ['us', 'eu', 'eu'] as const;

/** Where ana's picture crosses: that edge, and the one that gets it from there. */
async function parentAndChild({ edges }: Trio): Promise<[number, number]> {
    const children = (place: number) => async (): Promise<number> => (await edges[place]!.stats()).total.core['children'] ?? 0;
    const [one, other] = [children(1), children(2)];
    const [atOne] = await until('an edge to pass a picture on', async () => [await one(), await other()] as const, ([at1, at2]) => at1 + at2 > 0, 20_000);
    return atOne > 0 ? [1, 2] : [2, 1];
}

/** Something happens to the edge that passes ana's picture on, or between it and the one that gets it from there. */
function inTree(id: string, what: string, targetMs: number, happens: (trio: Trio, parent: number, child: number) => Promise<void>): void {
    chaos({
        id,
        what,
        targetMs,
        regions,
        async happens(trio, now) {
            const [parent, child] = await parentAndChild(trio);
            trio.untouched = [0, child];
            await happens(trio, parent, child);
            return now();
        },
    });
}

inTree('T1', 'the edge that passes a picture on to another one is killed', 2000, async ({ edges }, parent) => edges[parent]!.kill());

inTree('T2', 'the edge that passes a picture on to another one stands still for 5 s and goes on', 2000, async ({ edges }, parent) => {
    edges[parent]!.freeze(true);
    await pause(5000); // how long it stands
    edges[parent]!.freeze(false);
});

inTree('T3', 'the link is cut for 10 s by which an edge passes a picture on', 1000, async (trio, parent, child) => {
    part(trio, [parent, child], true);
    await pause(10_000); // how long it is cut
    part(trio, [parent, child], false);
});
