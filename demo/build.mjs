// Bundles the page into dist/: index.html and assets whose names carry a hash of their content, so a server may let browsers
// keep them for ever. Paths are relative: the folder works at any address.
import { build } from 'esbuild';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = new URL('.', import.meta.url);
const outdir = new URL('dist/', root);

await rm(outdir, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root.pathname,
  entryPoints: { app: 'src/main.ts', style: 'src/styles/index.css', icon: 'src/icon.svg' },
  outdir: outdir.pathname,
  entryNames: 'assets/[name]-[hash]',
  bundle: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'], // the first with light-dark(), which the style sheets need
  minify: true,
  loader: { '.svg': 'copy' },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

const outputs = Object.keys(metafile.outputs).map((path) => `./assets/${basename(path)}`);
const asset = (pattern) => {
  const found = outputs.find((path) => pattern.test(path));
  if (!found) throw new Error(`no output matches ${pattern}; esbuild wrote ${outputs.join(', ')}`);
  return found;
};

const page = (await readFile(new URL('src/index.html', root), 'utf8'))
  .replace('%SCRIPT%', asset(/app-.*\.js$/))
  .replace('%STYLE%', asset(/style-.*\.css$/))
  .replace('%ICON%', asset(/icon-.*\.svg$/))
  .replace('<!-- %ICONS% -->', (await readFile(new URL('src/icons.svg', root), 'utf8')).trim());
await writeFile(new URL('index.html', outdir), page);

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1).padStart(7)} kB`;
for (const name of ['./index.html', ...outputs]) {
  const bytes = await readFile(new URL(name, outdir));
  console.log(`${kilobytes(bytes.length)}  ${kilobytes(gzipSync(bytes).length)} gzip  demo/dist/${name.slice(2)}`);
}
