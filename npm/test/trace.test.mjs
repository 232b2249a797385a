// What exportTrace() gives: the core's bytes in JSON that says where they come from, during the call and after it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeCore, fakeGlue, load } from './fakes.mjs';

const { CoreInstance } = await load('core/instance');
const { Session } = await load('session');
const { makeTrace } = await load('trace');

async function enter() {
  const instance = new CoreInstance(fakeGlue(), () => undefined);
  const connecting = Session.connect(instance, 'wss://edge/v1/signal', 'token', {});
  const core = FakeCore.last;
  core.join();
  return { core, instance, room: await connecting };
}

const bytes = ({ core }) => [...Buffer.from(core, 'base64')];

test('a trace says what wrote it, where and when', async () => {
  const { room } = await enter();
  const trace = await room.exportTrace();
  assert.deepEqual(Object.keys(trace), ['kind', 'sdk', 'userAgent', 'exportedAt', 'core']);
  assert.deepEqual([trace.kind, trace.sdk], ['nearcast-trace', 'test']);
  assert.equal(new Date(trace.exportedAt).toISOString(), trace.exportedAt);
  assert.deepEqual(bytes(trace), [1, 2, 250, 0]);
  assert.deepEqual(JSON.parse(JSON.stringify(trace)), trace);
});

test('a call that is over can still be exported, with its end', async () => {
  const { room } = await enter();
  await room.leave();
  assert.deepEqual(bytes(await room.exportTrace()), [1, 2, 250, 1]);
});

test('a core that panicked has taken its trace with it', async () => {
  const { room, instance } = await enter();
  const closed = new Promise((resolve) => room.on('closed', resolve));
  instance.fail('src/room.rs:7');
  await assert.rejects(room.exportTrace(), { code: 'core-panicked' });
  await closed;
  await assert.rejects(room.exportTrace(), { code: 'core-panicked' });
});

test('a journal at its bound becomes text', () => {
  const core = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
  assert.ok(Buffer.from(makeTrace(core, '1').core, 'base64').equals(core));
});
