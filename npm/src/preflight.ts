// `import { preflight } from 'nearcast/preflight'`: tries everything that a call needs, before the call, and says what to do about what fails.
//
// An entry of its own: a page that doesn't use it doesn't load it. It needs no core either: it speaks JSON to the edge (docs/signalling.md) over a
// bare RTCPeerConnection. The heartbeats that the edge sends back measure loss and round trip; with payload, which it doesn't send back, the way up.

import { signalAddress } from './address.js';
import { deviceError, nearcastError } from './errors.js';

/** What is tried, in this order. */
export type PreflightCheckName =
  /** The edge's signalling is reached. */
  | 'websocket'
  /** The edge takes the token. */
  | 'token'
  /** Media reaches the edge by the shortest way. */
  | 'udp'
  /** A TURN server, or where UDP fails the edge itself, is reached over TCP or TLS: the way around firewalls that let no UDP through. */
  | 'tcp'
  /** A TURN server is reached over UDP. */
  | 'turn'
  /** How much gets lost, there and back: a share, 0 to 1. */
  | 'loss'
  /** Round trip to the edge, median; milliseconds. */
  | 'rtt'
  /** What the way to the edge carries; bits per second, at most about 8 million. */
  | 'throughput'
  /** A microphone can be opened. */
  | 'microphone'
  /** A camera can be opened. */
  | 'camera';

/** One thing that is tried. */
export interface PreflightCheck {
  /** Which. */
  readonly name: PreflightCheckName;
  /** `skipped`: it wasn't asked for, or what it builds on has failed. */
  readonly status: 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
  /** What was measured, in the unit of its name. */
  readonly value?: number;
  /** Why it failed and what helps, or why it was skipped: words for people. */
  readonly remedy?: string;
}

/** How it went. */
export interface PreflightReport {
  /** A call will work: of `udp`, `tcp` and `turn` one has passed, and of the rest nothing has failed. */
  readonly ok: boolean;
  /** Everything, in order. */
  readonly checks: readonly PreflightCheck[];
}

/** Options of `preflight`. */
export interface PreflightOptions {
  /** Called with all checks whenever one of them has changed. */
  onProgress?: (checks: readonly PreflightCheck[]) => void;
  /** Open microphone and camera for a moment, for which the browser may ask the person. Default true. */
  devices?: boolean;
  /** Ends it early: `preflight` rejects with its reason. */
  signal?: AbortSignal;
}

interface Server {
  urls: string[];
  username: string | null;
  credential: string | null;
}
interface Joined {
  answer: { sdp: string };
  ice_servers: Server[];
}
interface Reply {
  type: string;
  error?: { code: string; message: string; edge?: string | null };
}

const names: readonly PreflightCheckName[] = ['websocket', 'token', 'udp', 'tcp', 'turn', 'loss', 'rtt', 'throughput', 'microphone', 'camera'];

const SOCKET_MS = 8000;
/** ICE and DTLS over a bad network, and half of what a browser takes to give up. */
const TRANSPORT_MS = 8000;
const RELAY_MS = 5000;
/** The edge answers twenty a second. */
const BEAT_EVERY_MS = 60;
const BEATS = 50;
/** For the last ones to come back. */
const GRACE_MS = 700;
const BULK = 18;
const BULK_BYTES = 60 * 1024;
const BULK_MS = 5000;
/** Voices suffer from more. */
const MOST_LOSS = 0.05;
/** People begin to talk into each other: ITU-T G.114 wants 150 ms one way. */
const MOST_RTT_MS = 300;
/** A small picture and a voice. */
const LEAST_BITS = 300_000;

/**
 * Tries what a call needs: takes about five seconds, ten where something is blocked. Rejects only with the reason of `signal`; what fails is in the
 * report. The token should be for a room that nobody else is in, since it enters for a moment, and for an identity that isn't in a call.
 *
 * ```ts
 * const { ok, checks } = await preflight('https://edge.example', token, { onProgress: show });
 * for (const { name, remedy } of checks.filter(({ status }) => status === 'failed')) console.warn(name, remedy);
 * ```
 */
