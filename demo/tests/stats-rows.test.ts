import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrackStats } from 'nearcast';
import { pausedInWords } from '../src/layer-words.ts';
import { bitrate, statsRows } from '../src/stats-rows.ts';

const video: TrackStats = {
  publication: 'v', participant: 'p', kind: 'video', codec: 'vp8', bitrate: 1_432_000, lossRatio: 0.0024,
  width: 1280, height: 720, framesPerSecond: 29.7, qualityLimitationReason: 'none', freezeCount: 0,
};
const audio: TrackStats = { publication: 'a', participant: 'p', kind: 'audio', codec: 'opus', bitrate: 31_400, lossRatio: 0.5, jitterMs: 3.6 };

test('a tile with picture and sound', () => {
  assert.deepEqual(statsRows(video, audio, 14.2), [
    ['Video', '1280×720 · 30 fps'],
    ['Bitrate', '1.4 Mb/s'],
    ['Codec', 'VP8 · opus'],
    ['Loss', '0.2 %'],
    ['RTT', '14 ms'],
    ['Audio', '31 kb/s · ±4 ms'],
  ]);
});

test('what is not known is not shown', () => {
  assert.deepEqual(statsRows(undefined, undefined, undefined), []);
  assert.deepEqual(statsRows({ publication: 'v', participant: 'p', kind: 'video' }, undefined, undefined), []);
});

test('sound alone shows its own loss', () => {
  assert.deepEqual(Object.fromEntries(statsRows(undefined, audio, undefined)), { Codec: 'opus', Loss: '50.0 %', Audio: '31 kb/s · ±4 ms' });
});

test('trouble has rows of its own', () => {
  const rows = Object.fromEntries(statsRows({ ...video, qualityLimitationReason: 'bandwidth', freezeCount: 2 }, undefined, undefined));
  assert.equal(rows['Limited by'], 'bandwidth');
  assert.equal(rows.Freezes, '2');
});

test('bit rates in the unit that reads best', () => {
  assert.deepEqual([0, 900, 31_400, 999_499, 999_500, 2_500_000].map(bitrate), ['0 kb/s', '1 kb/s', '31 kb/s', '999 kb/s', '1.0 Mb/s', '2.5 Mb/s']);
  assert.equal(bitrate(undefined), undefined);
});

test('what the edge sends, and why not more', () => {
  const layer = { width: 640, height: 360, framesPerSecond: 15, bitrate: 400_000, paused: false, reason: 'bandwidth' } as const;
  const rows = Object.fromEntries(statsRows(video, undefined, undefined, layer));
  assert.deepEqual([rows.Layer, rows.Because], ['640×360 · 15 fps · 400 kb/s', 'your connection carries no more']);
  assert.equal(Object.fromEntries(statsRows(video, undefined, undefined, { ...layer, paused: true })).Layer, 'paused');
});

test('a picture that stands still says why, unless nobody would miss it', () => {
  const layer = { width: 0, height: 0, framesPerSecond: 0, bitrate: 0, paused: true };
  assert.equal(pausedInWords({ ...layer, reason: 'priority' }), 'Paused: your connection is needed for other pictures');
  assert.equal(pausedInWords({ ...layer, reason: 'hidden' }), undefined);
  assert.equal(pausedInWords({ ...layer, paused: false, reason: 'bandwidth' }), undefined);
});
