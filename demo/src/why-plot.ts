// Curves as SVG paths. Pure, so that it can be tested.

/** The size that paths are drawn for; style sheets stretch it. */
export const PLOT = { width: 300, height: 56 };

/** A moment and a value; no value: a gap. */
export type Point = readonly [at: number, value: number | undefined];

/** The `d` of a path over the time from `now - span` to `now`, values from 0 to `top`. Higher ones run along the upper edge. */
export function curve(points: readonly Point[], now: number, span: number, top: number): string {
  let path = '';
  let pen = false;
  for (const [at, value] of points) {
    if (value === undefined) {
      pen = false;
      continue;
    }
    const x = round(((at - now + span) / span) * PLOT.width);
    const y = round((1 - Math.min(value / top, 1)) * PLOT.height);
    // A lone point would be a line of no length, which is drawn as a dot.
    path += pen ? `L${x} ${y}` : `M${x} ${y}h0`;
    pen = true;
  }
  return path;
}

/** The upper end of an axis: 1, 2 or 5 times a power of ten, at least `least`. */
export function axisTop(highest: number, least: number): number {
  const wanted = Math.max(highest, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= wanted * 0.999) ?? wanted;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
