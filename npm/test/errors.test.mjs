// Every failure has a class, a code, a sentence that helps, and whether to try again.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { load } from './fakes.mjs';

const { nearcastError, deviceError, knownCodes, ...classes } = await load('errors');
const source = (path) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

test('every code of the protocol and of the core is known', async () => {
  const protocol = [...(await source('protocol/src/error.rs')).matchAll(/ = \d+, "([a-z-]+)"/g)].map(([, code]) => code);
  const core = [...(await source('client-core/src/error.rs')).matchAll(/=> "([a-z-]+)"/g)].map(([, code]) => code);
  assert.ok(protocol.length > 20 && core.length > 5);
  assert.deepEqual([...protocol, ...core].filter((code) => !knownCodes.includes(code)), []);
});

test('docs/sdk.md lists every code with its class', async () => {
  const docs = await source('docs/sdk.md');
  for (const code of knownCodes) {
    const row = docs.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${code}\``));
    assert.ok(row, `${code} is missing`);
    assert.ok(row.includes(nearcastError(code).name), `${code} is in the row of another class`);
  }
});

test('whether to retry comes from the edge where it says so, else from the table', async () => {
  const rust = await source('protocol/src/error.rs');
  for (const [, code, retryable] of rust.matchAll(/ = \d+, "([a-z-]+)", retryable: (true|false)/g)) {
    if (code === 'session-unknown') continue; // the same request can't succeed, but connect() can
    assert.equal(nearcastError(code).retryable, retryable === 'true', code);
  }
  assert.equal(nearcastError('not-permitted', { retryable: true }).retryable, true);
});

test('an error is an Error of its class with code, text and cause', () => {
  const cause = new Error('why');
  const error = nearcastError('token-expired', { cause });
  assert.ok(error instanceof classes.TokenError && error instanceof classes.NearcastError && error instanceof Error);
  assert.deepEqual([error.name, error.code, error.retryable, error.cause], ['TokenError', 'token-expired', false, cause]);
  assert.match(error.message, /Fetch a new one/);
  assert.ok(!('cause' in nearcastError('token-expired')));
});

test('a text of the edge wins over the table, an unknown code still makes an error', () => {
  assert.equal(nearcastError('overloaded', { message: 'in 5 s' }).message, 'in 5 s');
  const unknown = nearcastError('from-the-future', { message: 'new', retryable: true });
  assert.ok(unknown instanceof classes.InternalError);
  assert.deepEqual([unknown.code, unknown.message, unknown.retryable], ['from-the-future', 'new', true]);
});

test('what the browser throws for devices says what to do', () => {
  const dom = (name, message = '') => new DOMException(message, name);
  const code = (cause, what = 'camera') => deviceError(cause, what).code;
  assert.equal(code(dom('NotAllowedError')), 'device-permission-denied');
  assert.equal(code(dom('NotFoundError')), 'device-not-found');
  assert.equal(code(dom('NotReadableError')), 'device-in-use');
  assert.equal(code(dom('OverconstrainedError')), 'device-constraints');
  assert.equal(code(new TypeError('mediaDevices')), 'device-unsupported');
  assert.equal(code(dom('NotAllowedError', 'Permission denied'), 'screen'), 'screen-cancelled');
  assert.equal(code(dom('NotAllowedError', 'Permission denied by system'), 'screen'), 'device-permission-denied');
  assert.match(deviceError(dom('NotFoundError'), 'microphone').message, /^Microphone: There is no such device/);
});
