// What scenarios measured, with targets: printed always, and kept in target/bench/client.json when `make bench-client` asks for it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `NEARCAST_BENCH=1`: as many repetitions as figures need, and the figures are kept. */
export const isBench = process.env.NEARCAST_BENCH === '1';

export interface Row {
    scenario: string;
    /** With its unit. */
    metric: string;
    value: number;
    /** Such as `<= 400`; null for what is only told. */
    target: string | null;
    ok: boolean;
}

export type Target = { atMost: number } | { atLeast: number };

export const FILE = process.env.NEARCAST_FIGURES ?? fileURLToPath(new URL('../../../target/bench/client.json', import.meta.url));

export function row(scenario: string, metric: string, value: number, target?: Target): Row {
    const rounded = Number(value.toPrecision(4));
    if (target === undefined) return { scenario, metric, value: rounded, target: null, ok: true };
    return 'atMost' in target
        ? { scenario, metric, value: rounded, target: `<= ${target.atMost}`, ok: value <= target.atMost }
        : { scenario, metric, value: rounded, target: `>= ${target.atLeast}`, ok: value >= target.atLeast };
}

/** Adds rows to the file; one of the same scenario and metric takes the older one's place. */
export function keep(rows: readonly Row[], file = FILE): void {
    const fresh = new Set(rows.map(key));
    const all = [...read(file).filter((old) => !fresh.has(key(old))), ...rows];
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `[\n${all.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
}

export function read(file = FILE): Row[] {
    try {
        return JSON.parse(readFileSync(file, 'utf8')) as Row[];
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
    }
}

/** In columns, scenario by scenario. */
export function table(rows: readonly Row[]): string {
    const cells = rows.map(({ scenario, metric, value, target, ok }) => [scenario, metric, String(value), target ?? '', target === null ? '' : ok ? 'met' : 'NOT MET']);
    const all = [['scenario', 'metric', 'value', 'target', ''], ...cells];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
    return all.map((line) => line.map((cell, column) => (column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ').trimEnd()).join('\n');
}

/** The value that this share of all are not above, such as 0.95. */
export function percentile(values: readonly number[], share: number): number {
    const sorted = [...values].sort((a, b) => a - b);
    const at = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    if (at === undefined) throw new Error('no values');
    return at;
}

const key = ({ scenario, metric }: Row): string => `${scenario}\n${metric}`;
