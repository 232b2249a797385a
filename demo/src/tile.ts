// One tile: a person (camera, sound, name) or something a person shows. It knows the page and a track, not the room.
import type { Source, Track } from 'nearcast';
import { clone, find, setLabel } from './dom.ts';
import type { StatsRow } from './stats-rows.ts';
import { addOutput, removeOutput } from './speaker.ts';

export interface TileOptions {
  /** Shown, and `data-participant`. */
  name: string;
  source: Source;
  isSelf: boolean;
}

export class Tile {
  readonly element: HTMLElement;
  readonly source: Source;
  readonly isSelf: boolean;
  /** Set by the grid. */
  onPin: () => void = () => {};
  #onStaged: (staged: boolean) => void = () => {};
  readonly #video: HTMLVideoElement;
  readonly #muted: Element;
  readonly #stats: HTMLElement;
  readonly #paused: HTMLElement;
  readonly #pin: HTMLButtonElement;
  readonly #name: string;
  #picture: Track | undefined;
  #staged = false;
  readonly #sounds = new Map<Track, HTMLAudioElement>();

  constructor({ name, source, isSelf }: TileOptions) {
    this.element = clone('tile-template');
    this.source = source;
    this.isSelf = isSelf;
    this.#name = name;
    this.#video = find('video', HTMLVideoElement, this.element);
    this.#muted = find('.tile-muted', SVGElement, this.element);
    this.#stats = find('.tile-stats', HTMLElement, this.element);
    this.#paused = find('.tile-paused', HTMLElement, this.element);
    this.#pin = find('.tile-pin', HTMLButtonElement, this.element);

    const label = labelOf(name, source, isSelf);
    this.element.dataset.participant = name;
    this.element.dataset.source = source;
    if (isSelf) this.element.dataset.self = '';
    this.element.setAttribute('aria-label', label);
    find('.tile-name', HTMLElement, this.element).textContent = label;
    find('.tile-avatar', HTMLElement, this.element).textContent = initials(name);
    this.element.style.setProperty('--hue', String(hue(name)));
    this.#pin.addEventListener('click', () => this.onPin());
    this.element.addEventListener('dblclick', () => this.onPin());
    this.setPinned(false);
    // A telephone held upright: cropping it to a landscape tile would leave a strip of the face.
    this.#video.addEventListener('resize', () => {
      this.element.toggleAttribute('data-portrait', this.#video.videoHeight > this.#video.videoWidth);
    });
  }

  /** Shows a picture, or none. The initials lie behind it: they show until its first frame has come. The `<video>` itself always stays. */
  showPicture(track: Track | undefined): void {
    if (this.#picture !== track) this.#picture?.detach(this.#video);
    if (track) {
      track.attach(this.#video); // attaching again is harmless, and follows a switched device
      // People know themselves from mirrors; a camera that looks away from them, or a screen, is no mirror.
      const mirrored = this.isSelf && this.source === 'camera' && track.mediaStreamTrack.getSettings().facingMode !== 'environment';
      this.element.toggleAttribute('data-mirrored', mirrored);
    }
    this.#picture = track;
    this.#video.hidden = !track;
    if (!track) this.showPaused(undefined);
  }

  addSound(track: Track): void {
    if (this.#sounds.has(track)) return;
    const output = track.attach();
    if (!(output instanceof HTMLAudioElement)) return;
    this.#sounds.set(track, output);
    this.element.append(output);
    addOutput(output);
  }

  removeSound(track: Track): void {
    const output = this.#sounds.get(track);
    if (!output) return;
    this.#sounds.delete(track);
    track.detach(output);
    removeOutput(output);
    output.remove();
  }

  setMuted(muted: boolean): void {
    this.#muted.toggleAttribute('hidden', !muted);
  }

  setSpeaking(speaking: boolean): void {
    this.element.toggleAttribute('data-speaking', speaking);
  }

  setPinned(pinned: boolean): void {
    this.#pin.setAttribute('aria-pressed', String(pinned));
    setLabel(this.#pin, pinned ? `Unpin ${this.#name}` : `Pin ${this.#name} to the stage`);
  }

  /** Hears whether the tile is on the stage, now and whenever that changes. */
  set onStaged(listener: (staged: boolean) => void) {
    this.#onStaged = listener;
    listener(this.#staged);
  }

  /** Shown larger than the others. */
  setStaged(staged: boolean): void {
    if (this.#staged === staged) return;
    this.#staged = staged;
    this.#onStaged(staged);
  }

  /** The edge sends nothing of the picture for now: why. */
  showPaused(words: string | undefined): void {
    this.element.toggleAttribute('data-paused', words !== undefined);
    this.#paused.hidden = words === undefined;
    this.#paused.textContent = words ?? '';
  }

  /** Rows of the statistics overlay; none hides it. */
  showStats(rows: readonly StatsRow[]): void {
    this.#stats.hidden = rows.length === 0;
    this.#stats.replaceChildren(
      ...rows.flatMap(([label, value]) => {
        const term = document.createElement('dt');
        const detail = document.createElement('dd');
        term.textContent = label;
        detail.textContent = value;
        return [term, detail];
      }),
    );
  }

  /** Lets go of every track; the grid takes the element away. */
  close(): void {
    this.showPicture(undefined);
    for (const track of [...this.#sounds.keys()]) this.removeSound(track);
  }
}

function labelOf(name: string, source: Source, isSelf: boolean): string {
  if (source === 'screen') return isSelf ? 'Your screen' : `${name}’s screen`;
  return isSelf ? `${name} (you)` : name;
}

/** First letters of the first and the last word. Array.from splits by character, not by half of an emoji. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => Array.from(word ?? '')[0] ?? '');
  return letters.join('').toLocaleUpperCase() || '?';
}

/** A colour that stays with the name; any spread over the circle will do. */
function hue(name: string): number {
  return Array.from(name).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 0);
}
