// The core inside a JavaScript file: packed by scripts/pack.mjs, then base64. Base64 of the plain wasm would not compress again when it is served
// (measured: +31 %); base64 of packed bytes costs what base64 adds and HTTP compression takes that back. See docs/decisions.

import { foresee } from './foresee.js';

/** Unpacks: three numbers (length of the module, start and end of its code), then a range coder's bytes. @internal */
export function unpack(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new DataView(packed.buffer, packed.byteOffset);
  let next = 16;
  let range = 2 ** 32 - 1;
  let code = head.getUint32(12);
  return foresee(head.getUint32(0), head.getUint32(4), head.getUint32(8), (odds) => {
    const bound = (range >>> 16) * odds;
    const bit = code < bound ? 1 : 0;
    if (bit) range = bound;
    else {
      range -= bound;
      code -= bound;
    }
    for (; range < 2 ** 24; range *= 256) code = code * 256 + (packed[next++] ?? 0);
    return bit;
  });
}

/** Compiles what `scripts/build.mjs` packed. @internal */
export function unpackModule(packed: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(unpack(Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))));
}
