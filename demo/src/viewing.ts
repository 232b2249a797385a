// Tells the edge how large each picture is on the screen, whether anybody can see it, and which one is on the stage: nothing is sent that is not seen.
import type { RemotePublication } from 'nearcast';
import type { Tile } from './tile.ts';

interface View {
  tile: Tile;
  publication: RemotePublication;
  /** CSS pixels; 0 until measured. */
  width: number;
  height: number;
  /** Scrolled into view, as far as one knows. */
  inView: boolean;
}

export class Viewing {
  readonly #views = new Map<Element, View>();
  readonly #sizes: ResizeObserver;
  readonly #sights: IntersectionObserver;

  constructor(signal: AbortSignal) {
    this.#sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) this.#change(target, { width: contentRect.width, height: contentRect.height });
    });
    this.#sights = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#change(target, { inView: isIntersecting });
    });
    document.addEventListener('visibilitychange', () => {
      for (const view of this.#views.values()) this.#tell(view);
    }, { signal });
    signal.addEventListener('abort', () => {
      this.#sizes.disconnect();
      this.#sights.disconnect();
    });
  }

  /** `tile` shows this publication now. Again: harmless. */
  watch(tile: Tile, publication: RemotePublication): void {
    const { element } = tile;
    const before = this.#views.get(element);
    if (before?.publication === publication) return;
    const view = { width: 0, height: 0, inView: true, ...before, tile, publication };
    this.#views.set(element, view);
    tile.onStaged = () => this.#tell(view);
    this.#sizes.observe(element);
    this.#sights.observe(element);
    if (before) this.#tell(view); // otherwise the observers tell, as soon as the tile has a place
  }

  forget({ element }: Tile): void {
    this.#views.delete(element);
    this.#sizes.unobserve(element);
    this.#sights.unobserve(element);
  }

  #change(target: Element, change: Partial<View>): void {
    const view = this.#views.get(target);
    if (view) this.#tell(Object.assign(view, change));
  }

  #tell({ tile, publication, width, height, inView }: View): void {
    publication.setVideoPreferences({
      width: width * devicePixelRatio,
      height: height * devicePixelRatio,
      visible: isPictureInPicture(tile) || (inView && !isPageHidden()),
      priority: tile.isStaged ? 'on-stage' : 'auto',
    });
  }
}

/** Only where the browser can tell that no picture of a hidden page floats above the others: Firefox can't. */
function isPageHidden(): boolean {
  return document.hidden && 'pictureInPictureElement' in document;
}

function isPictureInPicture({ element }: Tile): boolean {
  return element.contains(document.pictureInPictureElement ?? null);
}
