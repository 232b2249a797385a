// Addresses of edges, as people write them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { readFile } from 'node:fs/promises';
import { FakeCore, fakeGlue, load, withGlobals } from './fakes.mjs';

const { signalAddress } = await load('address');
const { connectWith } = await load('connect');
const { CoreInstance } = await load('core/instance');
const { openSocket } = await load('socket');

test('every form of an address leads to the signalling socket', () => {
  for (const [written, address] of [
    ['https://edge.example', 'wss://edge.example/v1/signal'],
    ['http://localhost:8080/', 'ws://localhost:8080/v1/signal'],
    ['wss://edge.example/v1/signal', 'wss://edge.example/v1/signal'],
    ['https://example.com/calls/', 'wss://example.com/calls/v1/signal'],
    ['https://[2001:db8::1]:7000?x=1#y', 'wss://[2001:db8::1]:7000/v1/signal'],
  ]) {
    assert.equal(signalAddress(written), address);
  }
});

test('anything else is refused with an example', () => {
  for (const written of ['edge.example', '', 'ftp://edge.example', 'javascript:alert(1)']) {
    assert.throws(() => signalAddress(written), { name: 'UsageError', code: 'bad-argument' }, written);
  }
});

test('without WebRTC, connect() says so before it loads anything', async () => {
  const load = () => assert.fail('loaded');
  await assert.rejects(connectWith(load, 'https://edge.example', 'token', {}), { code: 'webrtc-unsupported', retryable: false });
});

/** WebSockets that only note what becomes of them. */
function fakeSockets(t) {
  const sockets = [];
  const WebSocket = class {
    closed = false;
    sent = [];
    send(bytes) {
      this.sent.push(bytes);
    }
    constructor(address, protocol) {
      sockets.push(Object.assign(this, { address, protocol }));
    }
    close() {
      this.closed = true;
    }
  };
  withGlobals(t, { WebSocket, RTCPeerConnection: class {} });
  return sockets;
}

test('the socket opens while the core is loaded, and the core takes it', async (t) => {
  const sockets = fakeSockets(t);
  let loaded;
  const entering = connectWith(() => new Promise((resolve) => (loaded = resolve)), 'https://edge.example', 'token', {});
  assert.equal(sockets.length, 1);
  assert.equal(sockets[0].address, 'wss://edge.example/v1/signal');
  loaded(new CoreInstance(fakeGlue(), () => undefined));
  await new Promise(setImmediate);
  FakeCore.last.host.openSocket(undefined).close();
  assert.deepEqual(sockets.map(({ closed }) => closed), [true], 'the same one');
  FakeCore.last.host.openSocket(undefined).close();
  assert.equal(sockets.length, 2, 'once');
  FakeCore.last.join();
  (await entering).leave();
});

test('a core that does not load leaves no socket behind, and neither does an early end', async (t) => {
  const sockets = fakeSockets(t);
  await assert.rejects(connectWith(() => Promise.reject(new Error('no')), 'https://edge.example', 'token', {}), { message: 'no' });
  const stop = new AbortController();
  const load = async () => (stop.abort(), new CoreInstance(fakeGlue(), () => undefined));
  await assert.rejects(connectWith(load, 'https://edge.example', 'token', { signal: stop.signal }), { code: 'aborted' });
  assert.deepEqual(sockets.map(({ closed }) => closed), [true, true]);
});

test('both halves speak of the same protocol', async (t) => {
  const sockets = fakeSockets(t);
  await assert.rejects(connectWith(() => Promise.reject(new Error('no')), 'https://edge.example', 'token', {}));
  const source = await readFile(new URL('../../protocol/src/lib.rs', import.meta.url), 'utf8');
  assert.equal(sockets[0].protocol, /SUBPROTOCOL_CBOR: &str = "([^"]+)"/.exec(source)[1]);
});

test('three sockets try half a second apart, and the first to open is the one', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sockets = fakeSockets(t);
  const socket = openSocket('wss://edge.example/v1/signal');
  const told = [];
  for (const type of ['onopen', 'onmessage', 'onclose']) socket[type] = ({ data }) => told.push(`${type} ${data}`);
  t.mock.timers.tick(499);
  assert.equal(sockets.length, 1);
  for (const ms of [1, 500, 500, 500]) t.mock.timers.tick(ms);
  assert.equal(sockets.length, 3);

  sockets[0].onclose({ data: 'refused' });
  assert.deepEqual([socket.readyState, told], [0, []], 'others still try');
  sockets[1].onopen({ data: 'second' });
  assert.deepEqual([socket.readyState, told.pop()], [1, 'onopen second']);
  assert.deepEqual([sockets[2].closed, sockets[2].onopen], [true, null]);
  socket.send('hello');
  sockets[1].onmessage({ data: 'hi' });
  assert.deepEqual([sockets.map(({ sent }) => sent), told.pop()], [[[], ['hello'], []], 'onmessage hi']);
  sockets[1].onclose({ data: 'gone' });
  assert.deepEqual([socket.readyState, told.pop()], [3, 'onclose gone']);
});

test('a socket that is refused or closed begins no other', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sockets = fakeSockets(t);
  const [refused, closed] = ['wss://one.example', 'wss://two.example'].map((address) => openSocket(address));
  let told = 0;
  refused.onclose = () => (told += 1);
  sockets[0].onclose({});
  closed.close();
  t.mock.timers.tick(5000);
  assert.deepEqual([told, refused.readyState, closed.readyState, sockets.length], [1, 3, 3, 2]);
});
