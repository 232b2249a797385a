// Publications: one source of one participant, its own or somebody else's.

import type { Call } from './call.js';
import type { Capture } from './capture.js';
import { nearcastError, type NearcastError } from './errors.js';
import type { Layer, VideoPreferences } from './layers.js';
import type { LocalParticipant, Participant, RemoteParticipant } from './participant.js';
import type { Quality } from './quality.js';
import type { LocalTrack, RemoteTrack, Track, TrackKind } from './track.js';

/** What is seen or heard. */
export type Source = 'camera' | 'microphone' | 'screen' | 'screen-audio' | 'other';

/** What all publications start from. @internal */
export interface PublicationInit {
  id: string;
  kind: TrackKind;
  source: Source;
  name: string;
  muted: boolean;
}

/** One source of a participant: it can be subscribed to as long as it is in `participant.publications`. */
export abstract class Publication {
  #id: string;
  /** Audio or video. */
  readonly kind: TrackKind;
  /** What is seen or heard. */
  readonly source: Source;
  /** Free text from the publisher. */
  readonly name: string;
  /** Whose. */
  abstract readonly participant: Participant;
  /** Its media, when there is any here. */
  abstract readonly track: Track | undefined;
  /** Muted by a moderator: the edge forwards nothing of it, and its publisher can't unmute it until a moderator allows it. */
  readonly blocked: boolean = false;
  #muted: boolean;
  #quality: Quality | undefined;

  /** @internal */
  constructor(init: PublicationInit) {
    this.#id = init.id;
    this.kind = init.kind;
    this.source = init.source;
    this.name = init.name;
    this.#muted = init.muted;
  }

  /** Unique in the room and over time. Another one when the call moved to a new session (`reconnecting`, step `moving`). */
  get id(): string {
    return this.#id;
  }

  /** @internal */
  rename(id: string): this {
    this.#id = id;
    return this;
  }

  /** The publisher sends nothing for now. */
  get muted(): boolean {
    return this.#muted;
  }

  /** How well it gets through here; undefined until it is measured. Told by `quality`. */
  get quality(): Quality | undefined {
    return this.#quality;
  }

  /** @internal */
  setQuality(quality: Quality): void {
    this.#quality = quality;
  }

  /** Whether that was a change. @internal */
  setMuted(muted: boolean): boolean {
    const changed = this.#muted !== muted;
    this.#muted = muted;
    return changed;
  }
}

/** @internal */
export interface LocalPublicationInit extends PublicationInit {
  participant: LocalParticipant;
  track: LocalTrack;
  mid: string;
  sender: RTCRtpSender;
  capture: Capture | undefined;
  stopOnUnpublish: boolean;
  call: Call;
  /** The muted flag changed. */
  onMuted: (publication: LocalPublication) => void;
  /** Something happened to its device. */
  onDevice: (type: 'devicereplaced' | 'publicationinterrupted', publication: LocalPublication) => void;
}

/** What oneself publishes. */
export class LocalPublication extends Publication {
  override readonly participant: LocalParticipant;
  override readonly track: LocalTrack;
  /** The media section that sends it: finds its statistics. @internal */
  mid: string;
  #sender: RTCRtpSender;
  #capture: Capture | undefined;
  #stopOnUnpublish: boolean;
  #call: Call;
  #onMuted: LocalPublicationInit['onMuted'];
  #onDevice: LocalPublicationInit['onDevice'];
  /** The device was given back while muted. */
  #released = false;
  #over = false;
  /** Device operations run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(init: LocalPublicationInit) {
    super(init);
    this.participant = init.participant;
    this.track = init.track;
    this.mid = init.mid;
    this.#sender = init.sender;
    this.#capture = init.capture;
    this.#stopOnUnpublish = init.stopOnUnpublish;
    this.#call = init.call;
    this.#onMuted = init.onMuted;
    this.#onDevice = init.onDevice;
    this.#watch(this.#media, 'add');
  }

  /** The device gives nothing for now though it isn't muted here: another program, a phone call or the system has taken it. */
  get interrupted(): boolean {
    return this.#media.muted;
  }

