'use client';
// `import { RoomProvider, useRoom } from 'nearcast/react'`: hooks and components around the objects of 'nearcast', made of its public API only.
// Rendering on a server gives what a page shows before it is in a room.

export { type LocalDevice, type LocalSource, useCamera, useDevices, useMicrophone, useScreenShare } from './devices.js';
export {
  type Connection,
  type PublicationFilter,
  type ShownPublication,
  type SoundPlayback,
  useConnection,
  useLocalParticipant,
  useParticipants,
  usePath,
  usePublications,
  useQuality,
  useRoom,
  useRoomEvent,
  useSoundPlayback,
  useSpeakers,
  useSpeaking,
} from './hooks.js';
export { AudioTrack, type AudioTrackProps, RoomAudio, VideoTrack, type VideoTrackProps } from './media.js';
export { type CommonProps, type GivenRoomProps, type JoinProps, RoomProvider, type RoomProviderProps } from './provider.js';
export type { ConnectionState, Sdk } from './store.js';
