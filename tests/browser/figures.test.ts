// The table of figures keeps what was measured: rows replace their own kind only, and a target that is missed says so.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keep, percentile, read, row, table } from './harness/figures.ts';
import { seeded } from './harness/random.ts';

test('a row takes the place of an older one of the same scenario and metric', (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'nearcast-figures-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'bench', 'client.json');
    assert.deepEqual(read(file), []);
    keep([row('join', 'p50 ms', 500, { atMost: 400 }), row('outage', 'p50 ms', 1)], file);
    keep([row('join', 'p50 ms', 300, { atMost: 400 })], file);
    assert.deepEqual(read(file).map(({ scenario, value, ok }) => [scenario, value, ok]), [['outage', 1, true], ['join', 300, true]]);
});

test('a target that is missed says so', () => {
    assert.deepEqual(row('a', 'b', 400.04, { atMost: 400 }), { scenario: 'a', metric: 'b', value: 400, target: '<= 400', ok: false });
    assert.equal(row('a', 'b', 12, { atLeast: 15 }).ok, false);
    assert.equal(row('a', 'b', NaN, { atMost: 400 }).ok, false);
    assert.match(table([row('a', 'b', 500, { atMost: 400 })]), /^a +b +500 +<= 400 +NOT MET$/m);
    assert.match(table([row('a', 'b', 500)]), /^a +b +500$/m);
});

test('percentiles are values that were measured', () => {
    const twenty = Array.from({ length: 20 }, (_, at) => 20 - at);
    assert.deepEqual([0.5, 0.95, 1].map((share) => percentile(twenty, share)), [10, 19, 20]);
    assert.equal(percentile([7], 0.95), 7);
});

test('the seed decides the faults', () => {
    const draw = (seed: number): number[] => Array.from({ length: 1000 }, seeded(seed));
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    const mean = draw(3).reduce((sum, value) => sum + value, 0) / 1000;
    assert.ok(mean > 0.45 && mean < 0.55 && draw(3).every((value) => value >= 0 && value < 1), `${mean}`);
});
