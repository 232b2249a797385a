// What the "why?" panel remembers, draws and says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layer, RoomStats, TrackStats } from 'nearcast';
import { axisTop, curve, PLOT } from '../src/why-plot.ts';
import { History, SPAN_MS } from '../src/why-series.ts';
import { layerInWords, otherInWords, stateInWords } from '../src/why-words.ts';

const track = (lossRatio?: number): TrackStats => ({ publication: 'p', participant: 'a', kind: 'video', ...(lossRatio !== undefined && { lossRatio }) });

const stats = (received: number, sent: number, rest: Partial<RoomStats> = {}): RoomStats => ({
  transport: { bytesReceived: received, bytesSent: sent },
  publications: [],
  subscriptions: [],
  ...rest,
});

test('rates are those since the reading before, and unknown at first', () => {
  const history = new History();
  history.read(0, stats(1000, 500), undefined);
  history.read(2000, stats(251_000, 125_500, { rttMs: 40 }), 88);
  const [first, second] = history.readings;
  assert.deepEqual([first?.incoming, first?.outgoing], [undefined, undefined]);
  assert.deepEqual([second?.incoming, second?.outgoing, second?.rtt, second?.score], [1_000_000, 500_000, 40, 88]);
});

test('another transport counts from zero: no rate rather than a wrong one', () => {
  const history = new History();
  history.read(0, stats(9000, 9000), undefined);
  history.read(1000, stats(10, 9100), undefined);
  assert.deepEqual([history.readings[1]?.incoming, history.readings[1]?.outgoing], [undefined, 800]);
});

test('a reading that failed is a gap, also for the rate behind it', () => {
  const history = new History();
  history.read(0, stats(0, 0), undefined);
  history.miss(1000);
  history.read(2000, stats(5000, 5000), undefined);
  assert.deepEqual(history.readings.map(({ incoming }) => incoming), [undefined, undefined, undefined]);
});

test('loss is that of the worst track', () => {
  const history = new History();
  history.read(0, stats(0, 0, { subscriptions: [track(), track(0.02), track(0.3)], publications: [track()] }), undefined);
  assert.deepEqual([history.readings[0]?.lossIn, history.readings[0]?.lossOut], [0.3, undefined]);
});

test('five minutes are kept, and never more than the bounds', () => {
  const history = new History();
  for (let second = 0; second < 4000; second += 1) history.read(second * 1000, stats(second, second), undefined);
  assert.equal(history.readings[0]?.at, 3999 * 1000 - SPAN_MS);
  assert.equal(history.readings.length, SPAN_MS / 1000 + 1);
  for (let index = 0; index < 5000; index += 1) history.decide({ at: index, what: String(index), why: '' });
  assert.deepEqual([history.decisions.length, history.decisions.at(-1)?.what], [200, '4999']);
  history.decide({ at: 5000 + SPAN_MS, what: 'later', why: '' });
  assert.deepEqual(history.decisions.map(({ what }) => what), ['later']);
});

test('a curve runs from left to right and from the lower edge to the top', () => {
  assert.equal(curve([[0, 0], [50, 5], [100, 10]], 100, 100, 10), `M0 ${PLOT.height}h0L${PLOT.width / 2} ${PLOT.height / 2}L${PLOT.width} 0`);
  assert.equal(curve([[100, 99]], 100, 100, 10), `M${PLOT.width} 0h0`, 'what is too high stays inside');
});

test('a gap is a gap', () => {
  const path = curve([[0, 1], [25, undefined], [50, 1], [100, 1]], 100, 100, 1);
  assert.equal(path.match(/M/g)?.length, 2);
});

test('axes end in round numbers', () => {
  assert.deepEqual([[0, 100_000], [130_000, 100_000], [2_500_000, 1], [5, 5], [0.3, 0.05]].map(([highest = 0, least = 0]) => axisTop(highest, least)), [
    100_000, 200_000, 5_000_000, 5, 0.5,
  ]);
});

test('decisions say what and why', () => {
  const layer: Layer = { width: 640, height: 360, framesPerSecond: 30, bitrate: 450_000, paused: false, reason: 'bandwidth' };
  assert.deepEqual(layerInWords("Ada's camera", layer), { what: "Ada's camera: 640×360, 450 kb/s", why: 'your connection carries no more' });
  assert.equal(layerInWords('Ada', { ...layer, paused: true }).what, 'Ada: paused');
  assert.deepEqual(stateInWords('reconnecting', 'no-pong'), { what: 'Connection interrupted', why: 'the edge did not answer a ping' });
  assert.deepEqual(stateInWords('disconnected', 'token-expired'), { what: 'Call over', why: 'token-expired' });
});

test('events of other SDKs are told as far as they are understood', () => {
  const quality = { score: 62, level: 'poor', cause: 'uplink-loss', action: 'check-network', contributions: {} };
  assert.deepEqual(otherInWords('quality', 'Your connection', quality), { what: 'Your connection: poor, check network, score 62', why: 'uplink loss' });
  assert.deepEqual(otherInWords('adapted', 'camera', { step: 'half-frame-rate', reason: 'cpu' }), { what: 'camera: half frame rate', why: 'cpu' });
  for (const odd of [undefined, null, 7, { level: {} }]) assert.deepEqual(otherInWords('adapted', '', odd), { what: 'adapted', why: '' });
});
