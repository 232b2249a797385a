// From an address and a token to a room.

import type { CoreInstance } from './core/instance.js';
import { nearcastError } from './errors.js';
import type { ConnectOptions } from './options.js';
import type { Room } from './room.js';
import { Session } from './session.js';

/** A token, or a function that fetches one: it is called again on each reconnection. */
export type TokenSource = string | (() => string | Promise<string>);

/** @internal */
export async function connectWith(
  load: () => Promise<CoreInstance>,
  url: string,
  token: TokenSource,
  options: ConnectOptions,
): Promise<Room> {
  const address = signalAddress(url);
  if (typeof RTCPeerConnection === 'undefined') throw nearcastError('webrtc-unsupported');
  const { signal } = options;
  const aborted = (): never => {
    throw nearcastError('aborted', { cause: signal?.reason });
  };
  if (signal?.aborted) aborted();
  const instance = await load();
  if (signal?.aborted) aborted();
  return Session.connect(instance, address, token, options);
}

/**
 * The signalling address of an edge: `https://edge`, `wss://edge`, with or without `/v1/signal`.
 *
 * @internal
 */
export function signalAddress(url: string): string {
  let address: URL;
  try {
    address = new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw nearcastError('bad-argument', { message: `'${url}' is not the address of an edge; it looks like https://edge.example.`, cause });
  }
  const protocols: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' };
  const protocol = protocols[address.protocol];
  if (!protocol) throw nearcastError('bad-argument', { message: `'${url}' must begin with https:// or wss://.` });
  const path = address.pathname.replace(/\/+$/, '');
  // Put together by hand: URL does not let a protocol change from https to wss.
  return `${protocol}//${address.host}${path.endsWith('/v1/signal') ? path : `${path}/v1/signal`}`;
}
