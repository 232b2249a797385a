// Between the wasm core and the objects of the façade: turns what the core tells into participants, publications and events, and what these
// are asked into calls of the core. Owns all that has to be let go at the end: listeners on the page, devices, the core itself.

import type { Adaptation } from './adaptation.js';
import { AdaptiveStream, canAdapt } from './adaptive.js';
import type { Call, PublishRequest } from './call.js';
import { signalAddress } from './address.js';
import type { TokenSource } from './connect.js';
import type { Core, CoreHost } from './core/boundary.js';
import type { CoreInstance, CoreUser } from './core/instance.js';
import { devices } from './devices.js';
import { flatten, newNumbers, readAll } from './flatten.js';
import type { Encryption } from './encryption.js';
import { nearcastError, type NearcastError } from './errors.js';
import { IceServers } from './ice-servers.js';
import { layerReasons, type VideoPreferences, videoPriorities } from './layers.js';
import { type ModerationAction, moderationActions, MUTE } from './moderation.js';
import type { ConnectOptions } from './options.js';
import { LocalParticipant, type Participant, RemoteParticipant } from './participant.js';
import { watchPage } from './page.js';
import { AudioPlayback } from './playback.js';
import { LocalPublication, type Publication, RemotePublication, type Source } from './publication.js';
import { JUDGEMENT, type Quality, readQuality } from './quality.js';
import { Requests } from './requests.js';
import { type LeaveReason, type PathReason, type RecoveryStep, Room, type RoomEvents, type RoomState } from './room.js';
import { openSocket } from './socket.js';
import { type RoomStats, StatsReader } from './stats.js';
import { makeTrace, type Trace } from './trace.js';
import { LocalTrack, RemoteTrack } from './track.js';
import { Voices } from './voices.js';

/** What the edge's logs show; the version is written by `scripts/build.mjs`. */
declare const NEARCAST_VERSION: string;

/** A publication on its way: what the edge says is put together with what was asked. */
interface Publishing {
  track: MediaStreamTrack;
  request: PublishRequest;
}

