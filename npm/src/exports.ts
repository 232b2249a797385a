// What both entries, with and without the wasm inside, have in common.

export type { Adaptation, AdaptationReason } from './adaptation.js';
export { devices, type DeviceListOptions, type Devices } from './devices.js';
export {
  ConnectError,
  DeviceError,
  type ErrorCode,
  InternalError,
  type KnownErrorCode,
  MediaError,
  NearcastError,
  type NearcastErrorOptions,
  TokenError,
  UsageError,
} from './errors.js';
export type { Encryption } from './encryption.js';
export { type ListenOptions, TypedEventTarget } from './events.js';
export type { Layer, LayerReason, VideoPreferences, VideoPriority } from './layers.js';
export type { ModerationAction } from './moderation.js';
export type { CameraOptions, ConnectOptions, MicrophoneOptions, ScreenOptions, VideoCodec, VideoOptions } from './options.js';
export { LocalParticipant, Participant, type Path, type PublishOptions, RemoteParticipant } from './participant.js';
export { LocalPublication, Publication, RemotePublication, type Source } from './publication.js';
export { type ConnectionQuality, type Quality, type QualityAction, qualityAdvice, type QualityCause, type QualityEvidence, type QualityLevel, type QualityTerm } from './quality.js';
export { type DataOptions, type LeaveReason, type PathReason, Room, type RoomEvents, type RoomState } from './room.js';
export type { RoomStats, TrackStats, TransportStats } from './stats.js';
export type { Trace } from './trace.js';
export { LocalTrack, RemoteTrack, Track, type TrackKind } from './track.js';
export type { TokenSource } from './connect.js';
