// People (or bots) in a room: oneself, who publishes, and the others.

import type { Call, PublishRequest } from './call.js';
import { cameraCapture, captureScreen, microphoneCapture } from './capture.js';
import { cameraCodec } from './codec.js';
import { nearcastError } from './errors.js';
import type { CameraOptions, MicrophoneOptions, ScreenOptions, VideoOptions } from './options.js';
import type { Quality } from './quality.js';
import type { LocalPublication, Publication, RemotePublication, Source } from './publication.js';

/** What all participants start from. @internal */
export interface ParticipantInit {
  id: string;
  identity: string;
  name: string;
  role: string | undefined;
}

/** A way that media takes: from one participant to the other, or through the edge. */
export type Path = 'direct' | 'edge';

/** Somebody in the room. */
export abstract class Participant {
  #id: string;
  /** From the token: who it is. */
  readonly identity: string;
  /** From the token: what to show. */
  readonly name: string;
  /** From the token. */
  readonly role?: string;
  /** Oneself. */
  abstract readonly isLocal: boolean;
  /** What is published now, by publication id. */
  abstract readonly publications: ReadonlyMap<string, Publication>;
  #level = 0;
  #path: Path = 'edge';
  #quality: Quality | undefined;

  /** @internal */
  constructor(init: ParticipantInit) {
    this.#id = init.id;
    this.identity = init.identity;
    this.name = init.name;
    if (init.role !== undefined) this.role = init.role;
  }

  /** One stay in one room: unique, never used again. Another one when the call moved to a new session (`reconnecting`, step `moving`). */
  get id(): string {
    return this.#id;
  }

  /** @internal */
  rename(id: string): this {
    this.#id = id;
    return this;
  }

  /** Among `room.speakers`. */
  get speaking(): boolean {
    return this.#level > 0;
  }

  /** Loudness while speaking, 0 to 1 (digital full scale); 0 otherwise. */
  get level(): number {
    return this.#level;
  }

  /**
   * How well this participant is connected, subscribed to or not: others as the edge judges them, oneself as `room.quality`. Undefined until it is
   * known. Told by `quality`.
   */
  get quality(): Quality | undefined {
    return this.#quality;
  }

  /** How the media of this participant comes here: directly, or through the edge. Told by `pathchanged`. */
  get path(): Path {
    return this.#path;
  }

  /** @internal */
  setPath(path: Path): void {
    this.#path = path;
  }

  /** The first publication of this source, if there is one. */
  publication(source: Source): Publication | undefined {
    for (const publication of this.publications.values()) if (publication.source === source) return publication;
    return undefined;
  }

  /** @internal */
  setQuality(quality: Quality): void {
    this.#quality = quality;
  }

  /** @internal */
  setLevel(level: number): void {
    this.#level = level;
  }
}

/** Somebody else. */
export class RemoteParticipant extends Participant {
  override readonly isLocal = false;
  override readonly publications: ReadonlyMap<string, RemotePublication> = new Map();

  /** @internal */
  constructor(init: ParticipantInit) {
    super(init);
  }

  override publication(source: Source): RemotePublication | undefined {
    return super.publication(source) as RemotePublication | undefined;
  }

  /** The map behind `publications`. @internal */
  get table(): Map<string, RemotePublication> {
    return this.publications as Map<string, RemotePublication>;
  }
}

/** Options of `publish`. */
export interface PublishOptions extends VideoOptions {
  /** What is seen or heard. Default 'other'. */
  source?: Source;
  /** Free text for the others, at most 256 bytes. */
  name?: string;
  /** Bits per second. Default by size and source. */
  maxBitrate?: number;
  /** Frames per second. Default: as the track comes. */
  maxFramerate?: number;
  /** Stop the track when it is unpublished. Default false: it is yours. */
  stopOnUnpublish?: boolean;
}

/** What browsers make of these: https://www.w3.org/TR/mst-content-hint/ */
const contentHints: Readonly<Record<Source, string>> = {
  camera: 'motion',
  microphone: 'speech',
  screen: 'detail',
  'screen-audio': 'music',
  other: '',
};

