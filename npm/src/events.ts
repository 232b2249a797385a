// Typed events on a real EventTarget: listeners with an undo, and async iterators.

/** What `on` takes besides the listener. */
export interface ListenOptions {
  /** Stops listening when it aborts. */
  signal?: AbortSignal;
  /** Stops listening after the first event. */
  once?: boolean;
}

/**
 * Events that one iterator holds while nobody reads; the oldest go first. Guess: far above any burst seen at join (about four per participant),
 * and still small should an app forget to read.
 */
const MAX_WAITING = 1024;

/** An EventTarget whose events are listed in `Events`, by name. */
export abstract class TypedEventTarget<Events> extends EventTarget {
  #ended = false;
  #onEnd = new Set<() => void>();

  /** Calls `listener` on each event; call the returned function to stop. */
  on<K extends keyof Events & string>(type: K, listener: (event: Events[K]) => void, options: ListenOptions = {}): () => void {
    const unwrap = (event: Event): void => listener((event as CustomEvent<Events[K]>).detail);
    super.addEventListener(type, unwrap, options);
    return () => super.removeEventListener(type, unwrap);
  }

  /**
   * The same events for `for await`. Collects from this call on, ends after `closed`; holds at most 1024 unread events and then drops the oldest.
   */
  events<K extends keyof Events & string>(type: K): AsyncIterableIterator<Events[K]> {
    const waiting: Events[K][] = [];
    const readers: ((result: IteratorResult<Events[K]>) => void)[] = [];
    let ended = this.#ended;

    const end = (): void => {
      ended = true;
      stop();
      this.#onEnd.delete(end);
      for (const read of readers.splice(0)) read({ done: true, value: undefined });
    };
    const stop = this.on(type, (value) => {
      const read = readers.shift();
      if (read) read({ done: false, value });
      else if (waiting.push(value) > MAX_WAITING) waiting.shift();
    });
    if (ended) stop();
    else this.#onEnd.add(end);

    return {
      next: () =>
        new Promise((resolve) => {
          if (waiting.length > 0) resolve({ done: false, value: waiting.shift() as Events[K] });
          else if (ended) resolve({ done: true, value: undefined });
          else readers.push(resolve);
        }),
      return: () => {
        waiting.length = 0;
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The browser's own way to listen; `on` unwraps `event.detail`. */
  override addEventListener<K extends keyof Events & string>(
    type: K,
    listener: ((event: CustomEvent<Events[K]>) => void) | { handleEvent(event: CustomEvent<Events[K]>): void } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** The same for listeners that know no event by name. */
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener as EventListenerOrEventListenerObject | null, options);
  }

  /** Undoes `addEventListener`. */
  override removeEventListener<K extends keyof Events & string>(
    type: K,
    listener: ((event: CustomEvent<Events[K]>) => void) | { handleEvent(event: CustomEvent<Events[K]>): void } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  /** The same for listeners that know no event by name. */
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
  override removeEventListener(type: string, listener: unknown, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener as EventListenerOrEventListenerObject | null, options);
  }

  /** Tells everybody who listens; what a listener throws is reported by the browser and stops nobody else. @internal */
  emit<K extends keyof Events & string>(type: K, detail: Events[K]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** No event comes after this: iterators end once they are read empty. @internal */
  endEvents(): void {
    this.#ended = true;
    for (const end of [...this.#onEnd]) end();
  }
}
