// What `npm pack` makes works where it is installed, in Node and in TypeScript projects, and is what those who check packages want to see.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { npm, run, tools, workshop } from './tools.mjs';

const tsc = join(npm, 'node_modules/.bin/tsc');
let shop;
let bin;

before(async () => {
  shop = await workshop();
  bin = join(await tools(), 'node_modules/.bin');
});

after(() => shop?.close());

test('the tarball holds what is used, and nothing else', async () => {
  const files = (await run(shop.root, 'tar', '-tzf', shop.tarball)).trim().split('\n').map((path) => path.replace(/^package\//, '')).sort();
  const types = files.filter((path) => path.endsWith('.d.ts'));
  for (const entry of ['index', 'slim', 'react/index', 'preflight', 'e2ee/index']) assert.ok(types.includes(`dist/${entry}.d.ts`));
  assert.deepEqual(
    files.filter((path) => !types.includes(path)),
    ['README.md', 'dist/LICENSE-APACHE', 'dist/LICENSE-MIT', 'dist/core.wasm', 'dist/e2ee-worker.js', 'dist/e2ee.js', 'dist/index.js', 'dist/preflight.js', 'dist/react.js', 'dist/regions.js', 'dist/slim.js', 'package.json'],
  );
  assert.ok(!types.some((path) => /core|session|call/.test(path)), 'internals have no types');
});

test('publint has nothing to say', async () => {
  assert.match(await run(shop.root, join(bin, 'publint'), '--strict', shop.tarball), /All good!/);
});

test('attw finds the types of every entry right', async () => {
  // For bundlers and ES modules, which is what the package is. core.wasm and the worker are files and no modules. Without @types it asks no registry.
  const options = ['--profile', 'esm-only', '--exclude-entrypoints', './core.wasm', './e2ee-worker.js', '--no-definitely-typed', '--no-emoji', '--format', 'json'];
  const { analysis } = JSON.parse(await run(shop.root, join(bin, 'attw'), shop.tarball, ...options));
  assert.deepEqual(Object.keys(analysis.entrypoints).sort(), ['.', './e2ee', './package.json', './preflight', './react', './regions', './slim']);
});

test('Node imports it on a server, does nothing by it, and gets a helpful refusal', async () => {
  const main = `
    import { connect, NearcastError } from 'nearcast';
    import { init } from 'nearcast/slim';
    import { RoomProvider } from 'nearcast/react';
    const error = await connect('https://edge.example', 'token').catch((error) => error);
    console.log(JSON.stringify([typeof init, typeof RoomProvider, error instanceof NearcastError, error.code, process.getActiveResourcesInfo()]));`;
  await writeFile(join(shop.root, 'main.js'), main);
  const [init, provider, typed, code, resources] = JSON.parse(await run(shop.root, process.execPath, 'main.js'));
  assert.deepEqual([init, provider, typed, code], ['function', 'function', true, 'webrtc-unsupported']);
  assert.ok(!resources.some((name) => /Timeout|Socket|Request/.test(name)), `left running: ${resources}`);
});

test('CommonJS can require it, where Node lets it require modules', { skip: !process.features.require_module }, async () => {
  const script = "process.stdout.write(typeof require('nearcast').connect + typeof require('nearcast/react').useRoom)";
  assert.equal(await run(shop.root, process.execPath, '-e', script), 'functionfunction');
});

test('types are found by every way of resolving modules', async () => {
  const main = `
    import { connect, type Room } from 'nearcast';
    import { init } from 'nearcast/slim';
    import { useRoom } from 'nearcast/react';
    export const join = async (): Promise<Room> => { await init('/core.wasm'); return connect('https://edge.example', 'token'); };
    export const shown = (): Room | undefined => useRoom();`;
  await writeFile(join(shop.root, 'main.ts'), main);
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2023,dom'];
  const bundler = [...strict, '--module', 'esnext', '--moduleResolution', 'bundler', 'main.ts'];
  await run(shop.root, tsc, ...bundler);
  await run(shop.root, tsc, ...strict, '--module', 'nodenext', '--moduleResolution', 'nodenext', 'main.ts');
  await run(shop.root, join(bin, 'tsc'), ...bundler); // TypeScript 6, and attw has looked with 5
});
