// From an address and a token to a room.

import { signalAddress } from './address.js';
import type { CoreInstance } from './core/instance.js';
import { nearcastError } from './errors.js';
import type { ConnectOptions } from './options.js';
import type { Room } from './room.js';
import { Session } from './session.js';
import { openSocket } from './socket.js';

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
  // The network is asked while the core is unpacked: each takes about a tenth of a second.
  const socket = openSocket(address);
  try {
    const instance = await load();
    if (signal?.aborted) aborted();
    return await Session.connect(instance, address, token, options, socket);
  } catch (error) {
    socket?.close();
    throw error;
  }
}
