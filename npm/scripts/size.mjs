// What a page pays: the bundles minified with everything exported, compressed as servers do, and which module takes how much of it. Fails above a
// budget.
import { build, transform } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { crates } from './wasm-crates.mjs';

const npm = new URL('..', import.meta.url).pathname;
const dist = join(npm, 'dist');
const work = join(process.env.CARGO_TARGET_DIR ?? join(npm, '../target'), 'sdk');

/**
 * In bytes of gzip: what the project promises, everything and wasm included, the hooks on top; and what must not be exceeded meanwhile
 * (docs/decisions/013).
 */
const BUDGETS = { nearcast: { promised: 60_000, most: 88_600 }, 'nearcast/react': { promised: 6_000, most: 6_000 } };

const minified = async (name) => {
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', write: false, external: ['nearcast', 'react'] };
  const { outputFiles } = await build({ entryPoints: [join(dist, name)], ...options });
  return outputFiles[0].contents;
};
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(8);
const table = (head, rows) => {
  console.log(`${head[0].padEnd(26)}${head.slice(1).map((column) => column.padStart(8)).join('')}`);
  for (const [name, ...sizes] of rows) console.log(`${name.padEnd(26)}${sizes.map(kilobytes).join('')}`);
  console.log();
};

const bundles = [
  ['nearcast', await minified('index.js')],
  ['nearcast/slim', await minified('slim.js')],
  ['nearcast/core.wasm', await readFile(join(dist, 'core.wasm'))],
  ['nearcast/react', await minified('react.js')],
  ['nearcast/preflight', await minified('preflight.js')],
  ['nearcast/regions', await minified('regions.js')],
  ['nearcast/e2ee', await minified('e2ee.js')],
].map(([name, bytes]) => [name, bytes.length, gzip(bytes), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length]);
const whole = (name) => bundles.find(([bundle]) => bundle === name);

// Modules compress better together than alone: what each has alone is scaled, so that the rows add up to the bundle.
const shares = (parts, total) => {
  const alone = parts.reduce((sum, [, , size]) => sum + size, 0);
  return parts.map(([name, raw, size]) => [name, raw, (size * total) / alone]).sort((one, other) => other[2] - one[2]);
};

/** Minified and compressed alone: name, size in the bundle, size of its gzip. */
async function moduleSizes(bundle) {
  const { outputs } = JSON.parse(await readFile(join(work, 'meta.json'), 'utf8'));
  const inputs = Object.entries(outputs[`dist/${bundle}`].inputs).filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && basename(path) !== 'generated.js');
  return Promise.all(
    inputs.map(async ([path, { bytesInOutput }]) => {
      const { code } = await transform(await readFile(join(npm, path)), { loader: 'ts', minify: true, target: 'es2022' });
      return [path.replace(/^src\//, ''), bytesInOutput, gzip(code)];
    }),
  );
}

const generated = await readFile(join(work, 'generated.js'), 'utf8');
const [, packed] = /packedCore = '([^']*)'/.exec(generated);
const glue = (await transform(generated.replace(packed, ''), { minify: true, target: 'es2022' })).code;
const core = gzip(packed);
const [, , total] = whole('nearcast');
const scripts = shares([...(await moduleSizes('index.js')), ['core/ (wasm-bindgen)', glue.length, gzip(glue)]], total - core);

table(['nearcast by module, kB', 'raw', 'gzip'], [['core.wasm, packed', packed.length, core], ...scripts]);

const named = crates(await readFile(join(work, 'client_wasm_bg.wasm')));
if (named) {
  const parts = shares([...named].map(([name, bytes]) => [name, bytes.length, gzip(bytes)]), core);
  const small = parts.filter(([, , size]) => size < 100);
  const rest = ['all others', ...[1, 2].map((column) => small.reduce((sum, row) => sum + row[column], 0))];
  // Raw is before wasm-opt, which strips the names by which the crates are told apart; gzip is the share in the packed core.
  table(['core.wasm by crate, kB', 'raw', 'gzip'], [...parts.filter((row) => !small.includes(row)), rest]);
}
table(['nearcast/react, kB', 'raw', 'gzip'], shares(await moduleSizes('react.js'), whole('nearcast/react')[2]));
table(['kB', 'raw', 'gzip -9', 'brotli'], bundles);

let kept = true;
for (const [name, { promised, most }] of Object.entries(BUDGETS)) {
  const [, , size] = whole(name);
  const met = size <= promised ? 'kept' : `MISSED by ${((size - promised) / 1000).toFixed(1)} kB; limit for now: ${most / 1000} kB, ${size <= most ? 'kept' : 'EXCEEDED'}`;
  console.log(`budget for ${name}: ${promised / 1000} kB gzip, ${met}`);
  kept &&= size <= most;
}
if (!kept) process.exit(1);
