// Addresses of edges, as people write them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { readFile } from 'node:fs/promises';
import { FakeCore, fakeGlue, load, withGlobals } from './fakes.mjs';

const { signalAddress } = await load('address');
const { connectWith } = await load('connect');
const { CoreInstance } = await load('core/instance');

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
  assert.equal(FakeCore.last.host.openSocket(undefined), sockets[0]);
  assert.notEqual(FakeCore.last.host.openSocket(undefined), sockets[0], 'once');
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
