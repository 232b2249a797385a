// Bundles each tests/*.test.ts by itself and hands the results to node --test: Node 20 doesn't read TypeScript.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';

const root = new URL('.', import.meta.url).pathname;
const outdir = `${root}node_modules/.cache/tests`;
const tests = (await readdir(`${root}tests`)).filter((name) => name.endsWith('.test.ts'));

await rm(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: tests.map((name) => `tests/${name}`),
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const files = tests.map((name) => `${outdir}/${name.replace(/\.ts$/, '.mjs')}`);
const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit', cwd: root });
process.exit(run.status ?? 1);
