// What React apps may write, and what the compiler must refuse. Compiled against dist/ by `npm run check`; never run.
import type { LocalParticipant, NearcastError, RemoteParticipant, Room } from 'nearcast';
import * as slim from 'nearcast/slim';
import {
  AudioTrack,
  RoomAudio,
  RoomProvider,
  useCamera,
  useConnection,
  useDevices,
  useLocalParticipant,
  useParticipants,
  usePublications,
  useRoom,
  useRoomEvent,
  useScreenShare,
  useSoundPlayback,
  VideoTrack,
} from 'nearcast/react';
import { createElement as h, createRef, type ReactElement } from 'react';

declare function expect<T>(value: T): void;

export function Call({ room }: { room: Room }): ReactElement {
  expect<Room | undefined>(useRoom());
  expect<NearcastError | undefined>(useConnection().error);
  expect<readonly RemoteParticipant[]>(useParticipants());
  expect<LocalParticipant | undefined>(useLocalParticipant());
  const camera = useCamera({ width: 640 });
  expect<boolean>(camera.on);
  expect<Promise<void>>(camera.toggle(true));
  expect<Promise<void>>(camera.switchDevice('id'));
  // @ts-expect-error: a screen is chosen by the person
  void useScreenShare().switchDevice('id');
  expect<readonly MediaDeviceInfo[]>(useDevices('audioinput'));
  // @ts-expect-error: no such kind
  useDevices('microphone');
  expect<Promise<void>>(useSoundPlayback().resume());
  useRoomEvent('data', ({ payload }) => expect<string | Uint8Array>(payload));
  // @ts-expect-error: no such event
  useRoomEvent('message', () => undefined);
  const [first] = usePublications({ sources: ['camera'], local: false });
  // @ts-expect-error: no such source
  usePublications({ sources: ['webcam'] });

  h(VideoTrack, { track: first?.track, className: 'tile', ref: createRef<HTMLVideoElement>() });
  h(AudioTrack, { track: first?.track, ref: createRef<HTMLAudioElement>() });
  // @ts-expect-error: the track is the source
  h(VideoTrack, { track: first?.track, src: 'film.mp4' });
  h(RoomProvider, { room }, h(RoomAudio));
  h(RoomProvider, { url: 'https://edge.example', token: async () => 'token', options: { autoSubscribe: false } });
  h(RoomProvider, { url: 'https://edge.example', token: 'token', sdk: async () => slim });
  // @ts-expect-error: a room, or a way into one
  h(RoomProvider, { room, url: 'https://edge.example', token: 'token' });
  // @ts-expect-error: an address needs a token
  return h(RoomProvider, { url: 'https://edge.example' });
}
