import { build } from 'vite7';

await build({ root: import.meta.dirname, logLevel: 'warn', build: { outDir: 'out' } });