  /**
   * Sends nothing until `unmute`. A camera opened by `publishCamera` is switched off, so its light goes out; microphones, screens and tracks of
   * your own stay open and are silenced. Takes effect at once; resolves when the room was told.
   */
  async mute(): Promise<void> {
    await this.#inTurn(() => this.#silence());
    await this.#call.mute(this, true);
  }

  /**
   * Sends again. Opens the camera anew if `mute` switched it off: rejects with a DeviceError, still muted, if that fails; with `not-permitted`
   * while it is `blocked`.
   */
  async unmute(): Promise<void> {
    if (this.blocked) throw nearcastError('not-permitted', { message: 'Muted by a moderator.' });
    await this.#inTurn(async () => {
      if (!this.muted) return;
      if (this.#released && this.#capture) await this.#send(await this.#capture.open(), true);
      this.#released = false;
      this.#media.enabled = true;
      if (this.setMuted(false)) this.#onMuted(this);
    });
    await this.#call.mute(this, false);
  }

  /** Sends another track of the same kind; it is yours to stop. Nobody in the room notices a new publication. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    if (track.kind !== this.kind) throw nearcastError('bad-argument', { message: `A publication of ${this.kind} cannot carry ${track.kind}.` });
    await this.#inTurn(async () => {
      await this.#send(track, false);
      this.#released = false;
      this.#capture = undefined;
      this.#stopOnUnpublish = false;
    });
  }

  /** Goes on with another camera or microphone. Only for publications of `publishCamera` and `publishMicrophone`. */
  async switchDevice(deviceId: string): Promise<void> {
    await this.#inTurn(async () => {
      const capture = this.#capture?.withDevice(deviceId);
      if (!capture) throw nearcastError('bad-argument', { message: 'This track was not opened by publishCamera or publishMicrophone: use replaceTrack.' });
      if (!this.#released) await this.#send(await capture.open(), true);
      this.#capture = capture;
    });
  }

  /** Stops publishing; the device is closed if it was opened here. */
  unpublish(): Promise<void> {
    return this.#call.unpublish(this);
  }

  /** Goes on over another transport. @internal */
  move(id: string, mid: string, sender: RTCRtpSender): void {
    this.rename(id);
    this.mid = mid;
    this.#sender = sender;
    // The track may have been changed while it was on its way there.
    const media = this.#released ? null : this.#media;
    if (sender.track !== media) this.#replace(media).catch(() => undefined); // fails only with the transport, which has its own remedy
  }

  /** Published although muted: gives the device back. @internal */
  async silence(): Promise<void> {
    await this.#inTurn(() => this.#silence());
  }

  /** No longer published: lets go of the device. @internal */
  end(): void {
    this.#over = true;
    this.#watch(this.#media, 'remove');
    if (this.#stopOnUnpublish) this.#media.stop();
    this.track.detach();
  }

  get #media(): MediaStreamTrack {
    return this.track.mediaStreamTrack;
  }

  #watch(media: MediaStreamTrack, how: 'add' | 'remove'): void {
    const change = `${how}EventListener` as const;
    media[change]('ended', this.#onEnded);
    for (const type of ['mute', 'unmute']) media[change](type, this.#onInterrupted);
  }

  #onInterrupted = (): void => this.#onDevice('publicationinterrupted', this);

  #onEnded = (): void => {
    // It is gone either way, and the room tells why if the session is over.
    const unpublish = (error?: NearcastError): Promise<void> => this.#call.unpublish(this, error).catch(() => undefined);
    if (!this.#capture) return void unpublish();
    this.#inTurn(async () => {
      // Switched, or given back, while it waited for its turn.
      if (this.#over || this.#released || !this.#capture || this.#media.readyState === 'live') return;
      const capture = await this.#capture.replacement();
      await this.#send(await capture.open(), true);
      this.#capture = capture;
      this.#onDevice('devicereplaced', this);
    }).catch(unpublish);
  };

  async #silence(): Promise<void> {
    this.#media.enabled = false;
    if (this.#capture?.releaseOnMute && !this.#released) {
      this.#released = true;
      this.#media.stop();
      await this.#replace(null);
    }
    if (this.setMuted(true)) this.#onMuted(this);
  }

  /** To the edge, and to those that get it directly. */
  #replace(media: MediaStreamTrack | null): Promise<void> {
    this.#call.trackReplaced(this, media);
    return this.#sender.replaceTrack(media);
  }

  /** Sends `media` instead of the present track, which is stopped if it was opened here. */
  async #send(media: MediaStreamTrack, openedHere: boolean): Promise<void> {
    const before = this.#media;
    media.enabled = !this.muted;
    media.contentHint ||= before.contentHint;
    try {
      if (this.#over) throw nearcastError('publication-unknown');
      await this.#replace(media);
    } catch (cause) {
      if (openedHere) media.stop();
      throw cause;
    }
    this.#watch(before, 'remove');
    this.#watch(media, 'add');
    this.track.swap(media);
    if (this.#stopOnUnpublish) before.stop();
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(step);
    this.#turn = result.catch(() => undefined); // the caller gets the error; the next operation starts afresh
    return result;
  }
}

