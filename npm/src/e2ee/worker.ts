// Seals and opens frames, away from the page's thread. Its text is inside of `nearcast/e2ee`; a page whose Content-Security-Policy forbids
// blob: workers serves `nearcast/e2ee-worker.js` itself.
//
// Never lets a frame pass as it is: what can't be sealed isn't sent, what can't be opened isn't shown.

import { assemble, metadata, split, take } from './frame.js';
import type { DataMessage, FromWorker, ToWorker, TransformOptions } from './messages.js';
import { AES_128_GCM, deriveKey, type FrameKey, open, readHeader, seal, TAG } from './sframe.js';

type Bytes = Uint8Array<ArrayBuffer>;

interface EncodedFrame {
  data: ArrayBuffer;
  getMetadata?(): { mimeType?: string };
}

interface Transformer {
  readable: ReadableStream<EncodedFrame>;
  writable: WritableStream<EncodedFrame>;
  options: TransformOptions;
  sendKeyFrameRequest?(): Promise<unknown>;
}

/** How long a frame waits for a key that was just asked for, in milliseconds: then it is dropped, and those after it until the key is here. */
const PATIENCE_MS = 1000;
/** How often the page is asked for one key. */
const ASK_MS = 1000;
/** Keys of others at a time: everybody of the largest room, before and after a change. The oldest makes room. */
const MOST_KEYS = 4096;

const scope = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: (event: { data: ToWorker }) => void;
  onrtctransform: (event: { transformer: Transformer }) => void;
};

/** What is authenticated with a message: none passes for a frame, and no frame for one. */
const MESSAGE = new TextEncoder().encode('nearcast message');
/** Numbers of messages that are remembered of each key, so that none is opened twice; those below them are refused. */
const MOST_NUMBERS = 4096;

let sending: { kid: bigint; key: FrameKey } | undefined;
/** The next number of the present key: one count for all tracks and layers, so that no nonce comes twice. */
let counter = 0n;
/** Keys to send under, counted; and when the latest is there. */
let turns = 0;
let deriving: Promise<unknown> = Promise.resolve();
/** Codecs that were refused: told once. */
const told = new Set<string>();
const keys = new Map<bigint, FrameKey>();
/** Frames that wait for a key: when it was last asked for, and what to do when it comes. */
const wanted = new Map<bigint, { askedAt: number; here: Promise<void>; arrive: () => void }>();

scope.onmessage = async ({ data: message }) => {
  if (message.type === 'streams') return run(message);
  if ('id' in message) return passOn(message);
  const turn = message.type === 'send' ? ++turns : 0;
  const derived = deriveKey(AES_128_GCM, message.kid, message.baseKey as Uint8Array<ArrayBuffer>);
  if (message.type === 'send') deriving = derived;
  const key = await derived;
  if (message.type === 'send') {
    if (turn !== turns) return; // a newer one came meanwhile
    if (sending?.kid !== message.kid) counter = 0n;
    sending = { kid: message.kid, key };
    return;
  }
  keys.set(message.kid, key);
  const [oldest] = keys.keys();
  if (keys.size > MOST_KEYS && oldest !== undefined) keys.delete(oldest);
  wanted.get(message.kid)?.arrive();
  wanted.delete(message.kid);
};

scope.onrtctransform = ({ transformer }) => run(transformer);

function run(transformer: Omit<Transformer, 'sendKeyFrameRequest'> & Partial<Transformer>): void {
  const { options, readable, writable } = transformer;
  const transform = options.side === 'send' ? sealFrame : openFrame;
  let lost = false;
  const stream = new TransformStream<EncodedFrame, EncodedFrame>({
    async transform(frame, controller) {
      let data: ArrayBuffer | undefined;
      try {
        data = await transform(frame, options.video);
      } catch {
        data = undefined; // sealed with another key, or changed on its way
      }
      if (data) {
        // A decoder that missed frames waits for a key frame and doesn't ask for one for seconds.
        if (lost && options.video && options.side === 'receive') transformer.sendKeyFrameRequest?.().catch(() => undefined);
        lost = false;
        frame.data = data;
        controller.enqueue(frame);
      } else lost = true;
    },
  });
  // Ends with the transport.
  readable.pipeThrough(stream).pipeTo(writable).catch(() => undefined);
}

