// The arithmetic of the grid: how many columns make the tiles largest. Pure, so that it can be tested.

export interface Box {
  width: number;
  height: number;
}

export interface GridPlan {
  columns: number;
  rows: number;
  /** Of one tile, in CSS pixels, rounded down so that a row never wraps early. */
  tile: Box;
  /** Tiles would be too small to recognise a face: they have the smallest size, and the grid scrolls. */
  scrolls: boolean;
}

export interface GridOptions {
  /** Between tiles, CSS pixels. */
  gap: number;
  /** Narrowest and widest shape of a tile, width / height: cameras may be cropped a little to fill the screen. */
  aspect: { min: number; max: number };
  /** Narrower tiles make the grid scroll. CSS pixels. */
  minWidth: number;
}

/** Plans `count` equal tiles in a box. Ties go to fewer empty places, then to fewer columns. */
export function planGrid(count: number, box: Box, options: GridOptions): GridPlan {
  let best: GridPlan | undefined;
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const plan = planColumns(count, columns, box, options);
    if (!best || area(plan) > area(best) || (area(plan) === area(best) && empty(plan, count) < empty(best, count))) best = plan;
  }
  if (best && best.tile.width >= Math.min(options.minWidth, box.width)) return best;
  return planScrolling(count, box, options);
}

function planColumns(count: number, columns: number, box: Box, { gap, aspect }: GridOptions): GridPlan {
  const rows = Math.max(1, Math.ceil(count / columns));
  const width = Math.max(0, (box.width - gap * (columns - 1)) / columns);
  const height = Math.max(0, (box.height - gap * (rows - 1)) / rows);
  const tile = { width: Math.floor(Math.min(width, height * aspect.max)), height: Math.floor(Math.min(height, width / aspect.min)) };
  return { columns, rows, tile, scrolls: false };
}

function planScrolling(count: number, box: Box, { gap, aspect, minWidth }: GridOptions): GridPlan {
  const columns = Math.max(1, Math.min(count, Math.floor((box.width + gap) / (minWidth + gap))));
  const width = Math.floor((box.width - gap * (columns - 1)) / columns);
  const tile = { width, height: Math.floor(width / aspect.max) };
  return { columns, rows: Math.ceil(count / columns), tile, scrolls: true };
}

const area = ({ tile }: GridPlan): number => tile.width * tile.height;
const empty = ({ columns, rows }: GridPlan, count: number): number => columns * rows - count;
