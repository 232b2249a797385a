// What browsers report becomes records of numbers. The files beside the dumps are what client-core is tested with.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import test from 'node:test';
import { load } from './fakes.mjs';

const { flatten, newNumbers, STRIDE } = await load('flatten');
const folder = new URL('./fixtures/stats/', import.meta.url);
const reports = (list) => new Map(list.map((report) => [report.id, report]));

const lines = (numbers) => {
  const all = [];
  for (let at = 0; at < numbers.length; at += STRIDE) all.push(numbers.subarray(at, at + STRIDE).join(' '));
  return all;
};

for (const name of (await readdir(folder)).filter((file) => file.endsWith('.json'))) {
  test(`${name} flattened is the file beside it`, async () => {
    const { readings } = JSON.parse(await readFile(new URL(name, folder), 'utf8'));
    const text = readings.map((reading) => lines(flatten(reports(reading), newNumbers())).map((line) => `${line}\n`).join('')).join('\n');
    const beside = new URL(name.replace('.json', '.flat.txt'), folder);
    assert.equal(text, await readFile(beside, 'utf8'), 'was a dump captured anew? Then write this to the file');
  });
}

/** The names of the fields, as client-core counts them. */
const record = await readFile(new URL('../../client-core/src/stats/record.rs', import.meta.url), 'utf8');
const fields = [...record.match(/pub enum Field \{(.*?)\n\}/s)[1].matchAll(/^ {4}(\w+),$/gm)].map(([, name]) => name);

test('each number is where the core looks for it', () => {
  assert.match(record, new RegExp(`STRIDE: usize = ${STRIDE};`));
  assert.ok(fields.length <= STRIDE);
  const sent = {
    type: 'outbound-rtp', kind: 'video', mid: '7', ssrc: 11, timestamp: 12, bytesSent: 13, packetsSent: 14, framesEncoded: 15, totalEncodeTime: 16,
    qpSum: 17, framesPerSecond: 18, frameWidth: 19, frameHeight: 20, active: true, qualityLimitationReason: 'bandwidth', remoteId: 'heard', mediaSourceId: 'source', codecId: 'codec',
  };
  const all = new Map([
    ['sent', sent],
    ['heard', { type: 'remote-inbound-rtp', packetsLost: 21, fractionLost: 0.5, jitter: 22, roundTripTime: 23, timestamp: 24 }],
    ['source', { type: 'media-source', framesPerSecond: 25, width: 26, height: 27 }],
    ['codec', { type: 'codec', mimeType: 'video/H264' }],
  ]);
  const of = (numbers) => Object.fromEntries(fields.map((field, at) => [field, numbers[at]]).filter(([, number]) => !Number.isNaN(number)));
  const [, second] = [0, STRIDE].map((at) => of(flatten(all, newNumbers()).subarray(at, at + STRIDE)));
  assert.deepEqual(second, {
    Kind: 2, Mid: 7, Ssrc: 11, At: 12, Bytes: 13, Packets: 14, Lost: 21, LossRatio: 0.5, Jitter: 22, Rtt: 23, HeardAt: 24, Frames: 15, Coding: 16,
    QpSum: 17, Fps: 18, Width: 19, Height: 20, SourceFps: 25, SourceWidth: 26, SourceHeight: 27, Limit: 2, Codec: 4, Active: 1,
  });
});

test('what is missing, or no number, is NaN: never zero', () => {
  const odd = { type: 'inbound-rtp', kind: 'audio', mid: undefined, ssrc: null, timestamp: 'soon', bytesReceived: {}, jitter: Number.NaN };
  const numbers = [...flatten(new Map([['odd', odd]]), newNumbers())];
  assert.deepEqual([numbers[0], numbers[STRIDE]], [0, 3]);
  assert.deepEqual(numbers.filter((number) => !Number.isNaN(number)), [0, 3, 0], 'the two kinds, and the unknown codec');
});

test('the array is used again, and bounded', () => {
  const into = newNumbers();
  const streams = Array.from({ length: 1000 }, (_, ssrc) => ({ id: `${ssrc}`, type: 'inbound-rtp', kind: 'video', mid: '1', ssrc }));
  assert.equal(flatten(reports(streams), into).length, into.length);
  const few = flatten(reports(streams.slice(0, 1)), into);
  assert.deepEqual([few.buffer === into.buffer, few.length, few[STRIDE + 4]], [true, 2 * STRIDE, Number.NaN]);
});
