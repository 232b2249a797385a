// The core inside a JavaScript file: packed with LZMA, then base64. Base64 of the plain wasm would not compress again when it is served (measured:
// +31 %); base64 of compressed bytes costs what base64 adds and HTTP compression takes that back. See docs/decisions.

import { unpackLzma } from './lzma.js';

/** Compiles what `scripts/build.mjs` packed. @internal */
export function unpackModule(packed: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(unpackLzma(Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))));
}
