// Typed events reach whom they should, and nobody for longer than wanted.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './fakes.mjs';

const { TypedEventTarget } = await load('events');
class Source extends TypedEventTarget {}

test('on() gives the detail, and a way to stop', () => {
  const source = new Source();
  const heard = [];
  const stop = source.on('data', (event) => heard.push(event));
  source.emit('data', 1);
  stop();
  source.emit('data', 2);
  assert.deepEqual(heard, [1]);
});

test('once and signal end listening by themselves', () => {
  const source = new Source();
  const heard = [];
  const controller = new AbortController();
  source.on('data', (event) => heard.push(['once', event]), { once: true });
  source.on('data', (event) => heard.push(['signal', event]), { signal: controller.signal });
  source.emit('data', 1);
  controller.abort();
  source.emit('data', 2);
  assert.deepEqual(heard, [['once', 1], ['signal', 1]]);
});

test('it is a real EventTarget', () => {
  const source = new Source();
  const heard = [];
  const listener = { handleEvent: (event) => heard.push(event.detail) };
  source.addEventListener('data', listener);
  source.emit('data', 1);
  source.removeEventListener('data', listener);
  source.emit('data', 2);
  assert.deepEqual(heard, [1]);
});

test('an iterator gives what came since it was made and ends with the source', async () => {
  const source = new Source();
  source.emit('data', 0);
  const events = source.events('data');
  source.emit('data', 1);
  source.emit('data', 2);
  const heard = [];
  const reading = (async () => {
    for await (const event of events) heard.push(event);
  })();
  source.emit('data', 3);
  source.endEvents();
  await reading;
  assert.deepEqual(heard, [1, 2, 3]);
  assert.deepEqual(await source.events('data').next(), { done: true, value: undefined });
});

test('a reader that waits is woken by the end', async () => {
  const source = new Source();
  const next = source.events('data').next();
  source.endEvents();
  assert.deepEqual(await next, { done: true, value: undefined });
});

test('leaving the loop stops listening', async () => {
  const source = new Source();
  const events = source.events('data');
  source.emit('data', 1);
  for await (const event of events) {
    assert.equal(event, 1);
    break;
  }
  source.emit('data', 2);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test('an iterator nobody reads holds 1024 events and then drops the oldest', async () => {
  const source = new Source();
  const events = source.events('data');
  for (let count = 0; count < 2000; count++) source.emit('data', count);
  assert.equal((await events.next()).value, 2000 - 1024);
});
