// The signalling connection, as far as the façade has to do with it.

/** The protocol of every message on it (`SUBPROTOCOL_CBOR` in protocol/src/lib.rs; a test compares). */
const PROTOCOL = 'nearcast.v1.cbor';

/**
 * Begins to open it; undefined when the browser refuses the address, for instance `ws:` in a page that came by https.
 *
 * @internal
 */
export function openSocket(address: string): WebSocket | undefined {
  try {
    const socket = new WebSocket(address, PROTOCOL);
    socket.binaryType = 'arraybuffer';
    return socket;
  } catch {
    return undefined;
  }
}
