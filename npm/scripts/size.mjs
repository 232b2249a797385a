// What a page pays: the bundles minified with everything exported, compressed as servers do. Fails above the budget.
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist', import.meta.url).pathname;
/** What the project promises: everything, wasm included. */
const BUDGET_GZIP = 60_000;

const minified = async (name) => {
  const { outputFiles } = await build({ entryPoints: [join(dist, name)], bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', write: false });
  return outputFiles[0].contents;
};

const rows = [
  ['nearcast (all inside)', await minified('index.js')],
  ['nearcast/slim', await minified('slim.js')],
  ['nearcast/core.wasm', await readFile(join(dist, 'core.wasm'))],
].map(([name, bytes]) => ({
  name,
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length,
}));

const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(8);
console.log(`${'kB'.padEnd(24)}${['raw', 'gzip -9', 'brotli'].map((head) => head.padStart(8)).join('')}`);
for (const { name, raw, gzip, brotli } of rows) console.log(`${name.padEnd(24)}${kilobytes(raw)}${kilobytes(gzip)}${kilobytes(brotli)}`);

const [{ gzip }] = rows;
console.log(`budget for nearcast: ${BUDGET_GZIP / 1000} kB gzip, ${gzip <= BUDGET_GZIP ? 'kept' : 'EXCEEDED'}`);
if (gzip > BUDGET_GZIP) process.exit(1);
