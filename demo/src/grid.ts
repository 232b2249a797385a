// Lays the tiles out: all equal in a grid, or one on the stage and the rest in a filmstrip.
import { find } from './dom.ts';
import { planGrid } from './layout.ts';
import type { Tile } from './tile.ts';

/** Between tiles, CSS pixels; call.css uses the same for the filmstrip. */
const GAP = 10;
/** Guess: on a phone two faces side by side can still be told apart. */
const MIN_TILE_WIDTH = 140;
/** A box narrower than this (width / height) gets its filmstrip below the stage, a wider one beside it. */
const STRIP_BESIDE_FROM = 1.2;

export class Grid {
  readonly #area: HTMLElement;
  readonly #stage: HTMLElement;
  readonly #strip: HTMLElement;
  readonly #alone: HTMLElement;
  readonly #tiles: Tile[] = [];
  #pinned: Tile | undefined;

  constructor(area: HTMLElement, signal: AbortSignal) {
    this.#area = area;
    this.#stage = find('.tiles-stage', HTMLElement, area);
    this.#strip = find('.tiles-strip', HTMLElement, area);
    this.#alone = find('.tiles-alone', HTMLElement, area);
    const observer = new ResizeObserver(() => this.#layOut());
    observer.observe(area);
    signal.addEventListener('abort', () => {
      observer.disconnect();
      for (const tile of [...this.#tiles]) this.remove(tile);
    });
  }

  add(tile: Tile): void {
    this.#tiles.push(tile);
    tile.onPin = () => {
      this.#pinned = this.#pinned === tile ? undefined : tile;
      this.#place();
    };
    this.#place();
  }

  remove(tile: Tile): void {
    const at = this.#tiles.indexOf(tile);
    if (at >= 0) this.#tiles.splice(at, 1);
    if (this.#pinned === tile) this.#pinned = undefined;
    tile.element.remove();
    this.#place();
  }

  /** What is pinned, else the newest screen of somebody else. One's own screen on the stage would show itself for ever. */
  #staged(): Tile | undefined {
    return this.#pinned ?? this.#tiles.findLast((tile) => tile.source === 'screen' && !tile.isSelf);
  }

  #place(): void {
    const staged = this.#staged();
    // One's own tiles come last: the others are what one looks at.
    const strip = [...this.#tiles].filter((tile) => tile !== staged).sort((a, b) => Number(a.isSelf) - Number(b.isSelf));
    if (staged && staged.element.parentElement !== this.#stage) this.#stage.replaceChildren(staged.element);
    strip.forEach(({ element }, at) => {
      if (this.#strip.children[at] !== element) this.#strip.insertBefore(element, this.#strip.children[at] ?? null);
    });
    for (const tile of this.#tiles) {
      tile.setPinned(tile === this.#pinned);
      tile.setStaged(tile === staged);
    }
    this.#area.dataset.layout = staged ? 'stage' : 'grid';
    this.#stage.hidden = !staged;
    this.#strip.hidden = strip.length === 0;
    this.#alone.hidden = this.#tiles.some((tile) => !tile.isSelf) || this.#tiles.length === 0;
    this.#layOut();
  }

  #layOut(): void {
    const style = getComputedStyle(this.#area);
    const box = {
      width: this.#area.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
      height: this.#area.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom),
    };
    if (box.width <= 0 || box.height <= 0) return;
    this.#area.dataset.strip = box.width / box.height >= STRIP_BESIDE_FROM ? 'beside' : 'below';
    if (this.#area.dataset.layout === 'stage') return; // style sheets can do that alone
    const portrait = box.height > box.width;
    const plan = planGrid(this.#tiles.length, box, {
      gap: GAP,
      aspect: { min: portrait ? 3 / 4 : 4 / 3, max: 16 / 9 },
      minWidth: MIN_TILE_WIDTH,
    });
    this.#area.style.setProperty('--tile-width', `${plan.tile.width}px`);
    this.#area.style.setProperty('--tile-height', `${plan.tile.height}px`);
    // Without this, tiles limited by their height would leave room for one more in a row than planned.
    this.#area.style.setProperty('--grid-width', `${plan.columns * (plan.tile.width + GAP) - GAP}px`);
    this.#area.toggleAttribute('data-scrolls', plan.scrolls);
  }
}
