// The border between the façade and the wasm core, in hand-written types. Everything that crosses it is a number, a string, a flag, bytes or
// a browser object. `client-wasm/src/exports.rs` is the other side; `npm run build` checks that the generated types agree with these.

import type { RecoveryStep } from '../room.js';

/**
 * What the core tells the façade. Methods are called one after the other, never inside one another, and may call the core back.
 *
 * @internal
 */
export interface CoreHost {
  /** Answer with `Core.token`. */
  tokenWanted(): void;
  /** The RTCPeerConnection, or another one in its place: for its statistics, and to close it should the core fail. */
  transportOpened(transport: RTCPeerConnection): void;
  /** A WebSocket to this edge, or to the one that `connect` was given: opening, open or lost by now. Undefined: there can be none. */
  openSocket(edge: string | undefined): WebSocket | undefined;
  /** A direct connection was opened, or closed (undefined): for the same reason. */
  linkChanged(link: number, connection: RTCPeerConnection | undefined): void;
  /** Somebody's media comes directly now, or through the edge: the words of `RoomEvents.pathchanged`. */
  pathChanged(participant: string, direct: boolean, reason: string): void;
  /** STUN and TURN servers of the edge, from now on: each as user name, password and addresses. */
  iceServers(servers: [string | undefined, string | undefined, ...string[]][]): void;
  /** Of their addresses, numbered in order, those whose bit is set are left out for now. Follows `iceServers`, and comes before restarts. */
  leaveOut(addresses: number): void;
  /** A step of a recovery, after the one before had taken so long. */
  step(step: RecoveryStep, reason: string, tookMs: number): void;
  /** A participant (oneself too) or a publication of somebody else has another id. */
  renamed(was: string, id: string): void;
  /** One of our publications goes on over another transport. */
  republished(was: string, publication: string, mid: string, sender: RTCRtpSender): void;
  /** `reason`: see docs/client-core.md. */
  stateChanged(state: 'connecting' | 'connected' | 'reconnecting' | 'disconnected', reason: string): void;
  /** The room was entered; participants and publications present follow. */
  joined(room: string, id: string, identity: string, name: string, role: string | undefined): void;
  /** Publications follow. */
  participantJoined(id: string, identity: string, name: string, role: string | undefined): void;
  participantLeft(id: string, reason: string): void;
  publicationAdded(participant: string, id: string, video: boolean, source: string, name: string, muted: boolean, subscribed: boolean): void;
  publicationRemoved(participant: string, id: string): void;
  publicationMuted(id: string, muted: boolean): void;
  /** A moderator did this, by its place in moderation.ts, to a publication (one's own too) or, without one, to the room. */
  moderated(action: number, publication: string): void;
  /** The token grants moderating. */
  mayModerate(): void;
  /** Again, for a publication that has a track: its media comes from another object now. */
  trackSubscribed(publication: string, mid: string, track: MediaStreamTrack): void;
  trackUnsubscribed(publication: string): void;
  /** The edge dropped one of our publications. */
  localUnpublished(publication: string): void;
  /** Loudest first; levels are 0 to 127. */
  speakers(participants: string[], levels: Uint8Array): void;
  /**
   * What we are sent, and why not more. `estimate`: bits per second, 0 while unknown. Six numbers for each publication: width, height, frames per
   * second, bits per second, paused (1), and the reason by its place in layers.ts.
   */
  layers(estimate: number, publications: string[], numbers: Uint32Array): void;
  /** Something gives way, or is back: the words of `RoomEvents.adapted`. */
  adapted(what: string, step: string, active: boolean, reason: string): void;
  /** Answer with `Core.stats`. */
  statsWanted(): void;
  /** What was judged anew: ids of publications and participants (empty: one's own connection), and the numbers of quality.ts for each. */
  quality(subjects: string[], numbers: Float32Array): void;
  /** `from` is undefined when the sender has left already. */
  data(from: string | undefined, payload: Uint8Array, text: boolean, topic: string | undefined, reliable: boolean): void;
  /** Ends a `Core.publish`. */
  published(request: number, publication: string, mid: string, sender: RTCRtpSender): void;
  /** Ends any other request. */
  done(request: number): void;
  /** Ends any request. An empty message: the façade's own text for the code. */
  failed(request: number, code: string, message: string, retryable: boolean): void;
  /** The session is over and everything is closed; nothing follows. No code: we left. */
  closed(code: string | undefined, message: string, retryable: boolean, retryAfterMs: number | undefined): void;
}

/**
 * One session of the core. `request` numbers are chosen by the caller and come back in `done`, `failed` or `published`, exactly once.
 *
 * @internal
 */
export interface Core {
  start(): void;
  /** Undefined: the app's token function failed. */
  token(text: string | undefined): void;
  /** Undefined bitrate or frame rate: by size and source. */
  publish(
    request: number,
    track: MediaStreamTrack,
    source: string,
    name: string,
    muted: boolean,
    codec: string | undefined,
    maxBitrate: number | undefined,
    maxFramerate: number | undefined,
    simulcast: boolean,
    scalabilityMode: string | undefined,
    red: boolean,
    dtx: boolean,
  ): void;
  unpublish(request: number, publication: string): void;
  mute(request: number, publication: string, muted: boolean): void;
  /** `action`: its place in moderation.ts; `target`: an identity, a publication or nothing. */
  moderate(request: number, action: number, target: string): void;
  subscribe(request: number, publication: string, wanted: boolean): void;
  /** How a publication is shown, in pixels and frames per second, zero for unknown or no limit. `priority`: see layers.ts. */
  wish(publication: string, width: number, height: number, visible: boolean, maxFramerate: number, priority: number): void;
  /** The code of what is wrong, or undefined when it was handed to the browser. */
  sendData(payload: Uint8Array, text: boolean, to: string | undefined, topic: string | undefined, reliable: boolean): string | undefined;
  /** The transport's counters, as flatten.ts lays them out. */
  stats(numbers: Float64Array): void;
  /** The STUN or TURN server of this address, numbered as in `iceServers`, gave a candidate or failed. */
  iceServer(address: number, works: boolean): void;
  /** The network is said to be back, gone, or another one. */
  networkAvailable(): void;
  /** What happened so far: docs/journal.md. */
  trace(): Uint8Array;
  /** Nothing shall give way when the processor or the path is short. Before `start`. */
  adaptNothing(): void;
  /** So many participants may talk directly; below two: never. Before `start`. */
  directLimit(most: number): void;
  /** A publication is sent with another track, or none: to those that get it directly. */
  trackReplaced(publication: string, track: MediaStreamTrack | undefined): void;
  /** Whether nobody sees the page. */
  pageHidden(hidden: boolean): void;
  /** Ends with `CoreHost.closed`, at once. */
  leave(): void;
  free(): void;
}

/** What the generated glue of one wasm instance exports. @internal */
export interface CoreGlue {
  default(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  Core: new (
    host: CoreHost,
    autoSubscribe: boolean,
    joinTimeoutMs: number,
    giveUpAfterMs: number,
    client: string,
    rtcConfiguration: RTCConfiguration,
  ) => Core;
  /** Called with file and line when the core panics; the instance must not be entered again. */
  onPanic(callback: (file: string, line: number) => void): void;
}
