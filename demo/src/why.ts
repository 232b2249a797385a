// The "why?" panel: how the call has been for five minutes, what was decided in them and why, and a button that saves the trace.
// `quality`, `adapted` and `exportTrace` are looked for: an older SDK has a smaller panel.
import type { Participant, Publication, Room } from 'nearcast';
import { clone, find } from './dom.ts';
import { bitrate } from './stats-rows.ts';
import { saveFile } from './save-file.ts';
import { showError } from './toasts.ts';
import { axisTop, curve, PLOT } from './why-plot.ts';
import { type Decision, History, type Reading, SPAN_MS } from './why-series.ts';
import { layerInWords, otherInWords, pathInWords, stateInWords } from './why-words.ts';

const INTERVAL_MS = 1000;

/** A figure with one curve or two. */
interface Plot {
  title: string;
  /** Two at most: they have a colour each. */
  curves: readonly { name: string; of: (reading: Reading) => number | undefined }[];
  words: (value: number) => string;
  /** The axis goes up to here at least. */
  least: number;
}

const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

const PLOTS: readonly Plot[] = [
  {
    title: 'Bitrate',
    curves: [{ name: 'in', of: ({ incoming }) => incoming }, { name: 'out', of: ({ outgoing }) => outgoing }],
    words: (value) => bitrate(value) ?? '',
    least: 100_000,
  },
  { title: 'Loss', curves: [{ name: 'in', of: ({ lossIn }) => lossIn }, { name: 'out', of: ({ lossOut }) => lossOut }], words: percent, least: 0.05 },
  { title: 'Round trip', curves: [{ name: '', of: ({ rtt }) => rtt }], words: (value) => `${Math.round(value)} ms`, least: 50 },
  { title: 'Score', curves: [{ name: '', of: ({ score }) => score }], words: (value) => String(Math.round(value)), least: 100 },
];

/** What newer SDKs have beside `Room`. */
interface Newer {
  quality?: { score?: unknown };
  exportTrace?: () => Promise<unknown>;
}

