// Components that play tracks: an element each, which is attached while it is in the page.

import type { Track } from 'nearcast';
import { type AudioHTMLAttributes, createElement, forwardRef, type ReactElement, type Ref, type RefObject, useEffect, useImperativeHandle, useRef, type VideoHTMLAttributes } from 'react';
import { usePublications } from './hooks.js';

/** What `VideoTrack` takes: a track, and all that a `<video>` takes. */
export interface VideoTrackProps extends Omit<VideoHTMLAttributes<HTMLVideoElement>, 'src'> {
  /** From `usePublications`. Without one the element is empty. */
  track: Track | undefined;
}

/** What `AudioTrack` takes: a track, and all that an `<audio>` takes. */
export interface AudioTrackProps extends Omit<AudioHTMLAttributes<HTMLAudioElement>, 'src'> {
  /** From `usePublications`. Without one the element is silent. */
  track: Track | undefined;
}

/** A `<video>` that shows a track. Muted, since sound is `AudioTrack`'s: so it may play before any click. */
export const VideoTrack = /* @__PURE__ */ forwardRef(function VideoTrack({ track, ...rest }: VideoTrackProps, ref: Ref<HTMLVideoElement | null>): ReactElement {
  return createElement('video', { muted: true, playsInline: true, ...rest, ref: useAttached(track, ref) });
});

/** An `<audio>` that plays a track; it shows nothing. */
export const AudioTrack = /* @__PURE__ */ forwardRef(function AudioTrack({ track, ...rest }: AudioTrackProps, ref: Ref<HTMLAudioElement | null>): ReactElement {
  return createElement('audio', { ...rest, ref: useAttached(track, ref) });
});

/** Plays everybody else: put one of it into the page. */
export function RoomAudio(): ReactElement[] {
  return usePublications({ local: false }).flatMap(({ publication, track }) =>
    track?.kind === 'audio' ? [createElement(AudioTrack, { key: publication.id, track })] : [],
  );
}

/** Attaches the track for as long as the element is in the page. */
function useAttached<E extends HTMLMediaElement>(track: Track | undefined, outer: Ref<E | null>): RefObject<E | null> {
  const element = useRef<E>(null);
  useImperativeHandle<E | null, E | null>(outer, () => element.current);
  useEffect(() => {
    const { current } = element;
    if (!current || !track) return undefined;
    track.attach(current);
    return () => track.detach(current);
  }, [track]);
  return element;
}
