// The packed package in fresh apps, built for production by each bundler and run in Chromium. Needs the package registry once.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { browser, nowhere } from './chromium.mjs';
import { npm, run, workshop } from './tools.mjs';

const fixtures = new URL('bundlers/', import.meta.url).pathname;
let shop;
let chromium;
let edge;

before(async () => {
  [shop, chromium, edge] = await Promise.all([workshop(), browser(), nowhere()]);
});

after(async () => {
  await chromium?.close();
  await shop?.close();
});

/** Builds an app and returns the folder with what is to be served. */
async function built(name, ...sources) {
  const folder = await shop.app(name, ...sources.map((source) => join(fixtures, source)));
  await run(folder, process.execPath, 'build.mjs');
  return join(folder, 'out');
}

for (const name of ['vite8', 'vite7', 'webpack', 'rspack', 'esbuild']) {
  test(`${name}: the SDK and the hooks run, core included`, async () => {
    const verdict = await chromium.verdict(await built(name, 'app', name), { edge });
    assert.deepEqual(verdict, { sdk: 'true edge-unreachable', hooks: 'disconnected edge-unreachable' });
  });
}

test('Vite, slim: the core is a file of its own', async () => {
  const out = await built('vite-slim', 'app', 'vite-slim');
  const { sdk, core } = await chromium.verdict(out, { edge });
  assert.equal(sdk, 'edge-unreachable');
  assert.deepEqual(await readFile(join(out, core)), await readFile(join(npm, 'dist/core.wasm')));
  const scripts = (await readdir(join(out, 'assets'))).filter((file) => file.endsWith('.js'));
  for (const file of scripts) assert.ok(!/[A-Za-z0-9+/]{10000}/.test(await readFile(join(out, 'assets', file), 'utf8')), `${file} has the core inside`);
});

test('Next.js: prerenders a page with the hooks, which run in the browser', async () => {
  const out = await built('next', 'next');
  const html = await readFile(join(out, 'index.html'), 'utf8');
  assert.match(html, /data-server="function"/);
  assert.match(html, /<p>idle<\/p>/);
  assert.deepEqual(await chromium.verdict(out, { edge }), { hooks: 'disconnected edge-unreachable', server: 'function' });
});