export class WhyPanel {
  readonly #room: Room;
  readonly #panel = find('#why', HTMLElement);
  readonly #decisions = find('#why-decisions', HTMLElement);
  readonly #plots: PlotView[];
  readonly #history = new History();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(room: Room, signal: AbortSignal) {
    this.#room = room;
    this.#panel.hidden = true;
    this.#decisions.replaceChildren();
    this.#plots = PLOTS.map((plot) => new PlotView(plot));
    find('#why-plots', HTMLElement).replaceChildren(...this.#plots.map(({ root }) => root));

    room.on('statechanged', ({ state, reason }) => this.#decided(stateInWords(state, reason)), { signal });
    room.on('layerchanged', ({ participant, publication, layer }) => this.#decided(layerInWords(named(participant, publication), layer)), { signal });
    room.on('pathchanged', ({ participant, path, reason }) => this.#decided(pathInWords(participant.name, path, reason)), { signal });
    for (const type of ['quality', 'adapted']) {
      const heard = (event: Event): void => this.#other(type, (event as CustomEvent<unknown>).detail);
      (room as EventTarget).addEventListener(type, heard, { signal });
    }
    const save = find('#why-save', HTMLButtonElement);
    save.hidden = !('exportTrace' in room);
    save.addEventListener('click', () => this.#save().catch(showError), { signal });
    signal.addEventListener('abort', () => {
      this.#ended = true;
      clearTimeout(this.#timer);
    });
    void this.#read();
  }

  get isOpen(): boolean {
    return !this.#panel.hidden;
  }

  /** Opens or closes it; true when it is open now. */
  toggle(): boolean {
    this.#panel.hidden = !this.#panel.hidden;
    if (this.isOpen) {
      this.#draw();
      for (const decision of this.#history.decisions) this.#list(decision);
    } else this.#decisions.replaceChildren();
    return this.isOpen;
  }

  /** All through the call: what one asks about has happened already. */
  async #read(): Promise<void> {
    try {
      const stats = await this.#room.stats();
      const { quality } = this.#room as Newer;
      this.#history.read(performance.now(), stats, typeof quality?.score === 'number' ? quality.score : undefined);
    } catch (error) {
      // Between two transports there is nothing to measure: a gap in the curves says so.
      console.debug('nearcast demo: no statistics:', error);
      this.#history.miss(performance.now());
    }
    if (this.isOpen) this.#draw();
    if (!this.#ended) this.#timer = setTimeout(() => void this.#read(), INTERVAL_MS);
  }

  #other(type: string, detail: unknown): void {
    const { participant, publication, quality } = (detail ?? {}) as { participant?: Participant; publication?: Publication; quality?: unknown };
    const whose = participant ? named(participant, publication) : publication ? publication.source : 'Your connection';
    this.#decided(otherInWords(type, whose, quality ?? detail));
  }

  #decided(words: { what: string; why: string }): void {
    const decision = { at: performance.now(), ...words };
    this.#history.decide(decision);
    if (this.isOpen) this.#list(decision);
  }

  #list({ at, what, why }: Decision): void {
    const item = clone('why-decision-template');
    find('time', HTMLTimeElement, item).textContent = new Date(performance.timeOrigin + at).toLocaleTimeString();
    find('.why-what', HTMLElement, item).textContent = what;
    find('.why-why', HTMLElement, item).textContent = why;
    this.#decisions.prepend(item);
    while (this.#decisions.childElementCount > this.#history.decisions.length) this.#decisions.lastElementChild?.remove();
  }

  #draw(): void {
    const now = performance.now();
    for (const plot of this.#plots) plot.draw(this.#history.readings, now);
  }

  async #save(): Promise<void> {
    const trace = await (this.#room as Newer).exportTrace?.();
    saveFile(`nearcast-trace-${new Date().toISOString().replaceAll(':', '-')}.json`, JSON.stringify(trace));
  }
}

/** One figure in the page. */
class PlotView {
  readonly root = clone('why-plot-template');
  readonly #plot: Plot;
  readonly #paths: SVGPathElement[];

  constructor(plot: Plot) {
    this.#plot = plot;
    find('.why-title', HTMLElement, this.root).textContent = plot.title;
    const drawing = find('svg', SVGSVGElement, this.root);
    drawing.setAttribute('viewBox', `0 0 ${PLOT.width} ${PLOT.height}`);
    this.#paths = plot.curves.map(() => document.createElementNS('http://www.w3.org/2000/svg', 'path'));
    drawing.replaceChildren(...this.#paths);
  }

  draw(readings: readonly Reading[], now: number): void {
    const { curves, words, least, title } = this.#plot;
    const values = curves.map(({ of }) => readings.map((reading) => [reading.at, of(reading)] as const));
    const known = values.flat().flatMap(([, value]) => (value === undefined ? [] : [value]));
    // Nothing was ever known of it: no score from an SDK that gives none.
    this.root.hidden = known.length === 0;
    const top = axisTop(Math.max(0, ...known), least);
    for (const [index, path] of this.#paths.entries()) path.setAttribute('d', curve(values[index] ?? [], now, SPAN_MS, top));
    const latest = curves.map(({ name, of }) => {
      const value = readings.length > 0 ? of(readings[readings.length - 1] as Reading) : undefined;
      return [name, value === undefined ? '–' : words(value)].filter(Boolean).join(' ');
    });
    for (const [index, value] of [...this.root.querySelectorAll('.why-value')].entries()) value.textContent = latest[index] ?? '';
    find('.why-top', HTMLElement, this.root).textContent = words(top);
    find('svg', SVGSVGElement, this.root).setAttribute('aria-label', `${title} over five minutes, now ${latest.join(', ')}`);
  }
}

function named(participant: Participant, publication?: Publication): string {
  const name = participant.name || participant.identity;
  return publication ? `${name}'s ${publication.source}` : name;
}
