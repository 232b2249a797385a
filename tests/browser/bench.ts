// `make bench-client`: runs the scenarios one after the other with as many repetitions as figures need, and prints the table.
// A figure that misses its target doesn't fail it; a scenario whose behaviour is wrong does.
//
//     npx tsx bench.ts             all of them, but the soak
//     npx tsx bench.ts join soak   these

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FILE, read, table } from './harness/figures.ts';

const folder = fileURLToPath(new URL('scenarios/', import.meta.url));
const known = readdirSync(folder).flatMap((file) => /^(.+)\.test\.ts$/.exec(file)?.[1] ?? []);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
    console.error(`There is no scenario ${unknown.join(', ')}. There are: ${known.join(', ')}`);
    process.exit(2);
}
const names = asked.length > 0 ? asked : known.filter((name) => name !== 'soak'); // a quarter of an hour: `make soak-client`

const failed = names.filter((name) => {
    const flags = ['--import', 'tsx', '--test', '--test-reporter=spec', `${folder}${name}.test.ts`];
    const { status } = spawnSync(process.execPath, flags, { stdio: 'inherit', env: { ...process.env, NEARCAST_BENCH: '1' } });
    return status !== 0;
});
console.log(`\n${table(read())}\n\nAll rows: ${FILE}`);
if (failed.length > 0) {
    console.error(`Failed: ${failed.join(', ')}. The rows of these, if any, are of an earlier run.`);
    process.exitCode = 1;
}
