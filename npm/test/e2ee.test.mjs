// End-to-end encryption: SFrame as its RFC computes it, what of a frame stays readable, and keys that all participants find by themselves.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { load } from './fakes.mjs';

const { AES_128_GCM, AES_256_GCM, deriveKey, open, ratchet, readHeader, seal, TAG, writeHeader } = await load('e2ee/sframe');
const { assemble, metadata, split, take } = await load('e2ee/frame');
const { passphraseKeys } = await load('e2ee/keys');

/** RFC 9605, Appendix C.1 and C.3, the suites of AES-GCM. */
const vectors = JSON.parse(await readFile(new URL('fixtures/rfc9605.json', import.meta.url), 'utf8'));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data) => Buffer.from(data).toString('hex');

test('headers are those of the RFC', () => {
  for (const { kid, ctr, encoded } of vectors.header) {
    assert.equal(hex(writeHeader(BigInt(kid), BigInt(ctr))), encoded, `${kid} ${ctr}`);
    assert.deepEqual(readHeader(bytes(`${encoded}ffff`)), { kid: BigInt(kid), counter: BigInt(ctr), size: encoded.length / 2 });
    assert.equal(readHeader(bytes(encoded).subarray(0, -1)), undefined, 'cut short');
  }
});

test('keys, salts and ciphertexts are those of the RFC', async () => {
  for (const vector of vectors.sframe) {
    const suite = [AES_128_GCM, AES_256_GCM].find(({ id }) => id === vector.cipher_suite);
    const key = await deriveKey(suite, BigInt(vector.kid), bytes(vector.base_key));
    assert.equal(hex(key.salt), vector.sframe_salt);
    const sealed = await seal(key, BigInt(vector.kid), BigInt(vector.ctr), bytes(vector.metadata), bytes(vector.pt));
    assert.equal(hex(sealed), vector.ct);
    assert.equal(hex(await open(key, readHeader(sealed), bytes(vector.metadata), sealed)), vector.pt);
    const changed = sealed.slice();
    changed[changed.length - 1] ^= 1;
    await assert.rejects(open(key, readHeader(changed), bytes(vector.metadata), changed));
    await assert.rejects(open(key, readHeader(sealed), bytes('00'), sealed), 'what stays readable is authenticated');
  }
});

/** Payloads that are as awkward as can be for NAL units. */
function* payloads() {
  yield new Uint8Array(0);
  yield Uint8Array.of(0, 0, 1, 0, 0, 0, 1, 0, 0, 3, 0, 0, 2, 3, 0, 0);
  yield new Uint8Array(500);
  let seed = 7;
  for (let length = 1; length < 400; length += 13) {
    yield Uint8Array.from({ length }, () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % 5);
  }
}

const startCode = (data) => [...data].some((_, at) => data[at] === 0 && data[at + 1] === 0 && data[at + 2] <= 2);

test('frames of every codec come out as they went in', () => {
  const parameterSets = [0, 0, 0, 1, 0x67, 66, 0, 31, 0, 0, 0, 1, 0x68, 0xce, 6, 0, 0, 1];
  const beginnings = [
    ['video/vp8', [0x50, 1, 2, 0x9d, 1, 0x2a, 64, 1, 180, 0], 10],
    ['video/vp8', [0x31, 1, 2, 9, 9, 9], 3],
    [undefined, [0x31, 1, 2, 9, 9, 9], 3],
    ['video/vp9', [0x82, 0x49, 0x83], 0],
    ['video/h264', [...parameterSets, 0x65, 0, 9, 9], parameterSets.length + 2],
    [undefined, [...parameterSets, 0x65, 0x88, 9, 9], parameterSets.length + 2],
    ['video/h264', [0, 0, 0, 1, 0x41, 0x9a, 7], 6],
    ['audio/opus', [0xfc, 1, 2, 3], 0],
  ];
  for (const [codec, beginning, clear] of beginnings) {
    for (const sealed of payloads()) {
      const data = Uint8Array.from(beginning);
      const parts = split(data, !codec?.startsWith('audio'), codec);
      assert.equal(parts.clear, clear, codec);
      const frame = new Uint8Array(assemble(data, parts, sealed));
      assert.deepEqual(frame.slice(0, clear), data.slice(0, clear), 'the beginning stays readable');
      const taken = take(frame);
      assert.deepEqual([taken.split.clear, hex(taken.sealed)], [clear, hex(sealed)]);
      assert.deepEqual(metadata(frame, taken.split), metadata(data, parts));
      if (parts.nal) assert.ok(!startCode(frame.subarray(clear)), `a start code in ${hex(frame)}`);
    }
  }
});

test('what would be cut into pieces on its way is refused', () => {
  assert.equal(split(Uint8Array.of(0x12, 0, 10), true, 'video/av1'), undefined);
  assert.equal(split(Uint8Array.of(0x12, 0, 10), true, undefined), undefined, 'also where the browser tells no codec');
  assert.equal(split(Uint8Array.of(1, 2), false, 'audio/red'), undefined);
  for (const junk of [[], [0], [200], [0xff], [1, 2, 3, 0xff]]) assert.ok((take(Uint8Array.from(junk))?.sealed.length ?? 0) < TAG);
});