export async function preflight(url: string, token: string, options: PreflightOptions = {}): Promise<PreflightReport> {
  const { devices = true, signal, onProgress } = options;
  const undo: (() => void)[] = [];
  const checks = new Map<PreflightCheckName, PreflightCheck>(names.map((name) => [name, { name, status: 'waiting' }]));
  const list = (): PreflightCheck[] => [...checks.values()];
  const set = (name: PreflightCheckName, status: PreflightCheck['status'], more: Partial<PreflightCheck> = {}): void => {
    checks.set(name, { name, status, ...more });
    if (!signal?.aborted) onProgress?.(list());
  };
  const skip = (remedy: string, ...which: PreflightCheckName[]): void => which.forEach((name) => set(name, 'skipped', { remedy }));
  /** Tries it; what it throws is the remedy. Whether it passed. */
  const check = async (name: PreflightCheckName, attempt: () => Promise<number | void>): Promise<boolean> => {
    set(name, 'running');
    try {
      const value = await attempt();
      set(name, 'passed', value === undefined ? {} : { value });
      return true;
    } catch (error) {
      const value = error instanceof Missed ? { value: error.value } : {};
      set(name, 'failed', { remedy: error instanceof Error ? error.message : String(error), ...value });
      return false;
    }
  };

  const network = async (): Promise<void> => {
    const rest = names.slice(2, 8);
    if (typeof RTCPeerConnection !== 'function') {
      await check('websocket', () => Promise.reject(nearcastError('webrtc-unsupported')));
      return skip('There is no WebRTC here.', 'token', ...rest);
    }
    let socket!: WebSocket;
    const open = (address: string): Promise<unknown> => {
      const opening = new WebSocket(address, 'nearcast.v1.json');
      socket = opening;
      undo.push(() => opening.close());
      return within(SOCKET_MS, heard(opening, 'open', 'error'), `${address} was not reached. Check the address; else a firewall or proxy may block WebSockets: allow wss to it.`);
    };
    const reached = await check('websocket', async () => {
      await open(signalAddress(url));
    });
    if (!reached) return skip('The edge was not reached.', 'token', ...rest);

    const transport = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    undo.push(() => transport.close());
    const [reliable, lossy] = [{}, { ordered: false, maxRetransmits: 0 }].map((how, id) => {
      const channel = transport.createDataChannel(id ? 'lossy' : 'reliable', { negotiated: true, id, ...how });
      channel.binaryType = 'arraybuffer';
      return channel;
    }) as [RTCDataChannel, RTCDataChannel];
    let joined!: Joined;
    const admitted = await check('token', async () => {
      await transport.setLocalDescription();
      undo.unshift(() => socket.send('{"id":0,"type":"leave"}'));
      const join = JSON.stringify({ type: 'join', id: 1, token, auto_subscribe: false, offer: { sdp: transport.localDescription?.sdp, publish: [] } });
      const ask = async (): Promise<Reply> => {
        const answer = heard<MessageEvent<string>>(socket, 'message', 'close');
        socket.send(join);
        return JSON.parse((await within(SOCKET_MS, answer, 'The edge does not answer. Try again, or another edge.')).data) as Reply;
      };
      let reply = await ask();
      // The room is on another edge of the cluster.
      for (let time = 0; reply.error?.edge && time < 4; time++) {
        await open(signalAddress(reply.error.edge));
        reply = await ask();
      }
      if (reply.error) throw new Error(reply.error.message || nearcastError(reply.error.code as never).message);
      joined = reply as Reply & Joined;
    });
    if (!admitted) return skip('The edge did not let us in.', ...rest);

    const servers = joined.ice_servers;
    // What the edge takes over TCP (RFC 6544) is kept back until UDP has had its chance.
    const overTcp: readonly string[] = joined.answer.sdp.match(/^a=candidate:\S+ \d+ tcp .*$/gim) ?? [];
    const relays = (name: 'tcp' | 'turn', usable: (address: string) => boolean): Promise<unknown> => {
      const theirs = servers.map((server) => ({ ...server, urls: server.urls.filter(usable) })).filter(({ urls }) => urls.length > 0);
      if (theirs.length === 0) return Promise.resolve(skip(`The edge names no TURN server over ${name === 'tcp' ? 'TCP or TLS' : 'UDP'}.`, name));
      return check(name, () => relayed(theirs, undo));
    };
    const [udp] = await Promise.all([
      check('udp', async () => {
        const open = heard(lossy, 'open');
        const sdp = joined.answer.sdp.split('\r\n').filter((line) => !overTcp.includes(line));
        await transport.setRemoteDescription({ type: 'answer', sdp: sdp.join('\r\n') });
        await within(TRANSPORT_MS, open, 'No media over UDP: a firewall or VPN blocks it. Allow UDP to the edge, leave the VPN, or use another network.');
      }),
      relays('tcp', (address) => /^turns:|transport=tcp/.test(address)),
      relays('turn', (address) => /^turn:/.test(address) && !/transport=tcp/.test(address)),
    ]);
    const tcp = !udp && overTcp.length > 0 && (await check('tcp', async () => {
      const open = heard(lossy, 'open');
      for (const line of overTcp) await transport.addIceCandidate({ candidate: line.slice(2), sdpMLineIndex: 0 });
      await within(TRANSPORT_MS, open, 'No media over TCP either: a firewall or proxy blocks the port. Allow TCP to the edge, or use another network.');
    }));
    if (!udp && !tcp) return skip('Measured only where media passes directly.', 'loss', 'rtt', 'throughput');

    const beats = measureBeats(lossy);
    await Promise.all([
      check('rtt', async () => {
        const { rtt } = await beats;
        return most(rtt, MOST_RTT_MS, 'The way is long: people will talk into each other. Leave the VPN, or use a nearer edge.');
      }),
      check('loss', async () => {
        const { loss } = await beats;
        return most(loss, MOST_LOSS, 'Much gets lost on the way. Go nearer to the access point, or use a cable.');
      }),
    ]);
    await check('throughput', async () => {
      const bits = await measureThroughput(reliable);
      if (bits < LEAST_BITS) throw new Missed('The way up carries too little for pictures. End other transfers, or use another network.', bits);
      return bits;
    });
  };

  const run = async (): Promise<void> => {
    await network();
    for (const name of ['microphone', 'camera'] as const) {
      if (!devices) skip('Not asked for.', name);
      else await check(name, () => tryDevice(name));
    }
  };
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal?.reason);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([run(), aborted]);
  } finally {
    for (const step of undo) {
      try {
        step();
      } catch {
        // It was never opened, or is closed already.
      }
    }
  }
  const ways = ['udp', 'tcp', 'turn'];
  const failed = list().some(({ name, status }) => status === 'failed' && !ways.includes(name));
  return { ok: !failed && list().some(({ name, status }) => status === 'passed' && ways.includes(name)), checks: list() };
}

