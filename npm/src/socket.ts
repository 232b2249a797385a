// The signalling connection, as far as the façade has to do with it.

/** The protocol of every message on it (`SUBPROTOCOL_CBOR` in protocol/src/lib.rs; a test compares). */
const PROTOCOL = 'nearcast.v1.cbor';

/**
 * A packet that is lost while a connection opens is sent again after a second (RFC 6298 §2). So much sooner, in milliseconds, another
 * connection is begun beside it: three lost packets in a row are rare, and a network that comes back is found within this time.
 */
const BESIDE_MS = 500;
const MOST = 3;

/** What the core uses of a WebSocket. @internal */
export type Socket = Pick<WebSocket, 'readyState' | 'send' | 'close' | 'onopen' | 'onclose' | 'onmessage'>;

/** Opens up to three WebSockets, half a second apart, and is the first of them that opens. */
class FirstToOpen implements Socket {
  readyState: Socket['readyState'] = 0;
  onopen: Socket['onopen'] = null;
  onclose: Socket['onclose'] = null;
  onmessage: Socket['onmessage'] = null;
  #sockets = new Set<WebSocket>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(address: string) {
    this.#begin(address, 1);
  }

  send(bytes: Parameters<WebSocket['send']>[0]): void {
    for (const socket of this.#sockets) socket.send(bytes);
  }

  close(): void {
    this.readyState = 3;
    this.#keep(undefined);
  }

  #begin(address: string, begun: number): void {
    const socket = new WebSocket(address, PROTOCOL);
    this.#sockets.add(socket);
    socket.binaryType = 'arraybuffer';
    socket.onopen = (event) => {
      this.#keep(socket);
      this.readyState = 1;
      this.onopen?.call(socket, event);
    };
    socket.onmessage = (event) => this.onmessage?.call(socket, event);
    socket.onclose = (event) => {
      this.#sockets.delete(socket);
      if (this.#sockets.size) return;
      this.close();
      this.onclose?.call(socket, event);
    };
    if (begun < MOST) this.#timer = setTimeout(() => this.#begin(address, begun + 1), BESIDE_MS);
  }

  /** Lets go of all others. */
  #keep(kept: WebSocket | undefined): void {
    clearTimeout(this.#timer);
    for (const socket of this.#sockets) {
      if (socket === kept) continue;
      this.#sockets.delete(socket);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }
}

/**
 * Begins to open it; undefined when the browser refuses the address, for instance `ws:` in a page that came by https.
 *
 * @internal
 */
export function openSocket(address: string): Socket | undefined {
  try {
    return new FirstToOpen(address);
  } catch {
    return undefined;
  }
}
