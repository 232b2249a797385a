// `import { E2EE, passphraseKeys } from 'nearcast/e2ee'`: pictures and sound that nobody but the participants can see and hear, the edge included.
// SFrame (RFC 9605) in a worker; docs/e2ee.md says what it protects and what not.

import type { DataOptions, Encryption, RemoteParticipant, Room, RoomEvents } from 'nearcast';
import { type KeyProvider, passphraseKeys, type PassphraseOptions } from './keys.js';
import type { FromWorker, ToWorker, TransformOptions } from './messages.js';
import { pack, type Packed, TOPIC, unpack } from './data.js';

export { type KeyProvider, passphraseKeys, type PassphraseOptions };

/** The worker, as text; written by scripts/build.mjs. */
declare const NEARCAST_E2EE_WORKER: string;

/** Options of `E2EE`. */
export interface E2EEOptions {
  /** Where keys come from: `passphraseKeys(…)`, or your own. */
  keys: KeyProvider;
  /** A worker that runs `nearcast/e2ee-worker.js`, for pages whose Content-Security-Policy allows no `blob:` workers. Default: one is made. */
  worker?: Worker;
  /** A track can't be sent since frames of this codec can't be sealed: nothing of it leaves. */
  onRefused?(codec: string): void;
}

/** A sealed message that was opened. */
export interface SealedMessage extends Packed {
  /** Who sealed it: its key is this participant's. */
  from: RemoteParticipant;
  /** As it came. */
  reliable: boolean;
}

/** Constructors that not every browser has. */
const globals = globalThis as { RTCRtpScriptTransform?: new (worker: Worker, options: TransformOptions) => RTCRtpScriptTransform };

/** Streams of the browsers before RTCRtpScriptTransform. */
interface WithStreams {
  createEncodedStreams(): { readable: ReadableStream; writable: WritableStream };
}

/** Of the hash of an identity, in a key id: who is meant is found among those who are there. */
const HASH_BITS = 24n;

/**
 * End-to-end encryption of one call: `connect(edge, token, { e2ee: new E2EE({ keys: passphraseKeys('correct horse') }) })`. One for each call.
 *
 * What is sealed can't be read by the edge, nor by participants without the key: they see and hear nothing. Messages are sealed by `sendData` of this
 * class, not by the room's. WHIP and WHEP can't take part.
 */
export class E2EE implements Encryption {
  /** For RTCPeerConnection, where frames are handed out as streams. */
  readonly configuration: RTCConfiguration;
  #keys: KeyProvider;
  #worker: Worker;
  #room: Room | undefined;
  /** A number of this stay, in every key id. */
  #stay = random();
  #epoch = -1;
  #hashes = new Map<string, bigint>();
  /** Messages that the worker has. */
  #asked = new Map<number, (answer: Extract<FromWorker, { type: 'data' }>) => void>();
  #asks = 0;
  /** They leave in the order in which they were given, and those of a sender are told of in the order in which they came. */
  #leaving: Promise<unknown> = Promise.resolve();
  #coming = new WeakMap<RemoteParticipant, Promise<unknown>>();
  #listeners = new Set<(message: SealedMessage) => void>();
  #transformed = new WeakSet<RTCRtpSender | RTCRtpReceiver>();

