// Every code that the SDK or the edge can give has words of its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { codeOf, deviceErrorCode, KNOWN_CODES, wordsFor } from '../src/errors.ts';
import { TokenRouteError } from '../src/token.ts';

/** Tests run in demo/ (test.mjs). */
const read = (path: string): string => readFileSync(`../${path}`, 'utf8');

function assertCovered(codes: string[], from: string): void {
  assert.ok(codes.length >= 20, `${from} has changed its shape: only ${codes.length} codes found`);
  assert.deepEqual(codes.filter((code) => !KNOWN_CODES.includes(code)), [], `codes of ${from} without words`);
}

test('every code of the SDK', () => {
  const union = /type KnownErrorCode =([^;]+);/.exec(read('npm/src/errors.ts'))?.[1] ?? '';
  assertCovered([...union.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code), 'npm/src/errors.ts');
});

test('every code of the signalling protocol', () => {
  const rows = read('protocol/src/error.rs').matchAll(/= \d+, "([a-z-]+)", retryable/g);
  assertCovered([...rows].map(([, code = '']) => code), 'protocol/src/error.rs');
});

test('words are whole: a title without a full stop, a text that says what to do', () => {
  for (const code of KNOWN_CODES) {
    const { title, text } = wordsFor(code);
    assert.match(title, /^\p{Lu}.*[^.]$/u, code);
    assert.match(text, /^\p{Lu}.*\.$/su, code);
    assert.doesNotMatch(title + text, /[{}]/, code);
  }
});

test('words about a device name it', () => {
  assert.equal(wordsFor('device-not-found', 'microphone').title, 'No microphone found');
  assert.equal(wordsFor('device-not-found').title, 'No camera or microphone found');
});

test('a code from the future, or from a prototype, gets general words', () => {
  assert.deepEqual(wordsFor('quantum-flux'), wordsFor('internal'));
  assert.deepEqual(wordsFor('constructor'), wordsFor('internal'));
});

test('what the browser throws about devices becomes a code with words', () => {
  const named = (name: string): Error => Object.assign(new Error('…'), { name });
  const expected = {
    NotAllowedError: 'device-permission-denied',
    NotFoundError: 'device-not-found',
    NotReadableError: 'device-in-use',
    OverconstrainedError: 'device-constraints',
    TypeError: 'device-unsupported',
    Surprise: 'internal',
  };
  for (const [name, code] of Object.entries(expected)) assert.equal(deviceErrorCode(named(name)), code);
});

test('the code of an error: its own, or that of the token route inside it', () => {
  assert.equal(codeOf(Object.assign(new Error('…'), { code: 'room-full' })), 'room-full');
  const route = new TokenRouteError('token-minting-off', '…');
  assert.equal(codeOf(route), 'token-minting-off');
  assert.equal(codeOf(Object.assign(new Error('…', { cause: route }), { code: 'token-unavailable' })), 'token-minting-off');
  assert.equal(codeOf(Object.assign(new Error('…', { cause: new Error('socket') }), { code: 'edge-unreachable' })), 'edge-unreachable');
  assert.equal(codeOf('a string'), 'internal');
});
