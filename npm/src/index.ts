// `import { connect } from 'nearcast'`: everything in one file, the wasm core included. Importing does nothing; the core is unpacked by
// prepare() or the first connect().

import { connectWith, type TokenSource } from './connect.js';
import { makeGlue, packedCore } from './core/generated.js';
import { type CoreInstance, CoreLoader } from './core/instance.js';
import { unpackModule } from './core/unpack.js';
import type { ConnectOptions } from './options.js';
import type { Room } from './room.js';

export * from './exports.js';

const loader = /* @__PURE__ */ new CoreLoader(makeGlue);
const core = (): Promise<CoreInstance> => loader.load(() => unpackModule(packedCore));

/**
 * Does ahead what the first `connect()` of a page would begin with: unpacks and compiles the core. Call it where people choose a name or a
 * camera, and they are in the call sooner. Never needed, and harmless to repeat.
 *
 * @returns when the core is ready. Rejects with `core-load-failed`; `connect()` will try again.
 */
export async function prepare(): Promise<void> {
  await core();
}

/**
 * Enters a room.
 *
 * @param url address of the edge: `https://edge.example`
 * @param token a JWT for this room, or a function that fetches one (called again on each reconnection)
 * @returns the room, joined. Rejects with a ConnectError or a TokenError.
 */
export function connect(url: string, token: TokenSource, options: ConnectOptions = {}): Promise<Room> {
  return connectWith(core, url, token, options);
}
