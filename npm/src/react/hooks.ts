// Hooks that show what is in the room: people, publications, speakers, the state of the connection.

import type { LocalParticipant, NearcastError, Participant, Path, Publication, Quality, RemoteParticipant, Room, RoomEvents, Source, Track } from 'nearcast';
import { useCallback, useEffect, useRef } from 'react';
import { sameList, useShown } from './provider.js';
import type { ConnectionState } from './store.js';

/** The room, for everything that has no hook; undefined until it is entered. */
export function useRoom(): Room | undefined {
  return useShown(({ room }) => room);
}

/** How the connection stands. */
export interface Connection {
  /** As the room's, and 'idle' where nobody has tried to enter. */
  state: ConnectionState;
  /** Why the room could not be entered, or ended; undefined after `leave()`. */
  error: NearcastError | undefined;
}

/** How the connection stands; rendered anew when it changes. */
export function useConnection(): Connection {
  return useShown(({ state, error }) => ({ state, error }), (one, other) => one.state === other.state && one.error === other.error);
}

/** Everybody else, in the order in which they came. */
export function useParticipants(): readonly RemoteParticipant[] {
  return useShown(({ room }) => [...(room?.participants.values() ?? [])], sameList);
}

/** Oneself; undefined until the room is entered. */
export function useLocalParticipant(): LocalParticipant | undefined {
  return useShown(({ room }) => room?.local);
}

/** Who speaks now, loudest first. */
export function useSpeakers(): readonly Participant[] {
  return useShown(({ room }) => room?.speakers ?? [], sameList);
}

/** Whether this participant speaks now: renders less than `useSpeakers` where only one is of interest. */
export function useSpeaking(participant: Participant | undefined): boolean {
  return useShown(() => participant?.speaking ?? false);
}

/** How well a participant is connected, or a publication gets through, with the cause; undefined until it is known. */
export function useQuality(of: Participant | Publication | undefined): Quality | undefined {
  return useShown(() => of?.quality);
}

/** How the media of this participant comes here; undefined without one. */
export function usePath(participant: RemoteParticipant | undefined): Path | undefined {
  return useShown(() => participant?.path);
}

/** A publication as it is at one moment: another object when something of it changes. */
export interface ShownPublication {
  /** Whose. */
  readonly participant: Participant;
  /** For what can be asked of it. */
  readonly publication: Publication;
  /** Its media, when there is any here: give it to `VideoTrack` or `AudioTrack`. */
  readonly track: Track | undefined;
  /** Its publisher sends nothing for now. */
  readonly muted: boolean;
}

/** What `usePublications` shows. */
export interface PublicationFilter {
  /** Of this participant only. Default: of everybody. */
  participant?: Participant | undefined;
  /** Of these sources only. Default: all. */
  sources?: readonly Source[];
  /** Including oneself's. Default true. */
  local?: boolean;
}

/** What is published, oneself's first; rendered anew when one comes, goes, is muted, or its media comes or goes. */
export function usePublications(filter: PublicationFilter = {}): readonly ShownPublication[] {
  const { sources, local = true } = filter;
  const one = 'participant' in filter;
  return useShown(
    ({ room }) => {
      const everybody: (Participant | undefined)[] = one ? [filter.participant] : room ? [room.local, ...room.participants.values()] : [];
      return everybody.flatMap((participant) =>
        participant && (local || !participant.isLocal)
          ? [...participant.publications.values()]
              .filter(({ source }) => sources?.includes(source) ?? true)
              .map((publication) => ({ participant, publication, track: publication.track, muted: publication.muted }))
          : [],
      );
    },
    (before, now) => sameList(before, now, (a, b) => a.publication === b.publication && a.track === b.track && a.muted === b.muted),
  );
}

/** Whether the browser holds sound back until a click, and what to call from that click. */
export interface SoundPlayback {
  /** Nobody is heard until `resume`. */
  blocked: boolean;
  /** Call it from a click; rejects with `play-blocked` if it wasn't one. */
  resume: () => Promise<void>;
}

/** Whether the browser holds sound back: show a button that calls `resume`. */
export function useSoundPlayback(): SoundPlayback {
  const room = useRoom();
  const blocked = useShown((store) => store.room?.canPlayAudio === false);
  const resume = useCallback(async () => room?.resumeAudio(), [room]);
  return { blocked, resume };
}

/** Calls `listener`, the one of the last rendering, on each event of this type: for messages and whatever has no hook. */
export function useRoomEvent<K extends keyof RoomEvents>(type: K, listener: (event: RoomEvents[K]) => void): void {
  const room = useRoom();
  const last = useRef(listener);
  useEffect(() => {
    last.current = listener;
  });
  useEffect(() => room?.on(type, (event) => last.current(event)), [room, type]);
}
