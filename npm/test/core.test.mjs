// The wasm core loads lazily, is packed without loss, and is replaced after a panic.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { load, settle } from './fakes.mjs';

const { CoreLoader } = await load('core/instance');
const { unpackLzma } = await load('core/lzma');
const { unpackModule } = await load('core/unpack');
const { makeGlue, packedCore } = await load('core/generated');

const glue = (callbacks = []) => ({ default: async () => undefined, Core: class {}, onPanic: (callback) => callbacks.push(callback) });
const source = async () => ({});

test('the packed core is core.wasm', async () => {
  const plain = await readFile(new URL('../dist/core.wasm', import.meta.url));
  assert.ok(Buffer.from(unpackLzma(Buffer.from(packedCore, 'base64'))).equals(plain));
  const exports = WebAssembly.Module.exports(await unpackModule(packedCore));
  assert.deepEqual(exports, WebAssembly.Module.exports(await WebAssembly.compile(plain)));
});

test('each glue has an instance of its own', async () => {
  const module = await unpackModule(packedCore);
  const [one, two] = [makeGlue(), makeGlue()];
  await one.default({ module_or_path: module });
  await two.default({ module_or_path: module });
  assert.notEqual(one.Core, two.Core);
});

test('the core tells where it panics, before it traps', async (t) => {
  const { default: start, Core, onPanic } = makeGlue();
  await start({ module_or_path: await unpackModule(packedCore) });
  const told = [];
  onPanic((...where) => told.push(where));
  const core = new Core({ closed() {} }, true, 1000, 1000, 'test', {});
  // The core reads the clock while it works: nothing may call it then.
  t.mock.method(performance, 'now', () => core.leave());
  assert.throws(() => core.leave(), WebAssembly.RuntimeError);
  t.mock.restoreAll();
  assert.equal(told.length, 1);
  assert.match(told[0][0], /runner\.rs$/);
  assert.ok(told[0][1] > 0);
});

test('one instance serves all rooms', async () => {
  const loader = new CoreLoader(() => glue());
  assert.equal(await loader.load(source), await loader.load(source));
});

test('a failed load is not remembered', async () => {
  const loader = new CoreLoader(() => glue());
  const cause = new Error('offline');
  await assert.rejects(loader.load(() => Promise.reject(cause)), { name: 'ConnectError', code: 'core-load-failed', retryable: true, cause });
  assert.ok(await loader.load(source));
});

test('a panic ends all rooms of the instance, and the next one is fresh', async () => {
  const callbacks = [];
  const loader = new CoreLoader(() => glue(callbacks));
  const instance = await loader.load(source);
  const told = [];
  for (const name of ['a', 'b']) instance.add({ corePanicked: (where) => told.push([name, where]) });
  callbacks[0]('src/room.rs', 7);
  assert.deepEqual(told, [], 'not inside the dying core');
  await settle();
  assert.deepEqual(told, [['a', 'src/room.rs:7'], ['b', 'src/room.rs:7']]);
  assert.throws(() => instance.enter(() => assert.fail('entered')), { code: 'core-panicked' });
  assert.notEqual(await loader.load(source), instance);
});

test('a trap during a call is a panic, an exception is not', async () => {
  const instance = await new CoreLoader(() => glue()).load(source);
  assert.throws(() => instance.enter(() => { throw new RangeError('yours'); }), RangeError);
  assert.equal(instance.enter(() => 7), 7);
  const trap = new WebAssembly.RuntimeError('unreachable');
  assert.throws(() => instance.enter(() => { throw trap; }), { name: 'InternalError', code: 'core-panicked', cause: trap });
  assert.ok(instance.failed);
});