async function sealFrame(frame: EncodedFrame, video: boolean): Promise<ArrayBuffer | undefined> {
  const data = new Uint8Array(frame.data);
  const codec = frame.getMetadata?.().mimeType?.toLowerCase();
  const parts = split(data, video, codec);
  if (!parts) {
    const refused = codec ?? 'unknown';
    if (data.length > 0 && !told.has(refused)) scope.postMessage({ type: 'refused', codec: refused });
    told.add(refused);
    return undefined;
  }
  if (!sending) return undefined;
  const { kid, key } = sending;
  const sealed = await seal(key, kid, counter++, metadata(data, parts), data.slice(parts.clear));
  return assemble(data, parts, sealed);
}

async function openFrame(frame: EncodedFrame): Promise<ArrayBuffer | undefined> {
  const data = new Uint8Array(frame.data);
  const taken = take(data);
  const header = taken && readHeader(taken.sealed);
  if (!taken || !header || taken.sealed.length < header.size + TAG) return undefined;
  const key = keys.get(header.kid) ?? (await find(header.kid));
  if (!key) return undefined;
  const plain = await open(key, header, metadata(data, taken.split), taken.sealed);
  const whole = new Uint8Array(taken.split.clear + plain.length);
  whole.set(data.subarray(0, taken.split.clear));
  whole.set(plain, taken.split.clear);
  return whole.buffer;
}

async function passOn({ type, id, data }: DataMessage): Promise<void> {
  const result = await (type === 'seal' ? sealMessage(data) : openMessage(data)).catch(() => undefined);
  scope.postMessage({ type: 'data', id, ...result });
}

async function sealMessage(plain: Bytes): Promise<{ data: Bytes } | undefined> {
  await deriving;
  if (!sending) return undefined;
  const { kid, key } = sending;
  return { data: await seal(key, kid, counter++, MESSAGE, plain) };
}

/** Numbers of the messages that were opened, by key. */
const opened = new Map<bigint, Set<bigint>>();

async function openMessage(sealed: Bytes): Promise<{ data: Bytes; kid: bigint } | undefined> {
  const header = readHeader(sealed);
  if (!header || sealed.length < header.size + TAG) return undefined;
  const { kid, counter: number } = header;
  const key = keys.get(kid) ?? (await find(kid));
  if (!key) return undefined;
  const data = await open(key, header, MESSAGE, sealed);
  const numbers = opened.get(kid) ?? new Set();
  const [oldest] = numbers;
  if (numbers.has(number) || (numbers.size >= MOST_NUMBERS && oldest !== undefined && number < oldest)) return undefined;
  numbers.add(number);
  if (numbers.size > MOST_NUMBERS && oldest !== undefined) numbers.delete(oldest);
  opened.set(kid, numbers);
  const [first] = opened.keys();
  if (opened.size > MOST_KEYS && first !== undefined) opened.delete(first);
  return { data, kid };
}

/** The first frames of a key wait for it; later ones pass by until it is here. */
async function find(kid: bigint): Promise<FrameKey | undefined> {
  const now = performance.now();
  let want = wanted.get(kid);
  if (want && now - want.askedAt < ASK_MS) {
    if (now - want.askedAt > PATIENCE_MS) return undefined;
  } else {
    const first = want === undefined;
    if (wanted.size >= MOST_KEYS) wanted.clear();
    let arrive = (): void => undefined;
    want = { askedAt: now, here: new Promise<void>((resolve) => (arrive = resolve)), arrive: () => arrive() };
    wanted.set(kid, want);
    scope.postMessage({ type: 'needed', kid });
    if (!first) return undefined;
  }
  await Promise.race([want.here, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS - (now - want.askedAt)))]);
  return keys.get(kid);
}