/** @internal */
export class Session implements CoreHost, CoreUser, Call {
  readonly playback = new AudioPlayback((blocked) => this.#emit(blocked ? 'autoplayblocked' : 'autoplayresumed', {}));
  #instance: CoreInstance;
  #core: Core | undefined;
  #token: TokenSource;
  #tokenFailure: unknown;
  /** The app's token function is at work. */
  #fetching = false;
  #abortReason: unknown;
  #transport: RTCPeerConnection | undefined;
  #iceServers: IceServers | undefined;
  /** The edge that `connect` was given. */
  #address: string;
  /** Opened before the core was there: the first that it gets. */
  #early: WebSocket | undefined;
  /** Direct connections, by number. */
  #links = new Map<number, RTCPeerConnection>();
  #voices = new Voices(
    () => [this.#transport, ...this.#links.values()].filter((one) => one !== undefined),
    (heard) => this.#speak(heard),
  );
  #socket: WebSocket | undefined;
  #room: Room | undefined;
  #encryption: Encryption | undefined;
  /** Remote publications, by id. */
  #remote = new Map<string, RemotePublication>();
  #publishing = new Map<number, Publishing>();
  /** Of ours, muted by a moderator before they are published. */
  #blocked = new Set<string>();
  #requests = new Requests();
  #stats = new StatsReader();
  #adaptive: AdaptiveStream | undefined;
  /** Used again for each reading. */
  #numbers = newNumbers();
  #quality: { uplink?: Quality; downlink?: Quality } = {};
  #entering: { resolve: (room: Room) => void; reject: (error: NearcastError) => void } | undefined;
  /** Events of the time before the app can listen. */
  #held: (() => void)[] | undefined = [];
  /** The core's, from its end: bugs are reported afterwards. */
  #lastTrace: Uint8Array | undefined;
  /** Everything on the page that knows this session. */
  #page = new AbortController();

  /** Enters a room; rejects with the reason when that fails. `early`: a WebSocket to there that opens already. */
  static connect(
    instance: CoreInstance,
    address: string,
    token: TokenSource,
    options: ConnectOptions,
    early?: WebSocket,
  ): Promise<Room> {
    return new Promise((resolve, reject) => {
      const session = new Session(instance, address, token, early);
      session.#entering = { resolve, reject };
      try {
        session.#start(options);
      } catch (cause) {
        session.#end(nearcastError('internal', { cause }));
        reject(cause);
      }
    });
  }

  private constructor(instance: CoreInstance, address: string, token: TokenSource, early: WebSocket | undefined) {
    this.#instance = instance;
    this.#address = address;
    this.#early = early;
    this.#token = token;
  }

  #start(options: ConnectOptions): void {
    const { autoSubscribe = true, joinTimeoutMs = 10_000, giveUpAfterMs = 120_000, signal } = options;
    const { glue } = this.#instance;
    this.#encryption = options.e2ee;
    const configuration: RTCConfiguration = { bundlePolicy: 'max-bundle', ...options.rtcConfiguration, ...options.e2ee?.configuration };
    this.#iceServers = new IceServers(configuration);
    const client = `nearcast-js/${NEARCAST_VERSION}`;
    this.#instance.add(this);
    this.#core = this.#instance.enter(() => new glue.Core(this, autoSubscribe, joinTimeoutMs, giveUpAfterMs, client, configuration));
    const page = { signal: this.#page.signal };
    if (options.adaptiveStream !== false && canAdapt()) this.#adaptive = new AdaptiveStream(this.#page.signal);
    signal?.addEventListener('abort', () => this.#abort(signal.reason), page);
    watchPage(this.#page.signal, {
      changed: () => this.#tellCore((core) => core.networkAvailable()),
      hidden: (hidden) => this.#tellCore((core) => core.pageHidden(hidden)),
      // Nobody sees a ghost for the time in which the edge would wait for its return.
      closed: () => this.leave(),
    });
    devices.onChange((list) => this.#emit('deviceschanged', { devices: list }), page);
    if (options.adaptation === false) this.#enter((core) => core.adaptNothing());
    const { direct = true } = options;
    if (direct !== true) this.#enter((core) => core.directLimit(Number(direct)));
    this.#enter((core) => core.start());
    if (globalThis.document?.hidden) this.#tellCore((core) => core.pageHidden(true));
  }

  // What participants and publications ask

  publish(track: MediaStreamTrack, request: PublishRequest): Promise<LocalPublication> {
    if (this.#encryption && request.codec === 'av1') {
      return Promise.reject(nearcastError('bad-argument', { message: "AV1 can't be sealed." }));
    }
    return this.#requests.make((id) => {
      this.#publishing.set(id, { track, request });
      const { source, name, muted, codec, maxBitrate, maxFramerate, simulcast, scalabilityMode, dtx } = request;
      // The edge takes RED apart for those who can't, and what is sealed can't be taken apart.
      const red = request.red && !this.#encryption;
      this.#enter((core) =>
        core.publish(id, track, source, name, muted, codec, maxBitrate, maxFramerate, simulcast, scalabilityMode, red, dtx),
      );
    });
  }

  async unpublish(publication: LocalPublication, error?: NearcastError): Promise<void> {
    if (!this.#dropLocal(publication, error)) return;
    await this.#requests.make<void>((id) => this.#enter((core) => core.unpublish(id, publication.id)));
  }

  mute(publication: LocalPublication, muted: boolean): Promise<void> {
    return this.#requests.make((id) => this.#enter((core) => core.mute(id, publication.id, muted)));
  }

  moderate(action: ModerationAction, target: string): Promise<void> {
    return this.#requests.make((id) => this.#enter((core) => core.moderate(id, moderationActions.indexOf(action), target)));
  }

  trackReplaced(publication: LocalPublication, track: MediaStreamTrack | null): void {
    this.#tellCore((core) => core.trackReplaced(publication.id, track ?? undefined));
  }

  subscribe(publication: Publication, wanted: boolean): Promise<void> {
    return this.#requests.make((id) => this.#enter((core) => core.subscribe(id, publication.id, wanted)));
  }

  wish(publication: Publication, preferences: VideoPreferences): void {
    const { width = 0, height = 0, visible = true, maxFramerate = 0, priority = 'auto' } = preferences;
    // Rounded up: a frame less than wished would be a blur, and zero would be no limit.
    const upTo = (most: number, value: number): number => Math.min(Math.max(Math.ceil(value), 0), most);
    const rank = videoPriorities.indexOf(priority);
    this.#tellCore((core) => core.wish(publication.id, upTo(65535, width), upTo(65535, height), visible, upTo(255, maxFramerate), rank));
  }

  sendData(payload: string | Uint8Array, to: string | undefined, topic: string | undefined, reliable: boolean): void {
    const text = typeof payload === 'string';
    const bytes = text ? new TextEncoder().encode(payload) : payload;
    const code = this.#enter((core) => core.sendData(bytes, text, to, topic, reliable));
    if (code !== undefined) throw nearcastError(code);
  }

  async stats(): Promise<RoomStats> {
    if (!this.#transport || !this.#core) throw nearcastError('room-left');
    return this.#stats.read(this.#transport, this.#links, this.#room?.local.table.values() ?? [], this.#remote.values());
  }

  trace(): Trace {
    const core = this.#core ? this.#enter((core) => core.trace()) : this.#lastTrace;
    if (!core) throw nearcastError('core-panicked');
    return makeTrace(core, NEARCAST_VERSION);
  }

  leave(): void {
    this.#tellCore((core) => core.leave());
  }

  // What the core tells: see CoreHost

  tokenWanted(): void {
    const source = this.#token;
    const answer = (token: unknown): void => {
      this.#fetching = false;
      this.#tellCore((core) => core.token(typeof token === 'string' ? token : undefined));
    };
    if (typeof source === 'string') return answer(source);
    // An attempt may be given up while the function is still at work: its answer serves the next one.
    if (this.#fetching) return;
    this.#fetching = true;
    Promise.resolve()
      .then(source)
      .then(answer, (cause: unknown) => {
        this.#tokenFailure = cause;
        answer(undefined);
      });
  }

  transportOpened(transport: RTCPeerConnection): void {
    this.#transport = transport;
    this.#encryption?.attach(transport);
    this.#iceServers?.watch(transport, (address, works) => this.#tellCore((core) => core.iceServer(address, works)));
  }

  linkChanged(link: number, connection: RTCPeerConnection | undefined): void {
    if (!connection) return void this.#links.delete(link);
    this.#links.set(link, connection);
    this.#encryption?.attach(connection);
  }

  pathChanged(id: string, direct: boolean, reason: string): void {
    const room = this.#room;
    const participant = room?.table.get(id);
    if (!room || !participant) return;
    const path = direct ? 'direct' : 'edge';
    participant.setPath(path);
    this.#voices.update(room);
    this.#emit('pathchanged', { participant, path, reason: reason as PathReason });
  }

  openSocket(edge: string | undefined): WebSocket | undefined {
    const early = this.#early;
    this.#early = undefined;
    try {
      this.#socket = early ?? openSocket(edge === undefined ? this.#address : signalAddress(edge));
    } catch {
      this.#socket = undefined; // an edge that named another one by what is no address
    }
    return this.#socket;
  }

  iceServers(servers: [string | undefined, string | undefined, ...string[]][]): void {
    this.#iceServers?.name(servers);
  }

  leaveOut(addresses: number): void {
    this.#iceServers?.leaveOut(addresses, this.#transport);
  }

  step(step: RecoveryStep, reason: string, tookMs: number): void {
    this.#emit('reconnecting', { step, reason, tookMs });
  }

  renamed(was: string, id: string): void {
    const room = this.#room;
    if (!room) return;
    if (room.local.id === was) room.local.rename(id);
    const publication = this.#remote.get(was);
    const table: Map<string, RemoteParticipant | RemotePublication> = publication?.participant.table ?? room.table;
    const known = table.get(was);
    if (!known) return;
    table.delete(was);
    table.set(id, known.rename(id));
    if (publication) {
      this.#remote.delete(was);
      this.#remote.set(id, publication);
    }
  }

  republished(was: string, id: string, mid: string, sender: RTCRtpSender): void {
    const table = this.#room?.local.table;
    const publication = table?.get(was);
    if (!table || !publication) return;
    table.delete(was);
    table.set(id, publication);
    publication.move(id, mid, sender);
  }

  stateChanged(state: RoomState, reason: string): void {
    const room = this.#room;
    if (!room) return;
    const previous = room.setState(state);
    if (previous !== state) this.#emit('statechanged', { state, previous, reason });
    if (state !== 'connected' || !this.#entering) return;
    this.#entering.resolve(room);
    this.#entering = undefined;
    // A task of its own: by then every `await` between connect() and the app's listeners has run.
    setTimeout(() => this.#release());
  }

  joined(name: string, id: string, identity: string, display: string, role: string | undefined): void {
    const local = new LocalParticipant({ id, identity, name: display, role }, this);
    this.#room = Room.create(name, local, this);
    this.#encryption?.entered(this.#room);
  }

  participantJoined(id: string, identity: string, name: string, role: string | undefined): void {
    const participant = new RemoteParticipant({ id, identity, name, role });
    this.#room?.table.set(id, participant);
    this.#emit('participantjoined', { participant });
  }

  participantLeft(id: string, reason: string): void {
    const participant = this.#room?.table.get(id);
    if (!participant) return;
    this.#room?.table.delete(id);
    this.#emit('participantleft', { participant, reason: reason as LeaveReason });
  }

  publicationAdded(owner: string, id: string, video: boolean, source: string, name: string, muted: boolean, subscribed: boolean): void {
    const participant = this.#room?.table.get(owner);
    if (!participant) return;
    const kind = video ? 'video' : 'audio';
    const publication = new RemotePublication({ id, kind, source: source as Source, name, muted, subscribed, participant, call: this });
    participant.table.set(id, publication);
    this.#remote.set(id, publication);
    this.#emit('publicationadded', { participant, publication });
  }

  publicationRemoved(_owner: string, id: string): void {
    const publication = this.#remote.get(id);
    if (!publication) return;
    const { participant } = publication;
    this.#remote.delete(id);
    participant.table.delete(id);
    this.#emit('publicationremoved', { participant, publication });
  }

  publicationMuted(id: string, muted: boolean): void {
    const publication = this.#remote.get(id);
    if (publication?.setMuted(muted)) this.#emit('publicationmuted', { participant: publication.participant, publication, muted });
  }

  moderated(number: number, id: string): void {
    const room = this.#room;
    const action = moderationActions[number];
    if (!room || !action) return;
    const own = room.local.table.get(id);
    const publication = own ?? this.#remote.get(id);
    if (!id) {
      // Told to whoever comes back, whether it is news or not.
      const locked = action === 'lock';
      if (room.locked === locked) return;
      (room as { locked: boolean }).locked = locked;
    } else if (!publication) return void this.#blocked.add(id);
    else if (action !== 'ask-mute') (publication as { blocked: boolean }).blocked = action === 'mute';
    if (own?.blocked) void own.mute().catch(() => undefined); // it is silent; the edge knows
    this.#emit('moderated', publication ? { action, publication } : { action });
  }

  mayModerate(): void {
    if (this.#room) (this.#room as { canModerate: boolean }).canModerate = true;
  }

  trackSubscribed(id: string, mid: string, media: MediaStreamTrack): void {
    const publication = this.#remote.get(id);
    if (!publication) return;
    if (publication.track) {
      // Over another transport: what plays it goes on.
      publication.track.follow(media);
      return publication.bind(publication.track, mid);
    }
    const track = new RemoteTrack(media, this.playback);
    publication.bind(track, mid);
    if (publication.kind === 'video') this.#adaptive?.watch(track, (shown) => publication.setShown(shown));
    this.#emit('tracksubscribed', { participant: publication.participant, publication, track });
  }

  trackUnsubscribed(id: string): void {
    const publication = this.#remote.get(id);
    const track = publication?.track;
    if (!publication || !track) return;
    publication.bind(undefined, undefined);
    this.#adaptive?.forget(track);
    // Told while its elements still know it, so that an app can take them out of the page.
    this.#emit('trackunsubscribed', { participant: publication.participant, publication, track });
    // The slot may carry somebody else in a moment: nobody's element may show that.
    track.detach();
  }

  localUnpublished(id: string): void {
    const publication = this.#room?.local.table.get(id);
    if (publication) this.#dropLocal(publication);
  }

  speakers(ids: string[], levels: Uint8Array): void {
    const room = this.#room;
    // The edge knows nothing of voices that don't pass it.
    if (!room || this.#voices.listen) return;
    const heard = ids.flatMap((id, index): [Participant, number][] => {
      const participant = id === room.local.id ? room.local : room.table.get(id);
      return participant ? [[participant, Math.max(levels[index] ?? 0, 1) / 127]] : [];
    });
    this.#speak(heard);
  }

  #speak(heard: [Participant, number][]): void {
    const room = this.#room;
    if (!room) return;
    for (const participant of room.speakers) participant.setLevel(0);
    for (const [participant, level] of heard) participant.setLevel(level);
    const speakers = heard.map(([participant]) => participant);
    room.setSpeakers(speakers);
    this.#emit('speakerschanged', { speakers });
  }

  layers(estimate: number, ids: string[], numbers: Uint32Array): void {
    this.#room?.setEstimate(estimate || undefined);
    for (const [index, id] of ids.entries()) {
      const publication = this.#remote.get(id);
      if (!publication) continue;
      const [width = 0, height = 0, framesPerSecond = 0, bitrate = 0, paused = 0, reason = 0] = numbers.subarray(index * 6);
      const layer = { width, height, framesPerSecond, bitrate, paused: paused > 0, reason: layerReasons[reason] ?? 'best' };
      publication.setLayer(layer);
      this.#emit('layerchanged', { participant: publication.participant, publication, layer });
    }
  }

  adapted(what: string, step: string, active: boolean, reason: string): void {
    this.#emit('adapted', { what, step, active, reason } as Adaptation);
  }

  statsWanted(): void {
    // A transport that is being closed has no counters any more; the core asks again.
    if (!this.#transport) return;
    readAll(this.#transport, this.#links).then(
      ([reports, links]) => this.#tellCore((core) => core.stats(flatten(reports, this.#numbers, links))),
      () => undefined,
    );
  }

  quality(ids: string[], numbers: Float32Array): void {
    const room = this.#room;
    if (!room) return;
    let told = false;
    let connection = false;
    for (const [index, id] of ids.entries()) {
      const of = numbers.subarray(index * JUDGEMENT);
      const quality = readQuality(of);
      const subject = (of[0] ?? 0) % 4;
      const news = (of[0] ?? 0) < 4;
      if (subject < 2) {
        this.#quality[subject ? 'downlink' : 'uplink'] = quality;
        told = true;
        connection ||= news;
      } else if (subject === 2) {
        const publication = this.#remote.get(id) ?? room.local.table.get(id);
        publication?.setQuality(quality);
        if (publication && news) this.#emit('quality', { quality, participant: publication.participant, publication });
      } else {
        // Of oneself there are better numbers here.
        const participant = room.table.get(id);
        participant?.setQuality(quality);
        if (participant) this.#emit('quality', { quality, participant });
      }
    }
    const { uplink, downlink } = this.#quality;
    if (!told || !uplink || !downlink) return;
    // A direction that nothing is known of says nothing against the other one.
    const worse = uplink.level === 'unknown' || (downlink.level !== 'unknown' && downlink.score < uplink.score) ? downlink : uplink;
    const quality = { ...worse, uplink, downlink };
    room.setQuality(quality);
    if (connection) this.#emit('quality', { quality });
  }

  data(sender: string | undefined, bytes: Uint8Array, text: boolean, topic: string | undefined, reliable: boolean): void {
    const from = sender === undefined ? undefined : this.#room?.table.get(sender);
    // Bytes come as a view of the core's memory, which changes under an app that keeps them.
    const payload = text ? new TextDecoder().decode(bytes) : bytes.slice();
    this.#emit('data', { from, payload, reliable, ...(topic !== undefined && { topic }) });
  }

  published(id: number, publicationId: string, mid: string, sender: RTCRtpSender): void {
    const publishing = this.#publishing.get(id);
    const room = this.#room;
    if (!publishing || !room) return;
    this.#publishing.delete(id);
    const { track, request } = publishing;
    const publication = new LocalPublication({
      id: publicationId,
      kind: track.kind === 'audio' ? 'audio' : 'video',
      ...request,
      capture: request.capture,
      participant: room.local,
      track: new LocalTrack(track, this.playback),
      mid,
      sender,
      call: this,
      onMuted: (changed) => this.#emit('publicationmuted', { participant: room.local, publication: changed, muted: changed.muted }),
      onDevice: (type, changed) => this.#emit(type, { publication: changed }),
    });
    room.local.table.set(publicationId, publication);
    this.#emit('localpublished', { publication });
    if (this.#blocked.delete(publicationId)) this.moderated(MUTE, publicationId);
    this.#requests.resolve(id, publication);
    if (track.readyState === 'ended') void this.unpublish(publication).catch(() => undefined); // it ended while the edge was asked
  }

  done(request: number): void {
    this.#requests.resolve(request, undefined);
  }

  failed(request: number, code: string, message: string, retryable: boolean): void {
    this.#publishing.delete(request);
    this.#requests.reject(request, nearcastError(code, { message, retryable }));
  }

  closed(code: string | undefined, message: string, retryable: boolean, retryAfterMs: number | undefined): void {
    const cause = code === 'token-unavailable' ? this.#tokenFailure : undefined;
    this.#end(code === undefined ? undefined : nearcastError(code, { message, retryable, retryAfterMs, cause }));
  }

  corePanicked(where: string): void {
    if (this.#core) this.#end(nearcastError('core-panicked', { cause: new Error(where) }));
  }

  // Inside

  #enter<T>(call: (core: Core) => T): T {
    const core = this.#core;
    if (!core) throw nearcastError('room-left');
    return this.#instance.enter(() => call(core));
  }

  /** The same where nobody waits for an answer: over is over, and a panic is told to the app by `closed`. */
  #tellCore(call: (core: Core) => void): void {
    try {
      if (this.#core) this.#enter(call);
    } catch (cause) {
      if (!this.#instance.failed) throw cause;
    }
  }

  /** Tells the app, now or when it can listen. */
  #emit<K extends keyof RoomEvents>(type: K, detail: RoomEvents[K]): void {
    const room = this.#room;
    if (this.#held) this.#held.push(() => this.#room?.emit(type, detail));
    else room?.emit(type, detail);
  }

  #release(): void {
    const held = this.#held ?? [];
    // Listeners may cause events: these queue up behind the ones that are told now.
    for (let next = held.shift(); next; next = held.shift()) next();
    this.#held = undefined;
  }

  /** Connecting only: once connected, the app leaves. */
  #abort(reason: unknown): void {
    if (!this.#entering) return;
    this.#abortReason = reason;
    this.leave();
  }

  /** Whether it was still published. */
  #dropLocal(publication: LocalPublication, error?: NearcastError): boolean {
    if (!this.#room?.local.table.delete(publication.id)) return false;
    publication.end();
    this.#emit('localunpublished', { publication, ...(error && { error }) });
    return true;
  }

  /** Ends everything, once; tells the app unless it never got a room. */
  #end(error: NearcastError | undefined): void {
    const core = this.#core;
    if (!core && !this.#entering) return;
    if (this.#room) this.#tellCore((ending) => (this.#lastTrace = ending.trace()));
    this.#core = undefined;
    this.#page.abort();
    this.#instance.delete(this);
    this.#requests.end(error ?? nearcastError('room-left'));
    this.#publishing.clear();
    for (const publication of this.#room?.local.table.values() ?? []) publication.end();
    for (const publication of this.#remote.values()) publication.track?.detach();
    this.playback.clear();
    this.#voices.stop();
    this.#close(core);
    this.#tell(error);
  }

  /** Closes what the core opened. Freeing waits until the call that brought us here, and promises that have settled, are through. */
  #close(core: Core | undefined): void {
    const socket = this.#socket;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
      socket.close();
    }
    for (const connection of [this.#transport, ...this.#links.values()]) connection?.close();
    this.#links.clear();
    this.#socket = this.#transport = undefined;
    if (core) setTimeout(() => this.#instance.failed || core.free());
  }

  #tell(error: NearcastError | undefined): void {
    const entering = this.#entering;
    const room = this.#room;
    this.#entering = undefined;
    if (entering) return entering.reject(error ?? nearcastError('aborted', { cause: this.#abortReason }));
    if (!room) return;
    const previous = room.setState('disconnected');
    if (previous !== 'disconnected') this.#emit('statechanged', { state: 'disconnected', previous, reason: error?.code ?? 'left' });
    this.#emit('closed', error ? { error } : {});
    if (this.#held) this.#held.push(() => room.endEvents());
    else room.endEvents();
  }
}
