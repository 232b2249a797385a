// The check before a call, and the choice of an edge, by the entries that applications use.

import { connections } from './rtc-census.ts'; // first: it counts what the SDK makes
import { preflight } from 'nearcast/preflight';
import { pickEdge } from 'nearcast/regions';
import { expose } from './expose.ts';
import type { PreflightPage } from './preflight-contract.ts';

const shown = new Set<string>();

const page: PreflightPage = {
    async run(url, token) {
        const since = performance.now();
        const onProgress = (checks: readonly { name: string; status: string }[]): void => checks.forEach(({ name, status }) => shown.add(`${name} ${status}`));
        const { ok, checks } = await preflight(url, token, { onProgress });
        return { ok, checks: [...checks], shown: [...shown], ms: performance.now() - since };
    },
    async aborted(url, token, ms) {
        const stop = new AbortController();
        setTimeout(() => stop.abort(new Error('enough')), ms);
        const reason = await preflight(url, token, { signal: stop.signal }).then(() => 'it ended', String);
        return { reason, open: connections().filter(({ connectionState }) => connectionState !== 'closed').length };
    },
    async pick(url, timeoutMs) {
        const since = performance.now();
        const { id, edges } = await pickEdge(url, timeoutMs === undefined ? {} : { timeoutMs });
        return { picked: id, edges: edges.map(({ id, rttMs }) => ({ id, rttMs })), ms: performance.now() - since };
    },
    snapshot: async () => ({ shown: [...shown], connections: connections().map(({ connectionState, iceConnectionState }) => ({ connectionState, iceConnectionState })) }),
};
expose(page);
