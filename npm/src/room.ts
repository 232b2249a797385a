/// <reference lib="esnext.disposable" preserve="true" />
// The room as an app sees it: state, people, events. What happens in it is session.ts's business.

import type { Adaptation } from './adaptation.js';
import type { Call } from './call.js';
import { nearcastError, type NearcastError } from './errors.js';
import { TypedEventTarget } from './events.js';
import type { Layer } from './layers.js';
import type { ModerationAction } from './moderation.js';
import type { LocalParticipant, Participant, Path, RemoteParticipant } from './participant.js';
import type { LocalPublication, Publication, RemotePublication } from './publication.js';
import type { ConnectionQuality, Quality } from './quality.js';
import type { RoomStats } from './stats.js';
import type { Trace } from './trace.js';
import type { RemoteTrack } from './track.js';

/** Where a room stands. `reconnecting`: signalling or media is lost, perhaps both. `disconnected` is final. */
export type RoomState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

/**
 * Where a recovery stands, cheapest first. `suspect`: media is silent for longer than it should be; the state is still `connected`.
 * `resuming`: another WebSocket for the same session. `restarting`: ICE begins anew. `replacing`: another RTCPeerConnection in the same session.
 * `moving`: another session, here or on another edge; ids change, objects don't. `connected` and `disconnected` end it.
 */
export type RecoveryStep = 'connected' | 'suspect' | 'resuming' | 'restarting' | 'replacing' | 'moving' | 'disconnected';

/** Why media takes another way. */
export type PathReason = 'room-mode' | 'no-media' | 'media-back' | 'lost';

/** How somebody left. */
export type LeaveReason = 'left' | 'timed-out' | 'replaced' | 'removed' | 'failed';

/**
 * Events of a room and what they carry. Who and what is there already when `connect` resolves is told too, to listeners added in the same task
 * (right after the `await`): an app needs one code path for present and future. The state (`room.participants` …) is always ahead of the events.
 */
export interface RoomEvents {
  /** `reason` says why, for logs: see docs/client-core.md. */
  statechanged: { state: RoomState; previous: RoomState; reason: string };
  /** What is being done about a lost connection, step by step, and why; `tookMs`: how long the step before it lasted. */
  reconnecting: { step: RecoveryStep; reason: string; tookMs: number };
  /** Somebody is in the room. */
  participantjoined: { participant: RemoteParticipant };
  /** Somebody is gone, and with them their publications (`publicationremoved` came first). */
  participantleft: { participant: RemoteParticipant; reason: LeaveReason };
  /** A publication can be subscribed to. */
  publicationadded: { participant: RemoteParticipant; publication: RemotePublication };
  /** A publication ended. */
  publicationremoved: { participant: RemoteParticipant; publication: RemotePublication };
  /** Muted or unmuted by its publisher: somebody else, or oneself. */
  publicationmuted: { participant: Participant; publication: Publication; muted: boolean };
  /**
   * A moderator did something: to a publication (`mute`, `allow-unmute`), to the room (`lock`, `unlock`), or asks oneself to mute one's own
   * publication (`ask-mute`). A publication of one's own that is muted so is silent already. Who is removed hears `closed` with `removed`, the
   * others `participantleft`.
   */
  moderated: { action: ModerationAction; publication?: Publication };
  /** Media is on its way: attach the track. */
  tracksubscribed: { participant: RemoteParticipant; publication: RemotePublication; track: RemoteTrack };
  /** No more media; right after this event the track leaves all its elements. */
  trackunsubscribed: { participant: RemoteParticipant; publication: RemotePublication; track: RemoteTrack };
  /** The edge sends more or less of a publication than before, or for another reason. */
  layerchanged: { participant: RemoteParticipant; publication: RemotePublication; layer: Layer };
  /** Something gives way because the processor or the path is short, or is back. */
  adapted: Adaptation;
  /**
   * Something is better or worse than before, or for another reason: of a publication on its way between here and the edge, of a participant's
   * connection (the edge judges the others'), and (without either) of one's own connection.
   */
  quality: { quality: Quality; participant?: Participant; publication?: Publication };
  /**
   * Somebody's media comes directly now, or through the edge again. `room-mode`: as the room shall; `no-media`, `media-back`: nothing came through
   * the edge, and comes again; `lost`: the direct connection broke. Tracks stay the same objects.
   */
  pathchanged: { participant: RemoteParticipant; path: Path; reason: PathReason };
  /** Oneself publishes something. */
  localpublished: { publication: LocalPublication };
  /**
   * Oneself no longer publishes it; also when screen sharing was ended in the browser's own bar. With `error` when a device went away and nothing
   * took its place: `device-not-found`, or `device-permission-denied` when the person took the permission back.
   */
  localunpublished: { publication: LocalPublication; error?: NearcastError };
  /** One's own microphone went away; the system's default one has taken its place. */
  devicereplaced: { publication: LocalPublication };
  /** One's own device stopped giving anything, or gives again (`publication.interrupted`): others see a frozen picture or hear nothing. */
  publicationinterrupted: { publication: LocalPublication };
  /** Loudest first. */
  speakerschanged: { speakers: Participant[] };
  /** A data message. `from` is undefined when its sender has left already. */
  data: { from: RemoteParticipant | undefined; payload: Uint8Array | string; topic?: string; reliable: boolean };
  /** The browser plays no sound before a click: call `resumeAudio` from one. */
  autoplayblocked: Record<string, never>;
  /** Sound plays again. */
  autoplayresumed: Record<string, never>;
  /** A camera, microphone or speaker came or went. */
  deviceschanged: { devices: MediaDeviceInfo[] };
  /** The last event. Without `error`: `leave()` was called. */
  closed: { error?: NearcastError };
}

