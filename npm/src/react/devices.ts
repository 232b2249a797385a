// Hooks for one's own camera, microphone and screen: what a row of buttons needs.

import type { CameraOptions, LocalPublication, MicrophoneOptions, NearcastError, Room, ScreenOptions } from 'nearcast';
import { useEffect, useState } from 'react';
import { useShown, useStore } from './provider.js';

/** One's own camera, microphone or screen. */
export interface LocalSource {
  /** It is published and not muted. */
  readonly on: boolean;
  /** Being switched: disable the button. */
  readonly pending: boolean;
  /** Why the last attempt failed; undefined again with the next one. */
  readonly error: NearcastError | undefined;
  /** Undefined until it was switched on for the first time. */
  readonly publication: LocalPublication | undefined;
  /** Switches it on or off, or over without an argument. Never rejects: see `error`. While it is `pending` or there is no room, nothing happens. */
  readonly toggle: (on?: boolean) => Promise<void>;
}

/** A camera or microphone, which can be exchanged for another. */
export interface LocalDevice extends LocalSource {
  /** Goes on with another device, from `useDevices`. Never rejects: see `error`. */
  readonly switchDevice: (deviceId: string) => Promise<void>;
}

/** One's own camera: published by the first `toggle`, muted (and its light off) by the next. */
export function useCamera(options?: CameraOptions): LocalDevice {
  return useLocalDevice('camera', (room) => room.local.publishCamera(options));
}

/** One's own microphone: published by the first `toggle`, muted by the next. */
export function useMicrophone(options?: MicrophoneOptions): LocalDevice {
  return useLocalDevice('microphone', (room) => room.local.publishMicrophone(options));
}

/** One's own screen: each `toggle` lets the person choose anew, or ends it with its sound. */
export function useScreenShare(options?: ScreenOptions): LocalSource {
  return useLocalSource(
    'screen',
    (room) => room.local.publishScreen(options),
    (publication) => Promise.all([publication, publication.participant.publication('screen-audio')].map((one) => one?.unpublish())),
  );
}

/**
 * Cameras, microphones or speakers of this machine, as they come and go. Without permission the browser tells neither names nor ids; they are
 * read again whenever oneself publishes something.
 */
export function useDevices(kind: MediaDeviceKind): readonly MediaDeviceInfo[] {
  const store = useStore();
  const published = useShown(({ room }) => room?.local.publications.size ?? 0);
  const [list, setList] = useState<readonly MediaDeviceInfo[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const show = (found: MediaDeviceInfo[]): void => {
      if (!signal.aborted) setList(found.filter((device) => device.kind === kind));
    };
    void store.sdk().then(async ({ devices }) => {
      if (signal.aborted) return;
      devices.onChange(show, { signal });
      show(await devices.list(kind));
    }).catch(() => undefined); // a list that cannot be read is an empty one
    return () => stop.abort();
  }, [store, kind, published]);
  return list;
}

function useLocalDevice(source: 'camera' | 'microphone', publish: (room: Room) => Promise<unknown>): LocalDevice {
  const store = useStore();
  const local = useLocalSource(source, publish, (publication) => publication.mute());
  const switchDevice = (deviceId: string): Promise<void> =>
    store.once(source, async (room) => room.local.publication(source)?.switchDevice(deviceId));
  return { ...local, switchDevice };
}

function useLocalSource(
  source: 'camera' | 'microphone' | 'screen',
  publish: (room: Room) => Promise<unknown>,
  end: (publication: LocalPublication) => Promise<unknown>,
): LocalSource {
  const store = useStore();
  const publication = useShown(({ room }) => room?.local.publication(source));
  const on = useShown(({ room }) => room?.local.publication(source)?.muted === false);
  const doing = useShown((shown) => shown.doing(source));
  const toggle = (wanted?: boolean): Promise<void> =>
    store.once(source, async (room) => {
      const present = room.local.publication(source);
      const isOn = present?.muted === false;
      if ((wanted ?? !isOn) === isOn) return;
      if (!present) await publish(room);
      else await (isOn ? end(present) : present.unmute());
    });
  return { on, publication, toggle, ...doing };
}
