// Stand-ins for what only browsers have, as far as the façade looks at it.

/** A MediaStreamTrack. */
export class FakeTrack extends EventTarget {
  static next = 1;
  enabled = true;
  muted = false;
  readyState = 'live';
  contentHint = '';

  constructor(kind) {
    super();
    this.kind = kind;
    this.id = `track-${FakeTrack.next++}`;
  }

  stop() {
    this.readyState = 'ended';
  }

  /** Another program takes the device, or gives it back. */
  interrupt(muted) {
    this.muted = muted;
    this.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
  }

  /** The device goes away: unlike stop(), this is told. */
  end() {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

/** A page, as far as it is looked at: in front or not. */
export class FakeDocument extends EventTarget {
  hidden = false;

  show(visible) {
    this.hidden = !visible;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

/** A MediaStream. */
export class FakeStream {
  #tracks;

  constructor(tracks = []) {
    this.#tracks = new Set(tracks);
  }

  addTrack(track) {
    this.#tracks.add(track);
  }

  removeTrack(track) {
    this.#tracks.delete(track);
  }

  getTracks() {
    return [...this.#tracks];
  }

  getAudioTracks() {
    return this.getTracks().filter((track) => track.kind === 'audio');
  }

  getVideoTracks() {
    return this.getTracks().filter((track) => track.kind === 'video');
  }
}

/** A media element. `refuse`: what play() rejects with. */
export class FakeElement {
  srcObject = null;
  autoplay = false;
  muted = false;
  plays = 0;
  refuse = undefined;

  play() {
    this.plays += 1;
    return this.refuse ? Promise.reject(this.refuse) : Promise.resolve();
  }
}

/** An RTCRtpSender. */
export class FakeSender {
  constructor(track) {
    this.track = track;
  }

  async replaceTrack(track) {
    this.track = track;
  }
}

/** A wasm core: notes what it is asked, and lets the test answer through `host`. */
export class FakeCore {
  static last;
  calls = [];
  freed = 0;

  constructor(host, autoSubscribe, joinTimeoutMs, giveUpAfterMs, client, configuration) {
    FakeCore.last = this;
    Object.assign(this, { host, autoSubscribe, joinTimeoutMs, giveUpAfterMs, client, configuration });
    for (const name of ['start', 'token', 'publish', 'unpublish', 'mute', 'moderate', 'subscribe', 'wish', 'stats', 'networkAvailable', 'iceServer', 'pageHidden', 'adaptNothing', 'directLimit', 'trackReplaced']) {
      this[name] = (...args) => void this.calls.push([name, ...args]);
    }
  }

  leave() {
    this.calls.push(['leave']);
    this.host.stateChanged('disconnected', 'left');
    this.host.closed(undefined, '', false, undefined);
  }

  sendData(...args) {
    this.calls.push(['sendData', ...args]);
    return this.refuseData;
  }

  /** A call that ended says so. */
  trace() {
    return new Uint8Array([1, 2, 250, this.named('leave').length]);
  }

  free() {
    this.freed += 1;
  }

  named(name) {
    return this.calls.filter(([call]) => call === name).map(([, ...args]) => args);
  }

  /** Lets the façade in: ada is there with a camera. */
  join() {
    this.host.joined('room', 'me-1', 'me', 'Me', undefined);
    this.host.participantJoined('ada-1', 'ada', 'Ada', 'host');
    this.host.publicationAdded('ada-1', 'cam', true, 'camera', '', false, true);
    this.host.stateChanged('connected', 'joined');
  }
}

/** Glue around FakeCore. */
export const fakeGlue = () => ({ default: async () => undefined, Core: FakeCore, onPanic() {} });

/** Puts stand-ins into the global object for one test. */
export function withGlobals(test, globals) {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    test.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
  }
}

/** Lets what is due now happen: promises, and timers of no length. */
export const settle = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Where `scripts/test.mjs` puts the modules. */
export const load = (name) => import(new URL(`../node_modules/.cache/nearcast/esm/${name}.js`, import.meta.url).href);

/** A judgement as the core tells it: 28 numbers. */
export const judged = (subject, score, level, { cause = 0, action = 0, layer = NaN, points = [], evidence = [] } = {}) => {
  const numbers = new Float32Array(28).fill(NaN);
  numbers.set([subject, score, level, cause, action, layer, ...Array.from({ length: 8 }, (_, term) => points[term] ?? 0), ...evidence]);
  return [...numbers];
};
