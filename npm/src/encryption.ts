// What `connect` asks of `nearcast/e2ee`, which is an entry of its own: who doesn't use it doesn't load it.

import type { Room } from './room.js';

/** End-to-end encryption of a call: an `E2EE` of `nearcast/e2ee`. */
export interface Encryption {
  /** For RTCPeerConnection, beside the app's own. */
  readonly configuration: RTCConfiguration;
  /** Called with every RTCPeerConnection before it has sections. */
  attach(connection: RTCPeerConnection): void;
  /** Called once, in the room, before anything is published. */
  entered(room: Room): void;
}
