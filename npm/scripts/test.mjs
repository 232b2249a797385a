// Runs the tests that need no browser: against the modules of src/, one by one, and against what `npm run build` left in dist/.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const npm = new URL('..', import.meta.url).pathname;
// Beside the packages that the sources import.
const work = join(npm, 'node_modules/.cache/nearcast');
const built = join(process.env.CARGO_TARGET_DIR ?? join(npm, '../target'), 'sdk');
if (!existsSync(join(npm, 'dist/index.js'))) {
  console.error('dist/ is missing. Remedy: `make sdk`, or scripts/wasm-env.sh npm run build');
  process.exit(1);
}

const sources = (await readdir(join(npm, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
await build({
  entryPoints: sources.map((name) => join(npm, 'src', name)),
  outdir: join(work, 'esm'),
  format: 'esm',
  target: 'es2022',
  define: { NEARCAST_VERSION: '"test"' },
  logLevel: 'warning',
});
await copyFile(join(built, 'generated.js'), join(work, 'esm/core/generated.js'));

const tests = (await readdir(join(npm, 'test'))).filter((name) => name.endsWith('.test.mjs')).map((name) => join(npm, 'test', name));
const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...tests], { stdio: 'inherit' });
process.exit(status ?? 1);
