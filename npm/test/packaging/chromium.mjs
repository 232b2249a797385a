// Serves what a bundler made and opens it in Chromium.
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { delimiter, extname, join, normalize } from 'node:path';
import { tools } from './tools.mjs';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };

/** Path of Chromium; throws with the remedy when there is none. */
function chromium() {
  const given = process.env.NEARCAST_CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = given ?? names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  if (!found) throw new Error('No Chromium on the PATH. Remedy: make setup-test, or set NEARCAST_CHROMIUM to its path.');
  return found;
}

/** A web server for one folder, as plain as they come. */
export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const path = join(folder, normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
    createReadStream(path).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref(); // a test that failed before it closed it must end all the same
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** An address where nothing listens. */
export async function nowhere() {
  const server = await serve('/nonexistent');
  server.close();
  return server.url;
}

/** A browser. `open(folder, query)` serves what is in the folder and opens it; `verdict` waits for the page to set `window.verdict`, too. */
export async function browser() {
  const puppeteer = createRequire(join(await tools(), 'package.json'))('puppeteer-core');
  const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const media = ['--use-fake-device-for-media-stream=fps=5', '--use-fake-ui-for-media-stream', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'];
  const opened = await (puppeteer.default ?? puppeteer).launch({ executablePath: chromium(), headless: true, pipe: true, args: [...quiet, ...media], timeout: 60_000 });

  async function open(folder, query = {}) {
    const site = await serve(folder);
    const page = await opened.newPage();
    const log = [];
    page.on('console', (message) => log.push(message.text()));
    page.on('pageerror', (error) => log.push(String(error?.stack ?? error)));
    page.on('response', (response) => response.ok() || log.push(`${response.status()} ${response.url()}`));
    await page.goto(`${site.url}/?${new URLSearchParams(query)}`, { timeout: 60_000 });
    return {
      page,
      /** Waits until `expression` holds in the page. */
      async until(expression) {
        await page.waitForFunction(expression, { timeout: 120_000, polling: 100 }).catch(async (cause) => {
          const shown = await page.evaluate('document.body.innerHTML').catch(String);
          throw new Error(`${folder}: '${expression}' did not come true; the page's console:\n${log.join('\n')}\nthe page:\n${shown}`, { cause });
        });
      },
      async close() {
        await page.close();
        site.close();
      },
    };
  }

  return {
    open,
    async verdict(folder, query) {
      const { page, until, close } = await open(folder, query);
      try {
        await until('window.verdict');
        return await page.evaluate('window.verdict');
      } finally {
        await close();
      }
    },
    close: () => opened.close(),
  };
}