const videoOptions = ({ codec, maxBitrate, simulcast = true, scalabilityMode }: VideoOptions) => ({
  codec: codec === 'auto' ? undefined : codec,
  maxBitrate,
  simulcast,
  scalabilityMode,
});

/** Oneself. */
export class LocalParticipant extends Participant {
  override readonly isLocal = true;
  override readonly publications: ReadonlyMap<string, LocalPublication> = new Map();
  #call: Call;

  /** @internal */
  constructor(init: ParticipantInit, call: Call) {
    super(init);
    this.#call = call;
  }

  override publication(source: Source): LocalPublication | undefined {
    return super.publication(source) as LocalPublication | undefined;
  }

  /** Opens a camera and publishes it. Rejects with a DeviceError or a MediaError. */
  async publishCamera(options: CameraOptions = {}): Promise<LocalPublication> {
    const { muted = false, frameRate } = options;
    const capture = cameraCapture(options);
    // Asked while the camera opens: it takes longer.
    const [track, codec] = await Promise.all([capture.open(), cameraCodec(options)]);
    return this.#publish(track, { ...videoOptions(options), codec, source: 'camera', muted, capture, maxFramerate: frameRate });
  }

  /** Opens a microphone and publishes it. Rejects with a DeviceError or a MediaError. */
  async publishMicrophone(options: MicrophoneOptions = {}): Promise<LocalPublication> {
    const capture = microphoneCapture(options);
    return this.#publish(await capture.open(), {
      source: 'microphone',
      muted: options.muted ?? false,
      capture,
      red: options.red ?? true,
      dtx: options.dtx ?? true,
    });
  }

  /** Lets the person choose a screen, window or tab and publishes it: `[screen]`, or `[screen, screenAudio]`. They end together. */
  async publishScreen(options: ScreenOptions = {}): Promise<LocalPublication[]> {
    const { video, audio } = await captureScreen(options);
    const limits = { ...videoOptions(options), maxFramerate: options.maxFramerate ?? 15 };
    const tracks = [this.#publish(video, { source: 'screen', ...limits })];
    if (audio) tracks.push(this.#publish(audio, { source: 'screen-audio' }));
    const results = await Promise.allSettled(tracks);
    const published = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const [screen, sound] = results;
    if (screen?.status === 'rejected') {
      for (const other of published) void other.unpublish().catch(() => undefined);
      throw screen.reason;
    }
    // A screen without its sound is still what was asked for, so a refusal of the sound alone leaves [screen].
    if (sound?.status === 'rejected') audio?.stop();
    video.addEventListener('ended', () => {
      for (const other of published.slice(1)) void other.unpublish().catch(() => undefined);
    });
    return published;
  }

  /** Publishes any track: a canvas, a file, an AudioContext. Rejects with a MediaError. */
  async publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<LocalPublication> {
    if (track.readyState === 'ended') throw nearcastError('bad-argument', { message: 'This track has ended: publish a live one.' });
    const { source = 'other', name = '', stopOnUnpublish = false, codec, ...limits } = options;
    const chosen = codec === 'auto' ? undefined : codec;
    return this.#publish(track, { ...limits, codec: chosen, source, name, stopOnUnpublish, muted: !track.enabled });
  }

  /** Stops publishing; the same as `publication.unpublish()`. */
  unpublish(publication: LocalPublication): Promise<void> {
    return this.#call.unpublish(publication);
  }

  async #publish(track: MediaStreamTrack, wanted: Partial<PublishRequest> & { source: Source }): Promise<LocalPublication> {
    track.contentHint ||= contentHints[wanted.source];
    const request = { name: '', muted: false, simulcast: true, red: true, dtx: wanted.source === 'microphone', stopOnUnpublish: true, ...wanted };
    try {
      if (request.muted) track.enabled = false;
      const publication = await this.#call.publish(track, request);
      if (request.muted) await publication.silence();
      return publication;
    } catch (cause) {
      if (request.stopOnUnpublish) track.stop();
      throw cause;
    }
  }

  /** The map behind `publications`. @internal */
  get table(): Map<string, LocalPublication> {
    return this.publications as Map<string, LocalPublication>;
  }
}
