// What is inside of a sealed message: kind, topic and payload, so that the edge sees none of them.
//
//     kind (1 byte: 0 bytes, 1 text) | length of the topic (1) | topic | payload

/** Under which sealed messages travel. */
export const TOPIC = 'sframe';

/** Bytes of a topic, as everywhere. */
const MOST_TOPIC = 128;

/** A message. */
export interface Packed {
  /** Text as text, bytes as bytes. */
  payload: string | Uint8Array;
  /** What it is about, at most 128 bytes; none: nothing was said. */
  topic?: string;
}

/** Throws a RangeError for a topic that is too long. */
export function pack(payload: string | Uint8Array, topic = ''): Uint8Array<ArrayBuffer> {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const [name, body] = [encode(topic), typeof payload === 'string' ? encode(payload) : payload];
  if (name.length > MOST_TOPIC) throw new RangeError(`The topic has ${name.length} bytes, more than ${MOST_TOPIC}.`);
  const packed = new Uint8Array(2 + name.length + body.length);
  packed.set([Number(typeof payload === 'string'), name.length]);
  packed.set(name, 2);
  packed.set(body, 2 + name.length);
  return packed;
}

/** Undefined: nothing that `pack` made. */
export function unpack(packed: Uint8Array): Packed | undefined {
  const [kind, length = 0] = packed;
  if (kind === undefined || kind > 1 || packed.length < 2 + length) return undefined;
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const topic = decode(packed.subarray(2, 2 + length));
  const body = packed.slice(2 + length);
  return { payload: kind ? decode(body) : body, ...(topic && { topic }) };
}
