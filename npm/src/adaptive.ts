// Adaptive stream: what of a remote picture is worth sending, read off the elements that show it. Nothing is sent that nobody can see, and
// no more than the largest element has pixels.
//
// Not here: what the app says itself (RemotePublication lays it over this), collecting wishes (client-core), choosing a layer (the edge).

import type { RemoteTrack } from './track.js';

/** What a change for less must last before it is told; one for more is told at once. A drag passes many sizes, and a list that scrolls shows a tile again in a moment. As LiveKit. */
const LESS_AFTER_MS = 100;

/** A tab in the background for so long shows nothing: most who look elsewhere are back sooner. As LiveKit. */
const BACKGROUND_AFTER_MS = 5000;

/** Until the browser has measured an element. The smallest picture of most cameras. */
const UNMEASURED = { width: 320, height: 180 };

/** What is told of a picture, as in VideoPreferences. */
interface Shown {
  width: number;
  height: number;
  visible: boolean;
}

/** One element that plays a picture. */
interface Sight {
  /** CSS pixels; undefined until measured. */
  size?: { readonly width: number; readonly height: number };
  /** Within the page's view, as far as one knows. */
  inView: boolean;
  /** The window above all others that plays it instead. */
  floating?: PictureInPictureWindow | undefined;
}

/** Whether this browser can say how an element is shown. @internal */
export const canAdapt = (): boolean => typeof ResizeObserver === 'function' && typeof IntersectionObserver === 'function';

/** All pictures of a session. @internal */
export class AdaptiveStream {
  readonly #pictures = new Map<RemoteTrack, Picture>();
  #background = false;

  /** Until `signal` aborts. */
  constructor(signal: AbortSignal) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const setBackground = (background: boolean): void => {
      this.#background = background;
      this.#look();
    };
    const follow = (): void => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(setBackground, BACKGROUND_AFTER_MS, true);
      else setBackground(false);
    };
    document.addEventListener('visibilitychange', follow, { signal });
    // Another zoom or another screen: the same CSS pixels are more or fewer pixels now.
    globalThis.addEventListener('resize', () => this.#look(), { signal });
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      for (const track of this.#pictures.keys()) this.forget(track);
    });
    follow();
  }

  /** Tells how `track` is shown, from now on. */
  watch(track: RemoteTrack, tell: (shown: Shown) => void): void {
    this.#pictures.set(track, new Picture(track, tell, () => this.#background));
  }

  /** Tells nothing more. */
  forget(track: RemoteTrack): void {
    this.#pictures.get(track)?.end();
    this.#pictures.delete(track);
  }

  #look(): void {
    for (const picture of this.#pictures.values()) picture.look();
  }
}

/** One track and the elements that it is attached to. */
class Picture {
  readonly #track: RemoteTrack;
  readonly #tell: (shown: Shown) => void;
  readonly #isBackground: () => boolean;
  readonly #sights = new Map<Element, Sight>();
  #told: Shown = { ...UNMEASURED, visible: true };
  #later: ReturnType<typeof setTimeout> | undefined;

  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) this.#change(target, { size: contentRect });
  });
  readonly #views = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.#change(target, { inView: isIntersecting });
  });

  constructor(track: RemoteTrack, tell: (shown: Shown) => void, isBackground: () => boolean) {
    this.#track = track;
    this.#tell = tell;
    this.#isBackground = isBackground;
    track.onElements = () => this.#meet();
    tell(this.#told);
    this.#meet();
  }

  end(): void {
    clearTimeout(this.#later);
    this.#track.onElements = undefined;
    for (const element of [...this.#sights.keys()]) this.#leave(element);
  }

  /** Tells more at once, and less when it has been less for a moment. */
  look(): void {
    clearTimeout(this.#later);
    const now = this.#shown();
    const { width, height, visible } = this.#told;
    if (now.visible === visible && now.width === width && now.height === height) return;
    if (area(now) > area(this.#told)) this.#say(now);
    else this.#later = setTimeout(() => this.#say(now), LESS_AFTER_MS);
  }

  #say(shown: Shown): void {
    this.#told = shown;
    this.#tell(shown);
  }

  /** The largest picture that anybody can see; none: the size stays, so that it comes back at that. */
  #shown(): Shown {
    let best: Shown = { ...this.#told, visible: false };
    for (const [element, sight] of this.#sights) {
      const shown = this.#shownIn(element, sight);
      if (area(shown) > area(best)) best = shown;
    }
    return best;
  }

  #shownIn(element: Element, { size, inView, floating }: Sight): Shown {
    // An element that lies in a window of its own (Document Picture-in-Picture) is seen while that is. A browser that cannot say which element
    // floats (Firefox) may have one floating above other tabs.
    const { hidden, pictureInPictureElement } = element.ownerDocument;
    const isAway = hidden && this.#isBackground() && pictureInPictureElement !== undefined;
    const inCss = floating ?? size;
    if (!inCss) return { ...UNMEASURED, visible: inView && !isAway };
    const { width, height } = inCss;
    return { width: width * devicePixelRatio, height: height * devicePixelRatio, visible: floating !== undefined || (inView && !isAway) };
  }

  /** The elements are others now. */
  #meet(): void {
    const present = new Set<Element>(this.#track.attachedElements);
    for (const element of [...this.#sights.keys()]) if (!present.has(element)) this.#leave(element);
    for (const element of present) if (!this.#sights.has(element)) this.#enter(element);
    this.look();
  }

  #enter(element: Element): void {
    this.#sights.set(element, { inView: true });
    this.#sizes.observe(element);
    this.#views.observe(element);
    element.addEventListener('enterpictureinpicture', this.#onFloat);
    element.addEventListener('leavepictureinpicture', this.#onLand);
  }

  #leave(element: Element): void {
    this.#sights.delete(element);
    this.#sizes.unobserve(element);
    this.#views.unobserve(element);
    element.removeEventListener('enterpictureinpicture', this.#onFloat);
    element.removeEventListener('leavepictureinpicture', this.#onLand);
  }

  #change(element: Element, change: Partial<Sight>): void {
    const sight = this.#sights.get(element);
    if (!sight) return; // left, while the browser was about to report
    Object.assign(sight, change);
    this.look();
  }

  #onFloat = (event: Event): void => {
    const floating = (event as PictureInPictureEvent).pictureInPictureWindow;
    floating.onresize = () => this.look();
    this.#change(event.target as Element, { floating });
  };

  #onLand = (event: Event): void => this.#change(event.target as Element, { floating: undefined });
}

/** Pixels that are seen. */
const area = ({ width, height, visible }: Shown): number => (visible ? width * height : 0);
