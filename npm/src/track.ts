// The browser-side end of a publication: a MediaStreamTrack and the elements that play it.
// A Track outlives changes of its MediaStreamTrack (another device, a camera that was off): elements follow by themselves.

/** Audio or video. */
export type TrackKind = 'audio' | 'video';

/** What plays: starts an element and says when the browser refuses to play sound before a click. @internal */
export interface Playback {
  start(element: HTMLMediaElement): void;
  forget(element: HTMLMediaElement): void;
}

/** One element's stream and whose tracks are in it; made here, so nobody else's stream is touched. */
interface Seat {
  stream: MediaStream;
  audio?: Track;
  video?: Track;
}

const seats = /* @__PURE__ */ new WeakMap<HTMLMediaElement, Seat>();

/** A track that can be shown or heard. */
export abstract class Track {
  /** Audio or video. */
  readonly kind: TrackKind;
  #media: MediaStreamTrack;
  /** What takes its place as soon as there is something of it. */
  #next: MediaStreamTrack | undefined;
  #elements = new Set<HTMLMediaElement>();
  #playback: Playback;
  /** Hears that it plays in other elements than before. @internal */
  onElements: (() => void) | undefined;

  /** @internal */
  constructor(media: MediaStreamTrack, playback: Playback) {
    this.kind = media.kind === 'audio' ? 'audio' : 'video';
    this.#media = media;
    this.#playback = playback;
  }

  /** The browser's own object, for a canvas, an AudioContext, a recorder. For a local track it changes with the device. */
  get mediaStreamTrack(): MediaStreamTrack {
    return this.#media;
  }

  /** The elements this track is attached to. */
  get attachedElements(): readonly HTMLMediaElement[] {
    return [...this.#elements];
  }

  /**
   * Plays in `element`, or in a new `<video>` or `<audio>` that is returned for you to place. Sound plays only through an attached element
   * (an `<audio>` needs no place in the page). One element can hold one audio and one video track. An element of yours keeps its `muted`.
   */
  attach(element: HTMLMediaElement = document.createElement(this.kind)): HTMLMediaElement {
    const seat = seatOf(element);
    if (seat[this.kind] !== this) {
      seat[this.kind]?.detach(element);
      seat[this.kind] = this;
      seat.stream.addTrack(this.#media);
      seats.set(element, seat);
      this.#elements.add(element);
      this.onElements?.();
    }
    element.autoplay = true;
    if (this.kind === 'video') (element as HTMLVideoElement).playsInline = true;
    if (element.srcObject !== seat.stream) element.srcObject = seat.stream;
    this.#playback.start(element);
    return element;
  }

  /** Stops playing in `element`, or everywhere. The element stays in the page: removing it is yours. */
  detach(element?: HTMLMediaElement): void {
    for (const one of element ? [element] : [...this.#elements]) {
      if (!this.#elements.delete(one)) continue;
      this.onElements?.();
      const seat = seats.get(one);
      if (!seat) continue;
      seat.stream.removeTrack(this.#media);
      delete seat[this.kind];
      if (seat.audio || seat.video) continue;
      seats.delete(one);
      if (one.srcObject === seat.stream) one.srcObject = null;
      this.#playback.forget(one);
    }
  }

  /** The same, from its first frame or sound on: until then what there is goes on, if it still does. @internal */
  follow(media: MediaStreamTrack): void {
    if (this.#media.readyState === 'ended' || !this.#elements.size) return this.swap(media);
    const probe = document.createElement('video');
    const swap = (): void => {
      probe.srcObject = null;
      if (this.#next === media) this.swap(media);
    };
    this.#next = media;
    if (this.kind === 'audio') media.onunmute = swap;
    else probe.onloadeddata = swap;
    probe.muted = true;
    probe.srcObject = new MediaStream([media]);
    probe.play().catch(() => undefined);
    setTimeout(swap, 2000); // whatever comes of it
  }

  /** Another source behind the same track; attached elements show it. @internal */
  swap(media: MediaStreamTrack): void {
    this.#next = undefined;
    const before = this.#media;
    this.#media = media;
    for (const element of this.#elements) {
      const stream = seats.get(element)?.stream;
      stream?.removeTrack(before);
      stream?.addTrack(media);
    }
  }
}

/** The seat of `element`; a new one when the app has put something else into the element since. */
function seatOf(element: HTMLMediaElement): Seat {
  const seat = seats.get(element);
  if (seat && element.srcObject === seat.stream) return seat;
  seat?.audio?.detach(element);
  seat?.video?.detach(element);
  return { stream: new MediaStream() };
}

/** One's own track. Attached elements are muted when made here, so that nobody hears oneself. */
export class LocalTrack extends Track {
  override attach(element?: HTMLMediaElement): HTMLMediaElement {
    const target = element ?? document.createElement(this.kind);
    if (!element) target.muted = true;
    return super.attach(target);
  }
}

/** Somebody else's track. */
export class RemoteTrack extends Track {}
