// SFrame (RFC 9605): the header, the schedule of keys, sealing and opening. Bytes in, bytes out; ciphers are WebCrypto's
// (docs/decisions/017). Runs in the worker, and in Node for the test vectors.

/** A suite of the RFC's registry (§8.1). The shorter ones, AES-CTR with HMAC, save 6 to 12 bytes a frame and aren't offered. */
export interface Suite {
  readonly id: number;
  readonly hash: 'SHA-256' | 'SHA-512';
  /** Bytes of a key. */
  readonly keySize: number;
  /** Bytes of the hash. */
  readonly hashSize: number;
}

export const AES_128_GCM: Suite = { id: 4, hash: 'SHA-256', keySize: 16, hashSize: 32 };
export const AES_256_GCM: Suite = { id: 5, hash: 'SHA-512', keySize: 32, hashSize: 64 };

/** Bytes of a nonce and of an authentication tag: of every AES-GCM suite. */
const NONCE = 12;
export const TAG = 16;

type Bytes = Uint8Array<ArrayBuffer>;
const ascii = (text: string): Bytes => new TextEncoder().encode(text);

/** What a sender's frames of one key id are sealed and opened with. */
export interface FrameKey {
  readonly key: CryptoKey;
  readonly salt: Bytes;
}

/** HKDF (RFC 5869) with an empty salt. */
export async function hkdf(suite: Suite, secret: BufferSource, info: Bytes, bytes: number): Promise<Bytes> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: suite.hash, salt: new Uint8Array(), info }, material, bytes * 8));
}

/** Key and salt of a base key (§4.4.2). */
export async function deriveKey(suite: Suite, kid: bigint, baseKey: BufferSource): Promise<FrameKey> {
  const info = (label: string): Bytes => {
    const text = ascii(label);
    const bytes = new Uint8Array(text.length + 10);
    bytes.set(text);
    const view = new DataView(bytes.buffer, text.length);
    view.setBigUint64(0, kid);
    view.setUint16(8, suite.id);
    return bytes;
  };
  const [raw, salt] = await Promise.all([
    hkdf(suite, baseKey, info('SFrame 1.0 Secret key '), suite.keySize),
    hkdf(suite, baseKey, info('SFrame 1.0 Secret salt '), NONCE),
  ]);
  return { key: await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']), salt };
}

/** The base key after this one: whoever holds it can't go back (§5.1). */
export const ratchet = (suite: Suite, baseKey: BufferSource): Promise<Bytes> => hkdf(suite, baseKey, ascii('SFrame 1.0 Ratchet'), suite.hashSize);

/** Key id and counter, each in three bits if it is below eight, else in as few bytes as it takes (§4.3). */
export function writeHeader(kid: bigint, counter: bigint): Bytes {
  const bytes = [0];
  const put = (value: bigint, shift: number): void => {
    if (value < 8n) return void (bytes[0]! |= Number(value) << shift);
    const digits = value.toString(16);
    const length = (digits.length + 1) >> 1;
    bytes[0]! |= (8 | (length - 1)) << shift;
    for (const pair of digits.padStart(length * 2, '0').match(/../g) ?? []) bytes.push(parseInt(pair, 16));
  };
  put(kid, 4);
  put(counter, 0);
  return Uint8Array.from(bytes);
}

export interface Header {
  kid: bigint;
  counter: bigint;
  /** Bytes of the header. */
  size: number;
}

/** Undefined: too short. */
export function readHeader(bytes: Uint8Array): Header | undefined {
  let size = 1;
  const config = bytes[0];
  if (config === undefined) return undefined;
  const take = (field: number): bigint => {
    if (field < 8) return BigInt(field);
    let value = 0n;
    for (let left = field - 7; left > 0; left--) value = (value << 8n) | BigInt(bytes[size++] ?? 0);
    return value;
  };
  const [kid, counter] = [take(config >> 4), take(config & 15)];
  return size <= bytes.length ? { kid, counter, size } : undefined;
}

function nonce(salt: Bytes, counter: bigint): Bytes {
  const iv = salt.slice();
  const view = new DataView(iv.buffer, NONCE - 8);
  view.setBigUint64(0, view.getBigUint64(0) ^ counter);
  return iv;
}

const joined = (...parts: Uint8Array[]): Bytes => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** Header, ciphertext and tag (§4.4.3). No counter may be used twice with one key: that would give the key away. */
export async function seal({ key, salt }: FrameKey, kid: bigint, counter: bigint, metadata: Uint8Array, plain: Bytes): Promise<Bytes> {
  const header = writeHeader(kid, counter);
  const additionalData = joined(header, metadata);
  return joined(header, new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce(salt, counter), additionalData }, key, plain)));
}

/** What was sealed; rejects when it was changed, or sealed with another key (§4.4.4). */
export async function open({ key, salt }: FrameKey, { counter, size }: Header, metadata: Uint8Array, sealed: Bytes): Promise<Bytes> {
  const additionalData = joined(sealed.subarray(0, size), metadata);
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce(salt, counter), additionalData }, key, sealed.subarray(size)));
}
