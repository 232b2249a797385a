// The bundlers and checkers that the packed package goes through: installed once outside the checkout, under the checksum of their lock file, since
// half a gigabyte of them has no place in `npm/node_modules` and takes a minute to install.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const here = new URL('.', import.meta.url).pathname;
export const npm = join(here, '../..');
const cache = join(process.env.NEARCAST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nearcast'), 'bundlers');

/** Runs a program to its end; a failure shows what it said. */
export async function run(cwd, command, ...args) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0', PUPPETEER_SKIP_DOWNLOAD: '1' };
  delete env.NODE_TEST_CONTEXT; // a program of its own, not a part of this test
  try {
    return (await promisify(execFile)(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 })).stdout;
  } catch (cause) {
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${cause.stdout}\n${cause.stderr}`, { cause });
  }
}

let found;

/** The folder whose `node_modules` has the tools. */
export const tools = () => (found ??= install());

async function install() {
  const lock = await readFile(join(here, 'package-lock.json'));
  const folder = join(cache, createHash('sha256').update(lock).digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  // Elsewhere first: an installation that was interrupted is not taken for a whole one.
  const draft = await mkdtemp(join(cache, 'draft-'));
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(here, name), join(draft, name));
  try {
    await run(draft, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline');
    await rename(draft, folder);
  } catch (cause) {
    await rm(draft, { recursive: true });
    if (!existsSync(folder)) throw cause; // else somebody else was first
  }
  return folder;
}

/**
 * A fresh folder with the packed package installed, below the tools so that apps in it find both. `app(name, …sources)` copies an app into it.
 */
export async function workshop() {
  const shelf = join(await tools(), 'runs');
  await mkdir(shelf, { recursive: true });
  const root = await mkdtemp(join(shelf, 'run-'));
  const [{ filename }] = JSON.parse(await run(npm, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', root));
  const tarball = join(root, filename);
  await writeFile(join(root, 'package.json'), '{ "private": true, "type": "module" }');
  await run(root, 'npm', 'install', '--no-audit', '--no-fund', '--offline', tarball);
  return {
    root,
    tarball,
    async app(name, ...sources) {
      const folder = join(root, name);
      await mkdir(folder);
      for (const source of sources) await cp(source, folder, { recursive: true });
      return folder;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}
