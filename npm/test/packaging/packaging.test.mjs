// What `npm pack` makes works where it is installed: in a fresh Vite app, in Node, in TypeScript projects. Needs the package registry.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

const npm = new URL('../..', import.meta.url).pathname;
const tsc = join(npm, 'node_modules/.bin/tsc');
let folder;
let tarball;

const run = (cwd, command, ...args) => execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** A project of its own with the package installed, and `files` in it. */
async function project(name, files, dependencies = []) {
  const root = join(folder, name);
  for (const [path, text] of Object.entries({ 'package.json': '{"private": true, "type": "module"}', ...files })) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
  run(root, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...dependencies);
  return root;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nearcast-packaging-'));
  const [{ filename }] = JSON.parse(run(npm, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder));
  tarball = join(folder, filename);
});

after(() => rm(folder, { recursive: true, force: true }));

test('the tarball holds what is used, and nothing else', () => {
  const files = run(folder, 'tar', '-tzf', tarball).trim().split('\n').map((path) => path.replace(/^package\//, '')).sort();
  const types = files.filter((path) => path.endsWith('.d.ts'));
  assert.ok(types.includes('dist/index.d.ts') && types.includes('dist/slim.d.ts'));
  assert.deepEqual(
    files.filter((path) => !types.includes(path)),
    ['README.md', 'dist/LICENSE-APACHE', 'dist/LICENSE-MIT', 'dist/core.wasm', 'dist/index.js', 'dist/slim.js', 'package.json'],
  );
  assert.ok(!types.some((path) => /core|session|call/.test(path)), 'internals have no types');
});

test('a fresh Vite app builds with the whole package', async () => {
  const root = await project('vite', {
    'index.html': '<script type="module" src="/main.js"></script>',
    'main.js': "import { connect } from 'nearcast';\nwindow.join = (url, token) => connect(url, token);\n",
  }, ['vite@8']);
  run(root, 'npx', 'vite', 'build');
  const assets = await readdir(join(root, 'dist/assets'));
  assert.deepEqual(assets.map((name) => name.replace(/-[\w-]+\./, '.')), ['index.js'], 'one file, the core inside');
  const bundle = await readFile(join(root, 'dist/assets', assets[0]), 'utf8');
  assert.ok(bundle.includes('core-load-failed') && /[A-Za-z0-9+/]{10000}/.test(bundle));
});

test('a fresh Vite app builds with the slim package and serves the core as a file', async () => {
  const root = await project('vite-slim', {
    'index.html': '<script type="module" src="/main.js"></script>',
    'main.js':
      "import { connect, init } from 'nearcast/slim';\nimport core from 'nearcast/core.wasm?url';\nwindow.join = async (url, token) => { await init(core); return connect(url, token); };\n",
  }, ['vite@8']);
  run(root, 'npx', 'vite', 'build', '--assetsInlineLimit', '0');
  const assets = await readdir(join(root, 'dist/assets'));
  const wasm = assets.find((name) => name.endsWith('.wasm'));
  const script = assets.find((name) => name.endsWith('.js'));
  assert.deepEqual(await readFile(join(root, 'dist/assets', wasm)), await readFile(join(npm, 'dist/core.wasm')));
  const bundle = await readFile(join(root, 'dist/assets', script), 'utf8');
  assert.ok(bundle.includes(wasm) && !/[A-Za-z0-9+/]{10000}/.test(bundle));
});

test('Node imports it on a server, does nothing by it, and gets a helpful refusal', async () => {
  const root = await project('node', {
    'main.js': `
      import { connect, NearcastError } from 'nearcast';
      import { init } from 'nearcast/slim';
      const error = await connect('https://edge.example', 'token').catch((error) => error);
      console.log(JSON.stringify([typeof init, error instanceof NearcastError, error.code, process.getActiveResourcesInfo()]));`,
  });
  const [init, typed, code, resources] = JSON.parse(run(root, process.execPath, 'main.js'));
  assert.deepEqual([init, typed, code], ['function', true, 'webrtc-unsupported']);
  assert.ok(!resources.some((name) => /Timeout|Socket|Request/.test(name)), `left running: ${resources}`);
});

test('types are found by every way of resolving modules', async () => {
  const root = await project('types', {
    'main.ts': `
      import { connect, type Room } from 'nearcast';
      import { init } from 'nearcast/slim';
      export const join = async (): Promise<Room> => { await init('/core.wasm'); return connect('https://edge.example', 'token'); };`,
  });
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2023,dom', '--types', ''];
  run(root, tsc, ...strict, '--module', 'esnext', '--moduleResolution', 'bundler', 'main.ts');
  run(root, tsc, ...strict, '--module', 'nodenext', '--moduleResolution', 'nodenext', 'main.ts');
});
