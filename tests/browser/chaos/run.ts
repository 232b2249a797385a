// `make chaos`: one disturbance after the other, and the table of what each cost.
//
//     npx tsx chaos/run.ts            all
//     npx tsx chaos/run.ts store      those of chaos/store.test.ts

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FILE } from '../harness/trio.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const known = readdirSync(folder).flatMap((file) => /^(.+)\.test\.ts$/.exec(file)?.[1] ?? []);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(', ')}. There are: ${known.join(', ')}`);
    process.exit(2);
}
const failed = (asked.length > 0 ? asked : known).filter((name) => {
    const flags = ['--import', 'tsx', '--test', '--test-reporter=spec', `${folder}${name}.test.ts`];
    return spawnSync(process.execPath, flags, { stdio: 'inherit' }).status !== 0;
});
if (existsSync(FILE)) {
    const rows = JSON.parse(readFileSync(FILE, 'utf8')) as { id: string; what: string; gap_ms: number; lost_calls: number; recover_ms: number; target_ms: number; gap_target_ms: number; ok: boolean }[];
    const cells = rows.map((row) => [row.id, String(row.gap_ms), `<= ${row.gap_target_ms}`, String(row.lost_calls), String(row.recover_ms), `<= ${row.target_ms}`, row.ok ? 'met' : 'NOT MET', row.what]);
    const all = [['id', 'gap ms', 'target', 'lost', 'recover ms', 'target', '', 'what'], ...cells];
    const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
    console.log(`\n${all.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n')}\n\nAll rows: ${FILE}`);
}
if (failed.length > 0) {
    console.error(`Failed: ${failed.join(', ')}. The rows of these, if any, are of an earlier run.`);
    process.exitCode = 1;
}
