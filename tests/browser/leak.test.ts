// Fifty stays in one page leave nothing behind: no Room that the garbage collector could not take, no open connection.

import assert from 'node:assert/strict';
import type { CDPSession } from 'puppeteer-core';
import { callTest, type Call } from './harness/call.ts';
import { until } from './harness/wait.ts';
import type { LeakPage } from './page/contract.ts';

const CYCLES = 50;

callTest('50 join/leave cycles leave no live Room and no open connection', { timeoutMs: 120_000 }, async (call) => {
    // Somebody publishes, so that every stay also subscribes and receives.
    const ana = await call.enter('ana');
    await ana.publishPicture({ pattern: 0, width: 160, height: 90 });
    const { page, cdp } = await open(call);

    // First a few that are kept on purpose: the counting must see them.
    await page.cycle(`http://${call.edge.http}`, await tokens(call, 3), true);
    await collect(cdp);
    assert.equal((await page.census()).liveRooms, 3, 'a Room that is held counts as live');
    await page.letGo();
    const warm = await settled(page, cdp);

    const began = Date.now();
    await page.cycle(`http://${call.edge.http}`, await tokens(call, CYCLES));
    const perCycle = (Date.now() - began) / CYCLES;
    const { heap, census } = await settled(page, cdp);
    call.figure(`${CYCLES} cycles of ${perCycle.toFixed(0)} ms; ${census.openedConnections} connections opened, ${census.uncollectedConnections} not collected`);
    call.figure(`heap ${(warm.heap / 1024).toFixed(0)} → ${(heap / 1024).toFixed(0)} KiB: ${((heap - warm.heap) / CYCLES).toFixed(0)} bytes a cycle`);
    assert.ok(census.openedConnections >= CYCLES + 3, 'every stay opened a connection');
    // Where many come and go, the others are told a few times a second.
    await until('ana to have been told', () => ana.participants(), (others) => others.length === 0);
});

async function open(call: Call): Promise<{ page: LeakPage; cdp: CDPSession }> {
    const page = await call.open<LeakPage>('leak', 'guest');
    return { page, cdp: await page.tab.page.createCDPSession() };
}

async function tokens(call: Call, count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => call.edge.token(call.room, `guest-${i}`)));
}

async function collect(cdp: CDPSession): Promise<void> {
    await cdp.send('HeapProfiler.collectGarbage');
}

/** Collects garbage until no Room and no connection is left. */
async function settled(page: LeakPage, cdp: CDPSession): Promise<{ heap: number; census: Awaited<ReturnType<LeakPage['census']>> }> {
    const census = await until(
        'all rooms to be collected and all connections closed',
        async () => {
            await collect(cdp); // finalizers of one round free what the next one collects
            return page.census();
        },
        ({ liveRooms, openConnections }) => liveRooms === 0 && openConnections === 0,
    );
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    return { heap: usedSize, census };
}
