// Written by `scripts/build.mjs` (dist/.. never in git): the glue of wasm-bindgen as a function that makes a fresh one, and the packed core.

import type { CoreGlue } from './boundary.js';

/** @internal */
export declare function makeGlue(): CoreGlue;
/** Deflated, then base64. @internal */
export declare const packedCore: string;
