// What the hooks read: one room, or none yet, as an external store of React's. Every change of the room reaches every hook, which compares what
// it shows with what it showed; so the properties of the room stay the one source of truth, and nothing is mirrored that could differ from it.

import type { ConnectOptions, NearcastError, Room, RoomEvents, RoomState, TokenSource } from 'nearcast';

/** What the hooks need of `nearcast` or of `nearcast/slim`. */
export type Sdk = Pick<typeof import('nearcast'), 'connect' | 'devices'> & Partial<Pick<typeof import('nearcast'), 'prepare'>>;

/** Where a `RoomProvider` stands: as the room, and 'idle' before the first attempt or when `join` is false. */
export type ConnectionState = 'idle' | RoomState;

/** How to enter a room. @internal */
export interface Entry {
  url: string;
  token: TokenSource;
  options: Omit<ConnectOptions, 'signal'>;
}

/** What one of the device hooks is doing. @internal */
export interface Doing {
  readonly pending: boolean;
  readonly error: NearcastError | undefined;
}

const idle: Doing = { pending: false, error: undefined };

/** Changes what some hook shows. The others (`data`, `layerchanged` …) are for `useRoomEvent`. */
const shown: readonly (keyof RoomEvents)[] = [
  'statechanged', 'participantjoined', 'participantleft', 'publicationadded', 'publicationremoved', 'publicationmuted', 'tracksubscribed',
  'trackunsubscribed', 'localpublished', 'localunpublished', 'speakerschanged', 'autoplayblocked', 'autoplayresumed', 'quality', 'pathchanged',
];

/** @internal */
export class RoomStore {
  room: Room | undefined;
  state: ConnectionState = 'idle';
  error: NearcastError | undefined;
  /** Loads the SDK: not before there may be a room, or somebody wants a list of devices. */
  readonly sdk: () => Promise<Sdk>;
  #listeners = new Set<() => void>();
  #doing = new Map<string, Doing>();

  constructor(sdk: () => Promise<Sdk>) {
    this.sdk = sdk;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Enters a room; the function returned leaves it, at whatever point that is. */
  enter(read: () => Entry): () => void {
    const stop = new AbortController();
    this.#change({ state: 'connecting', error: undefined });
    this.#connect(read, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) this.#change({ state: 'disconnected', error: error as NearcastError });
    });
    return () => {
      stop.abort();
      this.#change({ room: undefined, state: 'idle' });
    };
  }

  /** Gets ready to enter: what fails here fails again, and is told, when somebody wants to. */
  prepare(): void {
    this.sdk()
      .then(({ prepare }) => prepare?.())
      .catch(() => undefined);
  }

  /** Shows a room that somebody else entered and will leave. */
  adopt(room: Room): () => void {
    const stop = new AbortController();
    this.#follow(room, stop.signal);
    return () => {
      stop.abort();
      this.#change({ room: undefined, state: 'idle' });
    };
  }

  doing(what: string): Doing {
    return this.#doing.get(what) ?? idle;
  }

  /** One step at a time for each source, whichever component asks; what fails is shown and not thrown. */
  async once(what: string, step: (room: Room) => Promise<unknown>): Promise<void> {
    const { room } = this;
    if (!room || this.doing(what).pending) return;
    const set = (doing: Doing): void => {
      this.#doing.set(what, doing);
      this.#tell();
    };
    set({ pending: true, error: undefined });
    await step(room).then(
      () => set(idle),
      (error: unknown) => set({ pending: false, error: error as NearcastError }),
    );
  }

  async #connect(read: () => Entry, signal: AbortSignal): Promise<void> {
    // A component that is mounted twice (StrictMode) is unmounted before this answers: of the first mount, no edge ever hears.
    const { connect } = await this.sdk();
    if (signal.aborted) return;
    const { url, token, options } = read();
    const room = await connect(url, token, { ...options, signal });
    if (signal.aborted) return room.leave();
    signal.addEventListener('abort', () => void room.leave());
    this.#follow(room, signal);
  }

  #follow(room: Room, signal: AbortSignal): void {
    const follow = (): void => this.#change({ state: room.state });
    const undo = shown.map((type) => room.on(type, follow));
    undo.push(room.on('closed', ({ error }) => this.#change({ state: room.state, error })));
    signal.addEventListener('abort', () => undo.forEach((stop) => stop()));
    this.#doing.clear();
    this.#change({ room, state: room.state, error: undefined });
  }

  #change(change: Partial<Pick<RoomStore, 'room' | 'state' | 'error'>>): void {
    Object.assign(this, change);
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
