// What rooms, participants and publications ask of the call they belong to. Implemented by session.ts.

import type { Capture } from './capture.js';
import type { NearcastError } from './errors.js';
import type { VideoPreferences } from './layers.js';
import type { ModerationAction } from './moderation.js';
import type { VideoCodec } from './options.js';
import type { LocalPublication, Publication, Source } from './publication.js';
import type { RoomStats } from './stats.js';
import type { Trace } from './trace.js';
import type { Playback } from './track.js';

/** A track to publish. @internal */
export interface PublishRequest {
  source: Source;
  name: string;
  muted: boolean;
  codec?: VideoCodec | undefined;
  maxBitrate?: number | undefined;
  maxFramerate?: number | undefined;
  simulcast: boolean;
  scalabilityMode?: string | undefined;
  red: boolean;
  dtx: boolean;
  /** Stop the MediaStreamTrack when it is no longer published. */
  stopOnUnpublish: boolean;
  /** How the track was opened, when it was opened here: it can be opened again. */
  capture?: Capture | undefined;
}

/** @internal */
export interface Call {
  readonly playback: Playback & { readonly blocked: boolean; resume(): Promise<void> };
  publish(track: MediaStreamTrack, request: PublishRequest): Promise<LocalPublication>;
  /** `error`: why, when nobody asked for it. */
  unpublish(publication: LocalPublication, error?: NearcastError): Promise<void>;
  /** Tells the room; what is sent has changed already. */
  mute(publication: LocalPublication, muted: boolean): Promise<void>;
  moderate(action: ModerationAction, target: string): Promise<void>;
  /** It is sent with another track now, or none: those that get it directly get that one. */
  trackReplaced(publication: LocalPublication, track: MediaStreamTrack | null): void;
  subscribe(publication: Publication, wanted: boolean): Promise<void>;
  /** Tells the edge how it is shown. Nothing answers. */
  wish(publication: Publication, preferences: VideoPreferences): void;
  sendData(payload: string | Uint8Array, to: string | undefined, topic: string | undefined, reliable: boolean): void;
  stats(): Promise<RoomStats>;
  /** What happened so far. */
  trace(): Trace;
  leave(): void;
}
