// Packs what is packed once and unpacked by every visitor: a range coder that is told by the page's own model (npm/src/core/foresee.ts) how probable
// each bit is. What was measured: docs/decisions/012.
import { build } from 'esbuild';

const core = new URL('../src/core', import.meta.url).pathname;

export async function pack(wasm) {
  const { foresee, unpack } = await model();
  const [start, end] = code(wasm);
  const head = Buffer.alloc(12);
  [wasm.length, start, end].forEach((number, at) => head.writeUInt32BE(number, 4 * at));
  const bytes = [];
  let range = 2 ** 32 - 1;
  let low = 0;
  let at = 0;
  foresee(wasm.length, start, end, (odds) => {
    const bit = (wasm[at >> 3] >> (7 - (at & 7))) & 1;
    at += 1;
    const bound = (range >>> 16) * odds;
    if (bit) range = bound;
    else {
      range -= bound;
      low += bound;
      if (low >= 2 ** 32) {
        low -= 2 ** 32;
        // The carry: it ends within what is written, as the number as a whole stays below one.
        let last = bytes.length - 1;
        for (; bytes[last] === 255; last--) bytes[last] = 0;
        bytes[last] += 1;
      }
    }
    for (; range < 2 ** 24; range *= 256) {
      bytes.push(low >>> 24);
      low = (low << 8) >>> 0;
    }
    return bit;
  });
  for (let left = 4; left; left--, low = (low << 8) >>> 0) bytes.push(low >>> 24);
  const packed = Buffer.concat([head, Buffer.from(bytes)]);
  if (!Buffer.from(unpack(packed)).equals(wasm)) throw new Error('packed into something that does not unpack to the same');
  return packed;
}

/** The page's half, as it is. */
async function model() {
  const contents = `export * from './foresee.js'; export * from './unpack.js';`;
  const stdin = { contents, resolveDir: core, loader: 'ts' };
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', target: 'es2022', write: false, logLevel: 'warning' });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

/** Where functions begin and end. */
function code(wasm) {
  let at = 8;
  const number = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = wasm[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < wasm.length) {
    const id = wasm[at++];
    const end = number() + at;
    if (id === 10) {
      number();
      return [at, end];
    }
    at = end;
  }
  return [at, at];
}