test('a passphrase gives everybody the same keys, and another one for each sender, stay and epoch', async () => {
  const [one, two, other] = [passphraseKeys('correct horse', { salt: 'room' }), passphraseKeys('correct horse', { salt: 'room' }), passphraseKeys('battery')];
  const key = async (keys, who, id) => hex(await keys.keyFor(who, id));
  const first = await key(one, 'ada', 256);
  assert.equal(first, await key(two, 'ada', 256));
  const others = [await key(other, 'ada', 256), await key(one, 'ben', 256), await key(one, 'ada', 512), await key(one, 'ada', 257)];
  assert.equal(new Set([first, ...others]).size, 5);
  assert.equal(await key(one, 'ada', 260), await key(two, 'ada', 260), 'one went by 257, the other leaps');
  assert.equal(await key(one, 'ada', 258), await key(two, 'ada', 258), 'late frames of an epoch before');
  assert.equal(others[3], hex(await ratchet(AES_128_GCM, bytes(first))), 'the ratchet of the RFC');
  assert.equal(one.epoch, 0);
  one.advance();
  assert.equal(one.epoch, 1);
});

/** A page's half, with a worker that notes what it is told. */
async function half(t, keys) {
  const { withGlobals, settle } = await import('./fakes.mjs');
  withGlobals(t, { Worker: class {}, RTCRtpScriptTransform: class {} });
  const { E2EE } = await load('e2ee/index');
  const posted = [];
  const worker = Object.assign(new EventTarget(), { postMessage: (message) => posted.push(message), terminate() {} });
  const e2ee = new E2EE({ keys, worker });
  const room = { local: { identity: 'ada' }, participants: new Map([['p1', { identity: 'ben' }]]), on() {} };
  const need = async (kid) => {
    worker.dispatchEvent(new MessageEvent('message', { data: { type: 'needed', kid } }));
    for (let turn = 0; turn < 5; turn++) await settle();
  };
  return { e2ee, room, posted, need, settle };
}

test('senders take the key of the newest epoch, and wait where it is not known yet', async (t) => {
  const needed = [];
  const known = new Set([0]);
  const keys = { epoch: 0, keyFor: async (who, id) => (known.has(id % 256) ? new Uint8Array(16) : undefined), onKeyNeeded: (who, id) => needed.push([who, id % 256]) };
  const { e2ee, room, posted, settle } = await half(t, keys);
  e2ee.entered(room);
  await settle();
  assert.deepEqual([posted.length, posted[0]?.type, Number(posted[0]?.kid & 255n), e2ee.epoch], [1, 'send', 0, 0]);
  keys.epoch = 1;
  await e2ee.rotate();
  assert.deepEqual([posted.length, e2ee.epoch, needed], [1, 0, [['ada', 1]]], 'the key before stays');
  known.add(1);
  await e2ee.rotate();
  assert.deepEqual([Number(posted[1].kid & 255n), posted[1].kid >> 8n === posted[0].kid >> 8n, e2ee.epoch], [1, true, 1]);
  keys.epoch = 256;
  await e2ee.rotate();
  assert.notEqual(posted[2].kid >> 8n, posted[0].kid >> 8n, 'no key id comes twice: another number for the stay');
});

test('whose key a frame needs is found by its id', async (t) => {
  const asked = [];
  const keys = { epoch: 0, keyFor: async (who, id) => void asked.push([who, id]) ?? (who === 'ben' ? new Uint8Array(16) : undefined) };
  const { e2ee, room, posted, need, settle } = await half(t, keys);
  e2ee.entered(room);
  await settle();
  const hash = new DataView(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('ben'))).getUint32(0) >>> 8;
  const kid = (BigInt(hash) << 40n) | 0x12_3456_7803n;
  await need(kid);
  assert.deepEqual(asked.at(-1), ['ben', 0x1234567803]);
  assert.deepEqual([posted.at(-1).type, posted.at(-1).kid], ['receive', kid]);
  const before = posted.length;
  await need(kid ^ (1n << 63n));
  assert.equal(posted.length, before, 'nobody here');
});

const { pack, unpack } = await load('e2ee/data');

test('messages come out as they went in, and nothing else is taken for one', () => {
  for (const message of [{ payload: 'grüß dich' }, { payload: '', topic: 'chat' }, { payload: Uint8Array.of(0, 1, 255), topic: 'ü'.repeat(64) }, { payload: new Uint8Array(0) }]) {
    assert.deepEqual(unpack(pack(message.payload, message.topic)), message);
  }
  for (const other of [[], [0], [1], [2, 0], [0, 3, 65, 65], [255, 255]]) assert.equal(unpack(Uint8Array.from(other)), undefined, other.join());
  assert.throws(() => pack('', 'ü'.repeat(65)), /130 bytes/);
});
