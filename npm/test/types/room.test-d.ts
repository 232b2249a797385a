// What apps may write, and what the compiler must refuse. Compiled against dist/ by `npm run check`; never run.
import {
  connect,
  devices,
  type Layer,
  type LocalPublication,
  NearcastError,
  type Participant,
  type Quality,
  qualityAdvice,
  type QualityCause,
  type QualityLevel,
  type RemoteParticipant,
  type RemoteTrack,
  Room,
  type RoomStats,
  TokenError,
  type Trace,
  type VideoCodec,
} from 'nearcast';
import * as slim from 'nearcast/slim';

declare function expect<T>(value: T): void;

export async function app(): Promise<void> {
  await using room = await connect('https://edge.example', async () => 'token', { autoSubscribe: false, joinTimeoutMs: 5000 });
  expect<Room>(room);
  expect<ReadonlyMap<string, RemoteParticipant>>(room.participants);

  // Listeners know what their event carries.
  const stop = room.on('tracksubscribed', ({ participant, publication, track }) => {
    expect<RemoteParticipant>(participant);
    expect<RemoteTrack>(track);
    document.body.append(track.attach());
    void publication.unsubscribe();
  }, { signal: new AbortController().signal, once: true });
  expect<() => void>(stop);
  room.on('quality', ({ quality, participant, publication }) => {
    expect<number>(quality.score);
    expect<QualityCause>(quality.cause);
    expect<number | undefined>(quality.evidence.rttMs);
    expect<Participant | undefined>(publication?.participant ?? participant);
    expect<string>(qualityAdvice(quality));
  });
  expect<QualityLevel | undefined>(room.quality?.uplink.level);
  expect<Quality | undefined>(room.local.quality);
  room.on('closed', ({ error }) => expect<NearcastError | undefined>(error));
  room.addEventListener('speakerschanged', (event) => expect<Participant[]>(event.detail.speakers));
  for await (const { payload, from, topic } of room.events('data')) {
    expect<string | Uint8Array>(payload);
    expect<RemoteParticipant | undefined>(from);
    expect<string | undefined>(topic);
  }
  room.on('moderated', ({ action, publication }) => {
    if (action === 'mute') expect<boolean | undefined>(publication?.blocked);
  });
  for (const participant of room.participants.values()) {
    await room.moderate('remove', participant);
    for (const publication of participant.publications.values()) await room.moderate('ask-mute', publication);
  }
  if (room.canModerate && !room.locked) await room.moderate('lock');
  // @ts-expect-error: whom?
  await room.moderate('remove');
  // @ts-expect-error: a publication, not a person
  await room.moderate('mute', room.local);
  // @ts-expect-error: no such event
  room.on('trackSubscribed', () => undefined);
  // @ts-expect-error: not part of this event
  room.on('closed', ({ reason }) => reason);
  // @ts-expect-error: rooms come from connect()
  new Room();
  // @ts-expect-error: read-only
  room.state = 'connected';
  // @ts-expect-error: read-only
  room.participants.clear();

  // Publishing.
  const camera = await room.local.publishCamera({ width: 640, codec: 'av1' });
  expect<LocalPublication>(camera);
  expect<LocalPublication[]>(await room.local.publishScreen({ audio: true }));
  await camera.mute();
  await camera.switchDevice('id');
  await room.local.publish(camera.track.mediaStreamTrack, { source: 'other', stopOnUnpublish: true });
  await room.local.publish(camera.track.mediaStreamTrack, { simulcast: false, codec: 'vp9', scalabilityMode: 'L1T2' });
  // @ts-expect-error: no such codec
  await room.local.publishCamera({ codec: 'h265' });
  // @ts-expect-error: no such source
  await room.local.publish(camera.track.mediaStreamTrack, { source: 'webcam' });
  expect<VideoCodec>('h264');

  // Others.
  for (const participant of room.participants.values()) {
    const publication = participant.publication('camera');
    expect<RemoteTrack | undefined>(publication?.track);
    publication?.setVideoPreferences({ width: 320, height: 180, visible: true, priority: 'on-stage' });
    publication?.setVideoPreferences({ width: undefined });
    // @ts-expect-error: no such priority
    publication?.setVideoPreferences({ priority: 'high' });
    expect<Layer | undefined>(publication?.layer);
    // @ts-expect-error: only one's own can be muted
    void publication?.mute();
  }

  room.sendData('hello', { to: 'id', topic: 'chat', reliable: false });
  room.sendData(new Uint8Array(3), { to: room.local });
  // @ts-expect-error: text or bytes
  room.sendData({ hello: 1 });

  expect<RoomStats>(await room.stats());
  expect<Trace>(await room.exportTrace());
  expect<MediaDeviceInfo[]>(await devices.list('videoinput', { askPermission: true }));
  // @ts-expect-error: internals stay inside
  room.setState('connected');
  // @ts-expect-error: internals stay inside
  camera.end();
}

export function failures(error: unknown): string {
  if (error instanceof TokenError) return 'fetch another token';
  if (error instanceof NearcastError) {
    expect<boolean>(error.retryable);
    switch (error.code) {
      case 'device-permission-denied':
        return 'allow it';
      default:
        return error.message;
    }
  }
  throw error;
}

export async function slimApp(): Promise<void> {
  await slim.init(new URL('https://cdn.example/core.wasm'));
  await slim.init(fetch('/core.wasm'));
  const room = await slim.connect('https://edge.example', 'token');
  // @ts-expect-error: init takes the core
  await slim.init();
  await room.leave();
}
