// Builds the package into dist/: the wasm core, its glue, the three bundles and the types. `npm run build`; needs cargo with the wasm32 target and
// wasm-bindgen on the PATH (scripts/wasm-env.sh sets both up).
//
// cargo → wasm-bindgen → wasm-opt, and not wasm-pack: it runs the same three, but brings its own choice of wasm-opt and hides a failure of any
// of them behind one message. `wasm-pack build client-wasm --target web` works all the same.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pack } from './pack.mjs';

const npm = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(npm, '..');
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
// Not in node_modules: `npm ci` empties that, and scripts/size.mjs reads what the last build left.
const work = join(target, 'sdk');
const dist = join(npm, 'dist');
const version = JSON.parse(await readFile(join(npm, 'package.json'), 'utf8')).version;

const run = (command, args, env = {}) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
const bin = (name) => join(npm, 'node_modules/.bin', name);

await rm(dist, { recursive: true, force: true });
await mkdir(work, { recursive: true });

// Rust → wasm. Panics name a file and a line: not this machine's folders.
const remap = [`--remap-path-prefix=${process.env.CARGO_HOME ?? join(homedir(), '.cargo')}=cargo`, `--remap-path-prefix=${root}=nearcast`];
const rustflags = [process.env.RUSTFLAGS ?? '', ...remap].join(' ').trim();
run('cargo', ['build', '--quiet', '--profile', 'wasm', '--target', 'wasm32-unknown-unknown', '-p', 'client-wasm'], { RUSTFLAGS: rustflags });
// For bundlers: functions to import and a way to set the instance, without the loader for every kind of page (0.7 kB), of which we need one line.
// The names stay until wasm-opt strips them: scripts/size.mjs tells by them which crate takes how much.
const wasmBindgen = ['--target', 'bundler', '--remove-producers-section'];
run('wasm-bindgen', [...wasmBindgen, '--out-dir', work, join(target, 'wasm32-unknown-unknown/wasm/client_wasm.wasm')]);
// No feature flags: the module names the features it was compiled for, and wasm-opt keeps to them. With --all-features it writes types
// (stringref, compact imports) that no browser loads without a flag.
// A function that has one caller stays one: -Oz would inline it, and a few large functions pack worse (measured: 1.3 kB gzip). The first KiB of
// memory is the far end of the stack: addresses there are never computed, which lets offsets be folded (0.2 kB). Names at the border are full of
// hashes, which don't pack at all: both sides call them a, b, c (3.5 kB). Blocks made anew from the graph of what follows what are fewer (0.4 kB).
// Locals that share a slot by how often they meet pack a little better (39 B).
const forSize = ['-Oz', '--flatten', '--rereloop', '-Oz', '-Oz', '--reorder-locals', '--coalesce-locals-learning', '--vacuum', '--one-caller-inline-max-function-size=20', '--low-memory-unused', '--minify-imports-and-exports-and-modules'];
const optimize = [...forSize, '--strip-debug', '-o', join(work, 'core.wasm'), join(work, 'client_wasm_bg.wasm')];
const border = JSON.parse(execFileSync(bin('wasm-opt'), optimize, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
const wasm = await readFile(join(work, 'core.wasm'));

await writeFile(join(work, 'glue.js'), makeGlue(await readFile(join(work, 'client_wasm_bg.js'), 'utf8'), border));

// The glue keeps its instance in variables of its module; as a function it can be had afresh after a panic.
const glue = await build({
  entryPoints: [join(work, 'glue.js')],
  bundle: true,
  format: 'iife',
  globalName: 'glue',
  target: 'es2022',
  minifySyntax: true,
  write: false,
  logLevel: 'warning',
});
const generated = [
  `export function makeGlue() {\n${glue.outputFiles[0].text}\nreturn glue;\n}`,
  `export const packedCore = '${pack(wasm).toString('base64')}';`,
].join('\n');
await writeFile(join(work, 'generated.js'), generated);

// TypeScript → one file each, with everything in it.
const shared = {
  outdir: dist,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  minify: true, // what a page without a bundler loads is what the budget is about
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true, // scripts/size.mjs tells from it which module takes how much
};
const { metafile } = await build({
  ...shared,
  entryPoints: [join(npm, 'src/index.ts'), join(npm, 'src/slim.ts')],
  define: { NEARCAST_VERSION: JSON.stringify(version) },
  plugins: [
    {
      name: 'generated core',
      setup: ({ onResolve }) => onResolve({ filter: /core\/generated\.js$/ }, () => ({ path: join(work, 'generated.js'), sideEffects: false })),
    },
  ],
});
// The hooks use what everybody uses: the app's React and the same 'nearcast'.
const react = await build({
  ...shared,
  entryPoints: { react: join(npm, 'src/react/index.ts') },
  external: ['nearcast', 'react'],
});
// Need no core: see there.
await build({ ...shared, entryPoints: [join(npm, 'src/preflight.ts'), join(npm, 'src/regions.ts')] });
// The worker is text inside of its entry, and a file for pages that allow no other.
await build({ ...shared, entryPoints: { 'e2ee-worker': join(npm, 'src/e2ee/worker.ts') }, format: 'iife' });
await build({
  ...shared,
  entryPoints: { e2ee: join(npm, 'src/e2ee/index.ts') },
  define: { NEARCAST_E2EE_WORKER: JSON.stringify(await readFile(join(dist, 'e2ee-worker.js'), 'utf8')) },
});
await writeFile(join(work, 'meta.json'), JSON.stringify({ outputs: { ...metafile.outputs, ...react.metafile.outputs } }));
await writeFile(join(dist, 'core.wasm'), wasm);
for (const license of ['LICENSE-MIT', 'LICENSE-APACHE']) await copyFile(join(root, license), join(dist, license));

// Types: those the entries reach. The border to the core is hand-written; that the generated side agrees is checked here.
await writeFile(
  join(work, 'agrees.ts'),
  `import type { CoreGlue } from '${join(npm, 'src/core/boundary.js')}';\nimport * as generated from './client_wasm.js';\nexport const glue: Omit<CoreGlue, 'default'> = generated;\n`,
);
run(bin('tsc'), ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', '', '--lib', 'es2023,esnext.disposable,dom,dom.iterable', '--skipLibCheck', join(work, 'agrees.ts')]);
run(bin('tsc'), ['-p', join(npm, 'tsconfig.json')]);
await prune(['index.d.ts', 'slim.d.ts', 'react/index.d.ts', 'preflight.d.ts', 'regions.d.ts', 'e2ee/index.d.ts']);

/** The glue with the names that wasm-opt gave to imports and exports, its functions in the object that is imported, and what makes an instance. */
function makeGlue(glue, { imports, exports }) {
  // Not all are called: some are for threads and the like.
  for (const [name, short] of exports) glue = glue.replaceAll(new RegExp(`\\bwasm\\.${name}\\b`, 'g'), () => `wasm.${short}`);
  const shortNames = new Map(imports.map(([, name, short]) => [name, short]));
  const methods = [];
  glue = glue.replaceAll(/^export function (\w+)(\([^]*?\n}(?:, arguments\); })?)$/gm, (whole, name, rest) => {
    if (shortNames.has(name)) methods.push(`${shortNames.get(name)}${rest}`);
    return shortNames.has(name) ? '' : whole;
  });
  // What `inline_js` brings is imported from a file of its own.
  for (const [module, name, short] of imports.filter(([module]) => module.includes('/snippets/'))) {
    glue = `import { ${name} as ${short}_ } from '${module}';\n${glue}`;
    methods.push(`${short}: ${short}_`);
  }
  if (methods.length !== imports.length) throw new Error('the glue of wasm-bindgen lacks imports: it looks different now, and so must this');
  const [, start] = exports.find(([name]) => name === '__wbindgen_start');
  return `${glue}
export default async ({ module_or_path }) => {
  wasm = (await WebAssembly.instantiate(module_or_path, { a: { ${methods.join(',\n')} } })).exports;
  wasm.${start}();
};
`;
}

async function prune(entries) {
  const reached = new Set();
  const follow = async (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    const text = await readFile(path, 'utf8');
    for (const [, to] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)\.js'/g)) await follow(join(dirname(path), `${to}.d.ts`));
  };
  for (const entry of entries) await follow(join(dist, entry));
  for (const file of await readdir(dist, { recursive: true })) {
    if (file.endsWith('.d.ts') && !reached.has(join(dist, file))) await rm(join(dist, file));
  }
  await rm(join(dist, 'core'), { recursive: true }); // the border to the core is nobody's business
}
