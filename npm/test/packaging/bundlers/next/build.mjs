// Next.js's own command; it writes its own files.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const next = createRequire(import.meta.url).resolve('next/dist/bin/next');
execFileSync(process.execPath, [next, 'build'], { cwd: import.meta.dirname, stdio: 'inherit' });