/** Options of `sendData`. */
export interface DataOptions {
  /** One participant, or its id. Default: everybody else. */
  to?: Participant | string;
  /** Free text to tell messages apart, at most 128 bytes. */
  topic?: string;
  /** Default true. False: never resent and possibly out of order, for what is soon out of date. */
  reliable?: boolean;
}

/** A call. Comes from `connect`; ends with `leave`. */
export class Room extends TypedEventTarget<RoomEvents> {
  /** From the token. */
  readonly name: string;
  /** Oneself. */
  readonly local: LocalParticipant;
  /** Everybody else, by participant id. */
  readonly participants: ReadonlyMap<string, RemoteParticipant> = new Map();
  /** Nobody new gets in: a moderator locked it. Told by `moderated`. */
  readonly locked: boolean = false;
  /** The token grants moderating. */
  readonly canModerate: boolean = false;
  #call: Call;
  #state: RoomState = 'connected';
  #speakers: readonly Participant[] = [];
  #estimate: number | undefined;
  #quality: ConnectionQuality | undefined;

  private constructor(name: string, local: LocalParticipant, call: Call) {
    super();
    this.name = name;
    this.local = local;
    this.#call = call;
  }

  /** @internal */
  static create(name: string, local: LocalParticipant, call: Call): Room {
    return new Room(name, local, call);
  }

  /** Where the call stands. */
  get state(): RoomState {
    return this.#state;
  }

  /** Who speaks now, loudest first. */
  get speakers(): readonly Participant[] {
    return this.#speakers;
  }

  /** What the edge believes it can send here, in bits per second; undefined until it knows. As fresh as the last `layerchanged`. */
  get availableIncomingBitrate(): number | undefined {
    return this.#estimate;
  }

  /** How good one's own connection is; undefined until it is measured. Told by `quality`. */
  get quality(): ConnectionQuality | undefined {
    return this.#quality;
  }

  /** False between `autoplayblocked` and `autoplayresumed`. */
  get canPlayAudio(): boolean {
    return !this.#call.playback.blocked;
  }

  /** Plays the sound that the browser held back. Call it from a click; rejects with `play-blocked` if it wasn't one. */
  resumeAudio(): Promise<void> {
    return this.#call.playback.resume();
  }

  /**
   * Sends up to 60 KiB to everybody else, or to one. Text arrives as text, bytes as bytes.
   * Throws a UsageError (`data-too-large`, `data-not-ready`, `room-left`) or, without the grant, a MediaError (`not-permitted`).
   */
  sendData(payload: string | Uint8Array, options: DataOptions = {}): void {
    const { to, topic, reliable = true } = options;
    if (this.#state === 'disconnected') throw nearcastError('room-left');
    this.#call.sendData(payload, typeof to === 'object' ? to.id : to, topic, reliable);
  }

  /** The call in numbers; rates are since the previous call of this. */
  stats(): Promise<RoomStats> {
    return this.#call.stats();
  }

  /**
   * What this call was told and decided since its start, to be saved and replayed (`cargo run -p client-core --example replay`): attach it to a bug
   * report. Tokens, credentials, addresses, names and messages are not in it; ids are (docs/journal.md). Works after the call has ended too; at
   * most about 450 kB as JSON. Rejects with `core-panicked` when the core crashed: what it knew is gone.
   *
   * ```ts
   * const trace = new Blob([JSON.stringify(await room.exportTrace())], { type: 'application/json' });
   * ```
   */
  async exportTrace(): Promise<Trace> {
    return this.#call.trace();
  }

  /** Locks or unlocks the room, or ends the call for everybody. Rejects with `not-permitted` unless `canModerate`. */
  moderate(action: 'lock' | 'unlock' | 'end'): Promise<void>;
  /** Removes somebody, or lets somebody in again, by identity. */
  moderate(action: 'remove' | 'readmit', who: Participant | string): Promise<void>;
  /** Mutes a publication, asks for that, or allows its publisher to unmute it. */
  moderate(action: 'mute' | 'ask-mute' | 'allow-unmute', what: Publication): Promise<void>;
  moderate(action: ModerationAction, target: Participant | Publication | string = ''): Promise<void> {
    const { identity, id = target } = target as { identity?: string; id?: string };
    return this.#call.moderate(action, identity ?? (id as string));
  }

  /** Leaves for good: closes the connection, devices opened here, and lets go of everything. A second call does nothing. */
  async leave(): Promise<void> {
    this.#call.leave();
  }

  /** `await using room = await connect(…)` leaves at the end of the block. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  static {
    // Where a browser has no such symbol yet, compilers of `await using` look for this one.
    const key: symbol = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
    Object.defineProperty(this.prototype, key, { value: this.prototype.leave, configurable: true, writable: true });
  }

  /** The map behind `participants`. @internal */
  get table(): Map<string, RemoteParticipant> {
    return this.participants as Map<string, RemoteParticipant>;
  }

  /** Whether that was a change. @internal */
  setState(state: RoomState): RoomState {
    const previous = this.#state;
    this.#state = state;
    return previous;
  }

  /** @internal */
  setQuality(quality: ConnectionQuality): void {
    this.#quality = quality;
    this.local.setQuality(quality);
  }

  /** @internal */
  setEstimate(estimate: number | undefined): void {
    this.#estimate = estimate;
  }

  /** @internal */
  setSpeakers(speakers: readonly Participant[]): void {
    this.#speakers = speakers;
  }
}
