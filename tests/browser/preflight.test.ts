// The check before a call: over a good network, with a token that the edge refuses, and behind a firewall that lets no UDP through.

import assert from 'node:assert/strict';
import { scenarios, type Emulated } from './harness/emulated.ts';
import type { CheckFacts, PreflightPage } from './page/preflight-contract.ts';
import { until } from './harness/wait.ts';

const open = async ({ call, link }: Emulated) => call.open<PreflightPage>('preflight', 'preflight', await call.browser('chromium', { own: true, network: link.near }));
const states = (checks: readonly CheckFacts[]): Record<string, string> => Object.fromEntries(checks.map(({ name, status }) => [name, status]));
const of = (checks: readonly CheckFacts[], name: string): CheckFacts => checks.find((check) => check.name === name) ?? { name, status: 'missing' };

const after = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, 'skipped']));
const DEVICES = { microphone: 'passed', camera: 'passed' };

await scenarios(import.meta.url, [
    {
        name: 'preflight',
        promise: 'over a good network all passes',
        options: { network: { both: { delay_ms: 25, rate_kbps: 4000, queue_ms: 300 } } },
        body: async (emulated) => {
            const { call } = emulated;
            const page = await open(emulated);
            const token = await call.edge.token(call.room, 'ana');
            const { ok, checks, shown, ms } = await page.run(`http://${call.edge.http}`, token);
            call.figure(`${ms.toFixed(0)} ms: ${checks.map(({ name, status, value }) => `${name} ${status} ${value?.toFixed(2) ?? ''}`).join(', ')}`);
            const passed = ['websocket', 'token', 'udp', 'loss', 'rtt', 'throughput'];
            assert.deepEqual(states(checks), { ...Object.fromEntries(passed.map((name) => [name, 'passed'])), ...after('tcp', 'turn'), ...DEVICES });
            assert.ok(ok);
            assert.ok(passed.every((name) => ['waiting', 'running', 'passed'].every((status) => shown.includes(`${name} ${status}`) || (name === 'websocket' && status === 'waiting'))), shown.join());
            const [rtt = 0, bits = 0] = [of(checks, 'rtt').value, of(checks, 'throughput').value];
            assert.ok(rtt >= 50 && rtt < 1000, `${rtt} ms over a way of 50`); // a busy machine adds its own
            assert.ok(bits > 100_000 && bits < 4_500_000, `${bits} bit/s over a way of 4 Mbit/s`);
            assert.equal(of(checks, 'loss').value, 0);
            await until('the edge to be left', () => call.edge.tables(), ({ participants }) => participants === 0);

            const { reason, open: left } = await page.aborted(`http://${call.edge.http}`, token, 1000);
            assert.deepEqual([reason, left], ['Error: enough', 0]);
        },
    },
    {
        name: 'preflight with a bad token',
        promise: 'the token is named',
        options: {},
        body: async (emulated) => {
            const { call } = emulated;
            const page = await open(emulated);
            const { ok, checks } = await page.run(`http://${call.edge.http}`, 'not.a.token');
            const { status, remedy } = of(checks, 'token');
            assert.equal(status, 'failed');
            assert.match(remedy ?? '', /token is not valid: .* mint it/);
            assert.deepEqual(states(checks), { websocket: 'passed', token: 'failed', ...after('udp', 'tcp', 'turn', 'loss', 'rtt', 'throughput'), ...DEVICES });
            assert.equal(ok, false);

            const nowhere = await page.run('http://10.78.0.1:9', 'not.a.token');
            assert.equal(of(nowhere.checks, 'websocket').status, 'failed');
            assert.match(of(nowhere.checks, 'websocket').remedy ?? '', /was not reached/);
        },
    },
    {
        name: 'preflight without UDP',
        promise: 'the firewall is named',
        options: { flags: ['--tcp', 'off'] },
        body: async (emulated) => {
            const { call, link } = emulated;
            await link.set({ block: 'udp' });
            const page = await open(emulated);
            const { ok, checks } = await page.run(`http://${call.edge.http}`, await call.edge.token(call.room, 'ana'));
            assert.deepEqual(states(checks), { websocket: 'passed', token: 'passed', udp: 'failed', ...after('tcp', 'turn', 'loss', 'rtt', 'throughput'), ...DEVICES });
            assert.match(of(checks, 'udp').remedy ?? '', /No media over UDP/);
            assert.equal(ok, false);
        },
    },
    {
        name: 'preflight over TCP',
        promise: 'the edge itself is the way around the firewall',
        options: {},
        body: async (emulated) => {
            const { call, link } = emulated;
            await link.set({ block: 'udp' });
            const page = await open(emulated);
            const { ok, checks, ms } = await page.run(`http://${call.edge.http}`, await call.edge.token(call.room, 'ana'));
            call.figure(`${ms.toFixed(0)} ms: ${checks.map(({ name, status, value }) => `${name} ${status} ${value?.toFixed(2) ?? ''}`).join(', ')}`);
            const passed = ['websocket', 'token', 'tcp', 'loss', 'rtt', 'throughput'];
            assert.deepEqual(states(checks), { ...Object.fromEntries(passed.map((name) => [name, 'passed'])), udp: 'failed', ...after('turn'), ...DEVICES });
            assert.ok(ok);
        },
    },
]);
