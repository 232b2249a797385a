import { build } from 'esbuild';
import { copyFile } from 'node:fs/promises';

await build({ entryPoints: ['main.js'], bundle: true, minify: true, format: 'esm', outfile: 'out/main.js', define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'warning' });
await copyFile('index.html', 'out/index.html');
