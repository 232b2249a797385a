// The edge that `make build` left, for what has to be in a call to be seen working.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { npm } from './tools.mjs';

export async function startEdge() {
  const program = process.env.NEARCAST_EDGE ?? join(npm, '../target/release/nearcast-edge');
  if (!existsSync(program)) throw new Error(`The edge is not built: ${program} is missing. Remedy: make build, or set NEARCAST_EDGE.`);
  // The edge reads NEARCAST_* variables as settings, and ours are none.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NEARCAST_')));
  const child = spawn(program, ['serve', '--dev', '--http', '127.0.0.1:0', '--udp', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'], env });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, http] = /^ready http=(\S+)/.exec(line) ?? [];
      if (http) resolve(`http://${http}`);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the edge ended with ${code} before it was ready`)));
  });
  return { url, close: () => child.kill() };
}
