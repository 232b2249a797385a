// The provider that ties a room to the life of a component, and the one hook that all others are made of.

import type { ConnectOptions, Room, TokenSource } from 'nearcast';
import { createContext, createElement, type ReactElement, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { type Entry, RoomStore, type Sdk } from './store.js';

const StoreContext = /* @__PURE__ */ createContext<RoomStore | undefined>(undefined);

/** What all providers take. */
export interface CommonProps {
  /** Sees the room through the hooks of this module. */
  children?: ReactNode;
  /**
   * Where the SDK comes from; the one of the first rendering stays. Default: `() => import('nearcast')`. For `nearcast/slim`, a function that
   * loads it, calls `init` and returns it.
   */
  sdk?: () => Promise<Sdk>;
}

/** Enters a room, and leaves it when the component goes. */
export interface JoinProps extends CommonProps {
  /** Address of the edge: `https://edge.example`. Another address is another room: the present one is left. */
  url: string;
  /** A token or a function that fetches one. Another text is another room; of functions, the one of the last rendering is called. */
  token: TokenSource;
  /** Passed to `connect`, as they are at the time. */
  options?: Omit<ConnectOptions, 'signal'>;
  /** False: stays out, or leaves; the SDK is loaded meanwhile, so that entering is quick. Default true. */
  join?: boolean;
  /** @hidden */
  room?: never;
}

/** Shows a room that the app has entered itself, and doesn't leave it. */
export interface GivenRoomProps extends CommonProps {
  /** From `connect`. */
  room: Room;
  /** @hidden */
  url?: never;
  /** @hidden */
  token?: never;
  /** @hidden */
  options?: never;
  /** @hidden */
  join?: never;
}

/** What `RoomProvider` takes: an address and a token, or a room. */
export type RoomProviderProps = JoinProps | GivenRoomProps;

/**
 * Gives the hooks of this module a room. With `url` and `token` it enters the room when it is mounted and leaves when it is unmounted, in
 * StrictMode once and not twice. On a server it does nothing.
 */
export function RoomProvider(props: RoomProviderProps): ReactElement {
  const { children, sdk = () => import('nearcast'), room, url, token, options = {}, join = true } = props;
  const [store] = useState(() => new RoomStore(sdk));
  const entry = useRef<Entry>({ url: '', token: '', options });

  // An effect of every rendering, before the one below: functions and options are taken as last rendered without being a reason to join again.
  useEffect(() => {
    if (url !== undefined && token !== undefined) entry.current = { url, token, options };
  });
  const text = typeof token === 'string' ? token : undefined;
  useEffect(() => {
    if (room) return store.adopt(room);
    return join ? store.enter(() => entry.current) : store.prepare();
  }, [store, room, url, text, join]);

  return createElement(StoreContext.Provider, { value: store }, children);
}

/** The store of the nearest provider. @internal */
export function useStore(): RoomStore {
  const store = useContext(StoreContext);
  if (!store) throw new Error('No <RoomProvider> above this component: put one around what uses the hooks of nearcast/react.');
  return store;
}

/** What `read` makes of the store: rendered anew when that has changed, by the measure of `same`. @internal */
export function useShown<T>(read: (store: RoomStore) => T, same: (one: T, other: T) => boolean = Object.is): T {
  const store = useStore();
  const last = useRef<{ value: T } | undefined>(undefined);
  const snapshot = (): T => {
    const value = read(store);
    if (!last.current || !same(last.current.value, value)) last.current = { value };
    return last.current.value;
  };
  return useSyncExternalStore(store.subscribe, snapshot, snapshot);
}

/** Whether two lists hold the same. @internal */
export function sameList<T>(one: readonly T[], other: readonly T[], same: (one: T, other: T) => boolean = Object.is): boolean {
  return one.length === other.length && one.every((value, index) => same(value, other[index] as T));
}