/** @internal */
export interface RemotePublicationInit extends PublicationInit {
  participant: RemoteParticipant;
  subscribed: boolean;
  call: Call;
}

/** What somebody else publishes. */
export class RemotePublication extends Publication {
  override readonly participant: RemoteParticipant;
  #call: Call;
  #subscribed: boolean;
  #track: RemoteTrack | undefined;
  #mid: string | undefined;
  #layer: Layer | undefined;
  /** What the app named. */
  #preferences: VideoPreferences = {};
  /** What its elements show. */
  #automatic: VideoPreferences = {};

  /** @internal */
  constructor(init: RemotePublicationInit) {
    super(init);
    this.participant = init.participant;
    this.#subscribed = init.subscribed;
    this.#call = init.call;
  }

  /** Wanted; its `track` follows as soon as the edge sends it. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /** Set between `tracksubscribed` and `trackunsubscribed`. */
  override get track(): RemoteTrack | undefined {
    return this.#track;
  }

  /** Asks for its media; `tracksubscribed` follows. */
  async subscribe(): Promise<void> {
    await this.#call.subscribe(this, true);
    this.#subscribed = true;
  }

  /** Stops receiving it; `trackunsubscribed` follows. */
  async unsubscribe(): Promise<void> {
    await this.#call.subscribe(this, false);
    this.#subscribed = false;
  }

  /** What the edge sends of it and why not more; undefined until it has said. Told by `layerchanged`. */
  get layer(): Layer | undefined {
    return this.#layer;
  }

  /**
   * Says how it is shown, and who comes first when the connection is short. What is named comes before what is measured
   * (`ConnectOptions.adaptiveStream`), until it is named again; `undefined` leaves it to measuring. Cheap: call it whenever something changes;
   * what changes within a moment goes to the edge together.
   */
  setVideoPreferences(preferences: VideoPreferences): void {
    this.#preferences = { ...this.#preferences, ...preferences };
    this.#wish();
  }

  /** How its elements show it, as far as the app doesn't say. @internal */
  setShown(shown: VideoPreferences): void {
    this.#automatic = shown;
    this.#wish();
  }

  #wish(): void {
    const named = Object.entries(this.#preferences).filter(([, value]) => value !== undefined);
    this.#call.wish(this, { ...this.#automatic, ...Object.fromEntries(named) });
  }

  /** @internal */
  setLayer(layer: Layer): void {
    this.#layer = layer;
  }

  /** The media section that receives it: finds its statistics. @internal */
  get mid(): string | undefined {
    return this.#mid;
  }

  /** @internal */
  bind(track: RemoteTrack | undefined, mid: string | undefined): void {
    this.#track = track;
    this.#mid = mid;
    if (!track) this.#layer = undefined;
  }
}
