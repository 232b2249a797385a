// The statistics overlay: asks the room once a second while it is open, and writes rows on every tile.
import type { Room, TrackStats } from 'nearcast';
import type { People } from './people.ts';
import { bitrate, statsRows } from './stats-rows.ts';

/** The SDK's own sampling is about as fine; faster only makes the figures hard to read. */
const INTERVAL_MS = 1000;

export class StatsOverlay {
  readonly #room: Room;
  readonly #people: People;
  readonly #summary: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false;

  constructor(room: Room, people: People, summary: HTMLElement, signal: AbortSignal) {
    this.#room = room;
    this.#people = people;
    this.#summary = summary;
    signal.addEventListener('abort', () => this.#close());
  }

  /** Opens or closes it; true when it is open now. */
  toggle(): boolean {
    if (this.#open) this.#close();
    else {
      this.#open = true;
      void this.#refresh();
    }
    return this.#open;
  }

  #close(): void {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#summary.hidden = true;
    for (const { tile } of this.#people.tiles()) tile.showStats([]);
  }

  async #refresh(): Promise<void> {
    try {
      const { rttMs, availableOutgoingBitrate, transport, publications, subscriptions } = await this.#room.stats();
      if (!this.#open) return;
      const byPublication = new Map<string, TrackStats>([...publications, ...subscriptions].map((stats) => [stats.publication, stats]));
      for (const { tile, video, audio, layer, path } of this.#people.tiles()) {
        tile.showStats(statsRows(byPublication.get(video ?? ''), byPublication.get(audio ?? ''), rttMs, layer, path));
      }
      const incoming = this.#room.availableIncomingBitrate;
      const parts = [
        rttMs === undefined ? undefined : `${Math.round(rttMs)} ms`,
        availableOutgoingBitrate === undefined ? undefined : `↑ ${bitrate(availableOutgoingBitrate)} available`,
        incoming === undefined ? undefined : `↓ ${bitrate(incoming)} available`,
        transport.protocol?.toUpperCase(),
        transport.srtpCipher,
      ];
      this.#summary.textContent = parts.filter(Boolean).join(' · ');
      this.#summary.hidden = this.#summary.textContent === '';
    } catch (error) {
      // While reconnecting there may be nothing to measure. The overlay tries again; it isn't worth a toast a second.
      console.debug('nearcast demo: no statistics:', error);
    }
    if (this.#open) this.#timer = setTimeout(() => void this.#refresh(), INTERVAL_MS);
  }
}
