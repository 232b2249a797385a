// Sound and the browser's autoplay rule: which elements may not play before a click, and playing them after one.

import { nearcastError } from './errors.js';
import type { Playback } from './track.js';

/**
 * Starts elements and remembers those that the browser refused.
 *
 * @internal
 */
export class AudioPlayback implements Playback {
  #blocked = new Set<HTMLMediaElement>();
  #onChange: (blocked: boolean) => void;

  constructor(onChange: (blocked: boolean) => void) {
    this.#onChange = onChange;
  }

  get blocked(): boolean {
    return this.#blocked.size > 0;
  }

  start(element: HTMLMediaElement): void {
    element.play().then(
      () => this.forget(element),
      (cause: unknown) => {
        // Any other refusal ends by itself: AbortError when the source changes while it loads.
        if (!(cause instanceof DOMException) || cause.name !== 'NotAllowedError') return;
        const first = !this.blocked;
        this.#blocked.add(element);
        if (first) this.#onChange(true);
      },
    );
  }

  forget(element: HTMLMediaElement): void {
    if (this.#blocked.delete(element) && !this.blocked) this.#onChange(false);
  }

  /** Plays all that was refused. Rejects with `play-blocked` when the browser still doesn't want to. */
  async resume(): Promise<void> {
    const results = await Promise.allSettled([...this.#blocked].map((element) => element.play().then(() => this.forget(element))));
    const refused = results.find((result) => result.status === 'rejected');
    if (refused && this.blocked) throw nearcastError('play-blocked', { cause: refused.reason });
  }

  clear(): void {
    this.#blocked.clear();
  }
}