  /** Throws a TypeError where the browser hands frames to nobody (`E2EE.supported`). */
  constructor({ keys, worker, onRefused }: E2EEOptions) {
    if (!E2EE.supported) throw new TypeError('This browser has neither RTCRtpScriptTransform nor createEncodedStreams: it can take part unencrypted only.');
    this.#keys = keys;
    this.#worker = worker ?? makeWorker();
    this.configuration = globals.RTCRtpScriptTransform ? {} : ({ encodedInsertableStreams: true } as RTCConfiguration);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'data') {
        this.#asked.get(data.id)?.(data);
        this.#asked.delete(data.id);
      } else if (data.type === 'needed') void this.#find(data.kid);
      else onRefused?.(data.codec);
    });
  }

  /** Whether this browser can seal and open frames. */
  static get supported(): boolean {
    return typeof Worker !== 'undefined' && (globals.RTCRtpScriptTransform !== undefined || 'createEncodedStreams' in RTCRtpSender.prototype);
  }

  /** Which epoch one's own frames are sealed in; -1 before the room was entered. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Sends under a new key from now on: begins another epoch where the provider leaves that to us (`passphraseKeys`), and takes the provider's newest.
   * The others follow by themselves, without a gap.
   */
  async rotate(): Promise<void> {
    this.#keys.advance?.();
    await this.#send();
  }

  /**
   * Sends a message that only participants with the key can read: payload and topic are sealed, its size, its time and who gets it are not. Rejects as
   * `room.sendData` throws; with an Error before there is a key. Sealing takes up to 200 bytes of the 60 KiB.
   */
  async sendData(payload: string | Uint8Array, { topic, ...options }: DataOptions = {}): Promise<void> {
    const room = this.#room;
    if (!room) throw new Error('Give this E2EE to connect first: connect(edge, token, { e2ee }).');
    const plain = pack(payload, topic);
    const sent = this.#leaving.then(async () => {
      const { data } = await this.#ask('seal', plain);
      if (!data) throw new Error('There is no key to seal with (yet): see KeyProvider.keyFor.');
      room.sendData(data, { ...options, topic: TOPIC });
    });
    this.#leaving = sent.catch(() => undefined);
    return sent;
  }

  /**
   * Tells of sealed messages, opened; what isn't authentic isn't told of. The room's `data` event has them as they travel, with the topic `sframe`.
   * Ends with the function that it returns.
   */
  onData(listener: (message: SealedMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Every section of this connection is sealed or opened, from its first frame on. Called by `connect`. */
  attach(connection: RTCPeerConnection): void {
    const add = connection.addTransceiver.bind(connection);
    connection.addTransceiver = (...args) => {
      const transceiver = add(...args);
      if (args[1]?.direction !== 'recvonly') this.#transform(transceiver.sender, transceiver.receiver.track.kind, 'send');
      if (args[1]?.direction !== 'sendonly') this.#transform(transceiver.receiver, transceiver.receiver.track.kind, 'receive');
      return transceiver;
    };
    // Of direct connections, whose sections the other side adds.
    connection.addEventListener('track', ({ receiver }) => this.#transform(receiver, receiver.track.kind, 'receive'));
  }

  /** Who we are, and who is there. Called by `connect`. */
  entered(room: Room): void {
    this.#room = room;
    room.on('closed', () => this.#worker.terminate());
    room.on('data', (event) => this.#came(event));
    void this.#send();
  }

  #transform(end: RTCRtpSender | RTCRtpReceiver, kind: string, side: 'send' | 'receive'): void {
    // A section of one's own is told of a second time, as a track.
    if (this.#transformed.has(end)) return;
    this.#transformed.add(end);
    const options: TransformOptions = { side, video: kind === 'video' };
    if (globals.RTCRtpScriptTransform) {
      end.transform = new globals.RTCRtpScriptTransform(this.#worker, options);
      return;
    }
    const { readable, writable } = (end as unknown as WithStreams).createEncodedStreams();
    this.#post({ type: 'streams', options, readable, writable }, [readable, writable] as unknown as Transferable[]);
  }

  /** Takes the newest key. Between two epochs a moment apart only the later counts. */
  async #send(): Promise<void> {
    const identity = this.#room?.local.identity;
    if (identity === undefined) return;
    const { epoch } = this.#keys;
    if (epoch <= this.#epoch) return;
    // The low bits come round: a key id is used once.
    if (Math.floor(epoch / 256) !== Math.floor(Math.max(this.#epoch, 0) / 256)) this.#stay = random();
    const before = this.#epoch;
    this.#epoch = epoch;
    const keyId = this.#stay * 256 + (epoch % 256);
    const [hash, baseKey] = await Promise.all([this.#hash(identity), this.#keys.keyFor(identity, keyId)]);
    if (this.#epoch !== epoch) return;
    if (baseKey) return this.#post({ type: 'send', kid: (hash << 40n) | BigInt(keyId), baseKey });
    // Under the key before, until `rotate` is called again.
    this.#epoch = before;
    this.#keys.onKeyNeeded?.(identity, keyId);
  }

  #came({ from, payload, topic, reliable }: RoomEvents['data']): void {
    if (topic !== TOPIC || !from || typeof payload === 'string') return;
    const open = async (): Promise<void> => {
      const { data, kid } = await this.#ask('open', payload as Uint8Array<ArrayBuffer>);
      const message = data && unpack(data);
      // Sealed by somebody else and sent again in one's own name: not told of.
      if (!message || kid === undefined || kid >> 40n !== (await this.#hash(from.identity))) return;
      for (const listener of this.#listeners) listener({ from, reliable, ...message });
    };
    // A listener that throws is its app's business, and keeps nobody else's message.
    const before = this.#coming.get(from) ?? Promise.resolve();
    this.#coming.set(from, before.then(open, open));
  }

  #ask(type: 'seal' | 'open', data: Uint8Array<ArrayBuffer>): Promise<Extract<FromWorker, { type: 'data' }>> {
    const id = ++this.#asks;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#post({ type, id, data });
    });
  }

  /** A frame of somebody came. */
  async #find(kid: bigint): Promise<void> {
    const keyId = Number(kid & 0xff_ffff_ffffn);
    for (const { identity } of this.#room?.participants.values() ?? []) {
      if ((await this.#hash(identity)) !== kid >> 40n) continue;
      const baseKey = await this.#keys.keyFor(identity, keyId);
      if (!baseKey) this.#keys.onKeyNeeded?.(identity, keyId);
      else return this.#post({ type: 'receive', kid, baseKey });
    }
  }

  async #hash(identity: string): Promise<bigint> {
    let hash = this.#hashes.get(identity);
    if (hash === undefined) {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(identity));
      hash = BigInt(new DataView(digest).getUint32(0)) >> (32n - HASH_BITS);
      this.#hashes.set(identity, hash);
    }
    return hash;
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

const random = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

function makeWorker(): Worker {
  const address = URL.createObjectURL(new Blob([NEARCAST_E2EE_WORKER], { type: 'text/javascript' }));
  const worker = new Worker(address, { name: 'nearcast-e2ee' });
  URL.revokeObjectURL(address);
  return worker;
}