/** Measured, and not good enough. */
class Missed extends Error {
  readonly value: number;
  constructor(message: string, value: number) {
    super(message);
    this.value = value;
  }
}

function most(value: number, limit: number, remedy: string): number {
  if (value > limit) throw new Missed(remedy, value);
  return value;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function within<T>(ms: number, promise: Promise<T>, remedy: string): Promise<T> {
  return Promise.race([promise.catch(() => Promise.reject(new Error(remedy))), pause(ms).then(() => Promise.reject(new Error(remedy)))]);
}

/** The next event; rejects with the other one. */
function heard<E extends Event>(target: EventTarget, type: string, failure = 'error'): Promise<E> {
  const promise = new Promise<E>((resolve, reject) => {
    target.addEventListener(type, (event) => resolve(event as E), { once: true });
    target.addEventListener(failure, () => reject(new Error(failure)), { once: true });
  });
  promise.catch(() => undefined); // somebody may no longer wait for it
  return promise;
}

/** One of these gives an address to be reached by. */
async function relayed(servers: Server[], undo: (() => void)[]): Promise<void> {
  const iceServers = servers.map(({ urls, username, credential }) => ({ urls, username: username ?? '', credential: credential ?? '' }));
  const transport = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
  undo.push(() => transport.close());
  const found = new Promise<void>((resolve, reject) => {
    transport.addEventListener('icecandidate', ({ candidate }) => (candidate?.candidate ? resolve() : candidate ?? reject(new Error('none'))));
  });
  transport.createDataChannel('');
  await transport.setLocalDescription();
  await within(RELAY_MS, found, 'The TURN server gives no address: it is not reached, or refuses the credentials. Allow it in the firewall, or check its configuration.');
}

/** A frame of a data channel (protocol/src/data.rs) with a heartbeat: `{3: bytes, 4: false, 5: number}`. */
function beatFrame(number: number, bytes: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(bytes + 11);
  frame.set([0xa3, 3, 0x59, bytes >> 8, bytes & 255]);
  frame.set([4, 0xf4, 5, 0x19, number >> 8, number & 255], 5 + bytes);
  return frame;
}

/** Calls back with the numbers of heartbeats that come back; all of ours have two bytes. */
function onBeat(channel: RTCDataChannel, back: (number: number) => void): void {
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
    const [key, kind, high = 0, low = 0] = frame.subarray(-4);
    if (key === 5 && kind === 0x19) back(high * 256 + low);
  };
}

async function measureBeats(channel: RTCDataChannel): Promise<{ loss: number; rtt: number }> {
  const sent = new Map<number, number>();
  const trips: number[] = [];
  onBeat(channel, (number) => {
    const at = sent.get(number);
    if (at !== undefined) trips.push(performance.now() - at);
    sent.delete(number);
  });
  for (let beat = 0; beat < BEATS; beat++) {
    sent.set(256 + beat, performance.now());
    channel.send(beatFrame(256 + beat, 100));
    await pause(BEAT_EVERY_MS);
  }
  await pause(GRACE_MS);
  trips.sort((one, other) => one - other);
  return { loss: sent.size / BEATS, rtt: trips[trips.length >> 1] ?? Infinity };
}

/** Bits per second from the first part that has arrived to the last. */
async function measureThroughput(channel: RTCDataChannel): Promise<number> {
  await pause(400); // the edge counts the heartbeats of a second
  const came: number[] = [];
  const all = new Promise<void>((resolve) => onBeat(channel, () => came.push(performance.now()) === BULK && resolve()));
  for (let part = 0; part < BULK; part++) channel.send(beatFrame(256 + part, BULK_BYTES));
  await Promise.race([all, pause(BULK_MS)]);
  const [first, last] = [came[0] ?? 0, came.at(-1) ?? 0];
  return last > first ? ((came.length - 1) * BULK_BYTES * 8000) / (last - first) : 0;
}

async function tryDevice(name: 'microphone' | 'camera'): Promise<void> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ [name === 'camera' ? 'video' : 'audio']: true });
    for (const track of stream.getTracks()) track.stop();
  } catch (cause) {
    throw deviceError(cause, name);
  }
}
