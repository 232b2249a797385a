// Importing on a server does nothing at all.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

const dist = new URL('../dist/', import.meta.url);

/** What an import of `entry` leaves behind, in a fresh process. */
function traces(entry) {
  const script = `
    const globals = new Set(Reflect.ownKeys(globalThis));
    const wasm = [];
    for (const name of ['compile', 'instantiate', 'Module', 'Instance', 'Memory']) {
      WebAssembly[name] = new Proxy(WebAssembly[name], { apply: () => wasm.push(name), construct: () => (wasm.push(name), {}) });
    }
    for (const name of ['setTimeout', 'setInterval', 'queueMicrotask', 'fetch', 'addEventListener']) {
      globalThis[name] = () => wasm.push(name);
    }
    const exported = Object.keys(await import(${JSON.stringify(new URL(entry, dist).href)})).sort();
    const added = Reflect.ownKeys(globalThis).filter((key) => !globals.has(key) && key !== 'addEventListener').map(String);
    console.log(JSON.stringify({ exported, added, wasm }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

const shared = [
  'ConnectError', 'DeviceError', 'InternalError', 'LocalParticipant', 'LocalPublication', 'LocalTrack', 'MediaError', 'NearcastError', 'Participant',
  'Publication', 'RemoteParticipant', 'RemotePublication', 'RemoteTrack', 'Room', 'TokenError', 'Track', 'TypedEventTarget', 'UsageError', 'connect', 'devices',
  'qualityAdvice',
];

test('the whole package imports without a trace, and has prepare', () => {
  assert.deepEqual(traces('index.js'), { exported: [...shared, 'prepare'].sort(), added: [], wasm: [] });
});

test('the slim one too, and it has init', () => {
  assert.deepEqual(traces('slim.js'), { exported: [...shared, 'init'].sort(), added: [], wasm: [] });
});

test('the hooks too: nothing of the SDK is loaded until a room is wanted', () => {
  const hooks = ['Camera', 'Connection', 'Devices', 'LocalParticipant', 'Microphone', 'Participants', 'Path', 'Publications', 'Quality', 'Room', 'RoomEvent', 'ScreenShare', 'SoundPlayback', 'Speakers', 'Speaking'];
  const { exported, wasm } = traces('react.js');
  assert.deepEqual({ exported, wasm }, { exported: ['AudioTrack', 'RoomAudio', 'RoomProvider', 'VideoTrack', ...hooks.map((name) => `use${name}`)], wasm: [] });
});

test('so does the check before a call, and it has no core inside', async () => {
  assert.deepEqual(traces('preflight.js'), { exported: ['preflight'], added: [], wasm: [] });
  assert.ok((await readFile(new URL('preflight.js', dist))).length < 15_000);
});

test('so does the choice of an edge', async () => {
  assert.deepEqual(traces('regions.js'), { exported: ['pickEdge', 'tryEdges'], added: [], wasm: [] });
  assert.ok((await readFile(new URL('regions.js', dist))).length < 8_000);
});

test('so does encryption, with its worker inside', async () => {
  assert.deepEqual(traces('e2ee.js'), { exported: ['E2EE', 'passphraseKeys'], added: [], wasm: [] });
  assert.ok((await readFile(new URL('e2ee.js', dist))).length < 15_000);
});

test('the hooks are for the browser part of a Next.js app, and have no copy of React or of the SDK', async () => {
  const text = await readFile(new URL('react.js', dist), 'utf8');
  assert.match(text, /^"use client";/);
  assert.deepEqual([...text.matchAll(/(?:from|import\()"([^"]+)"/g)].map(([, name]) => name).filter((name, index, all) => all.indexOf(name) === index).sort(), ['nearcast', 'react']);
});

test('slim has no wasm inside, and says what is missing', async () => {
  assert.ok((await readFile(new URL('slim.js', dist))).length < 100_000);
  const { connect } = await import(new URL('slim.js', dist).href);
  await assert.rejects(connect('https://edge.example', 'token'), { name: 'UsageError', code: 'bad-argument', message: /init\(/ });
});

test('slim loads the core from bytes, a module or a response', async () => {
  const bytes = await readFile(new URL('core.wasm', dist));
  const sources = [bytes, await WebAssembly.compile(bytes), new Response(bytes, { headers: { 'content-type': 'application/wasm' } }), new Response(bytes)];
  for (const [index, source] of sources.entries()) {
    const { init } = await import(`${new URL('slim.js', dist).href}?${index}`);
    await init(source);
  }
  const { init } = await import(`${new URL('slim.js', dist).href}?failing`);
  await assert.rejects(init(new Response('', { status: 404 })), { code: 'core-load-failed', retryable: true });
  await init(bytes);
});
