// The examples, built from the packed package, in one call with each other.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { browser } from './chromium.mjs';
import { startEdge } from './edge.mjs';
import { npm, run, tools, workshop } from './tools.mjs';

const examples = join(npm, '../examples');
let shop;
let chromium;
let edge;

before(async () => {
  [shop, chromium, edge] = await Promise.all([workshop(), browser(), startEdge()]);
});

after(async () => {
  await chromium?.close();
  edge?.close();
  await shop?.close();
});

test('vanilla, React and Vue build, meet in a room, see each other, and leave', async () => {
  const names = (await readdir(examples, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  assert.deepEqual(names, ['react', 'vanilla', 'vue']);
  const vite = join(await tools(), 'node_modules/vite/bin/vite.js');
  const apps = [];
  for (const name of names) {
    const folder = await shop.app(name, join(examples, name));
    await run(folder, process.execPath, vite, 'build');
    const app = await chromium.open(join(folder, 'dist'));
    apps.push(app);
    await app.until("document.querySelector('form')");
    await app.page.$eval('[name=edge]', (input) => (input.value = ''));
    await app.page.type('[name=edge]', edge.url);
    await app.page.type('[name=name]', name);
    await app.page.click('form button');
    await app.until("document.querySelector('#leave')?.offsetParent && !document.querySelector('#status').textContent");
  }
  for (const { page } of apps) {
    await page.bringToFront();
    await page.click('#camera');
    await page.click('#microphone');
  }
  // Pages behind others paint nothing: each is looked at in turn.
  const playing = (count) => `[...document.querySelectorAll('#tiles video')].filter((video) => video.videoWidth > 0).length === ${count}`;
  for (const { page, until } of apps) {
    await page.bringToFront();
    await until(playing(3));
  }
  const [react, vanilla, vue] = apps;
  await react.page.bringToFront();
  await react.page.click('#leave');
  await react.until("document.querySelector('form')");
  for (const { until } of [vanilla, vue]) await until("document.querySelectorAll('#tiles video').length === 2");
});
