// The grid uses the screen as well as it can, and never more of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Box, type GridOptions, planGrid } from '../src/layout.ts';

const options: GridOptions = { gap: 10, aspect: { min: 4 / 3, max: 16 / 9 }, minWidth: 140 };
const desktop: Box = { width: 1420, height: 760 };
const phone: Box = { width: 370, height: 680 };

const columns = (count: number, box: Box): number => planGrid(count, box, options).columns;

test('one tile fills the box in one direction', () => {
  const { tile } = planGrid(1, desktop, options);
  assert.equal(tile.height, 760);
  assert.equal(tile.width, Math.floor((760 * 16) / 9));
});

test('a wide box puts two side by side, a tall one puts them on top of each other', () => {
  assert.equal(columns(2, desktop), 2);
  assert.equal(columns(2, phone), 1);
});

test('columns for the usual party sizes on a desktop', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 9, 12, 16].map((count) => columns(count, desktop)), [1, 2, 2, 2, 3, 3, 3, 4, 4]);
});

test('no other number of columns makes larger tiles', () => {
  for (let count = 1; count <= 20; count += 1) {
    const best = planGrid(count, desktop, options);
    for (let other = 1; other <= count; other += 1) {
      const rows = Math.ceil(count / other);
      const width = (desktop.width - 10 * (other - 1)) / other;
      const height = (desktop.height - 10 * (rows - 1)) / rows;
      const area = Math.floor(Math.min(width, (height * 16) / 9)) * Math.floor(Math.min(height, (width * 3) / 4));
      assert.ok(area <= best.tile.width * best.tile.height, `${other} columns for ${count} would be larger`);
    }
  }
});

test('the plan fits into the box', () => {
  for (const box of [desktop, phone, { width: 800, height: 300 }, { width: 1000, height: 1000 }]) {
    for (let count = 1; count <= 16; count += 1) {
      const plan = planGrid(count, box, options);
      assert.ok(plan.columns * plan.rows >= count);
      assert.ok(plan.columns * plan.tile.width + (plan.columns - 1) * 10 <= box.width, `${count} in ${box.width}×${box.height}: too wide`);
      if (!plan.scrolls) assert.ok(plan.rows * plan.tile.height + (plan.rows - 1) * 10 <= box.height, `${count} in ${box.width}×${box.height}: too high`);
    }
  }
});

test('tiles keep to shapes that faces fit into', () => {
  for (let count = 1; count <= 30; count += 1) {
    const { tile } = planGrid(count, desktop, options);
    const aspect = tile.width / tile.height;
    assert.ok(aspect > 1.32 && aspect < 1.79, `${count}: ${aspect}`);
  }
});

test('a crowd on a telephone scrolls, with tiles of the smallest useful size', () => {
  const plan = planGrid(30, phone, options);
  assert.equal(plan.scrolls, true);
  assert.equal(plan.columns, 2);
  assert.equal(plan.tile.width, 180);
  assert.equal(planGrid(4, phone, options).scrolls, false);
});

test('a box narrower than the smallest tile still gets a plan', () => {
  const plan = planGrid(3, { width: 100, height: 400 }, options);
  assert.equal(plan.columns, 1);
  assert.ok(plan.tile.width <= 100 && plan.tile.width > 0);
});
