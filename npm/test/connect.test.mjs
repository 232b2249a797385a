// Addresses of edges, as people write them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './fakes.mjs';

const { signalAddress } = await load('address');
const { connectWith } = await load('connect');

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
