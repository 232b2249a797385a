// `import { pickEdge } from 'nearcast/regions'`: which of the edges of a cluster is nearest, measured from here, before a call.
//
// By checks of STUN, as a call's own, where the edge that was asked knows where the others' media goes; by HTTP where it knows their addresses alone.
//
// An entry of its own: a page that doesn't use it doesn't load it. It needs no core. An edge that doesn't answer costs no more than `timeoutMs`, and
// no failure here keeps anybody from calling: the address that was given is always among the answers.

import { signalAddress } from './address.js';
import { distance, type MediaAddresses, type Measuring } from './distance.js';
import type { NearcastError } from './errors.js';

/** An edge that one can call. */
export interface EdgeChoice {
  /** As `connect` takes it. */
  readonly url: string;
  /** Its name in the cluster, where it has one. */
  readonly id: string | undefined;
  /** Where it stands, as its operator calls it. */
  readonly region: string | undefined;
  /** How full it is, 0 to 1. */
  readonly fullness: number;
  /** Round trip to it, milliseconds; undefined where none came back in time. */
  readonly rttMs: number | undefined;
}

/** What was picked. */
export interface PickedEdge extends EdgeChoice {
  /** All addresses, the best first, for `tryEdges`. */
  readonly urls: readonly string[];
  /** All edges, in the same order. */
  readonly edges: readonly EdgeChoice[];
}

/** Options of `pickEdge`. */
export interface PickOptions {
  /** A region that is probably near, for instance where your server saw the person last: its edges come first unless others are clearly nearer. */
  hint?: string;
  /** This edge, by its id or address, and no other: nothing is measured. The others follow for the case that it is gone. */
  pin?: string;
  /** How long measuring may take, in milliseconds. Default 300. */
  timeoutMs?: number;
}

interface Listed {
  id: string | null;
  region: string | null;
  url: string | null;
  fullness: number;
  /** None: it is known by its address alone. */
  media?: MediaAddresses | null;
}

/** What an edge says of all: what isn't there it doesn't know. */
interface Answer {
  edges: Listed[];
  measuring?: Measuring;
}

/** An edge, and where its media goes. */
type Known = EdgeChoice & { media?: MediaAddresses | null | undefined };

/** How long the list itself may take: one request to an edge that may be on the other side of the earth. */
const LIST_MS = 3000;
/** An edge as full as this takes no new room. */
const FULL = 0.85;
/** Edges that are measured: the emptiest of each region, so many regions. */
const MOST = 16;
const PER_REGION = 2;
/** Nobody feels less than this, and it is what one measurement differs from the next. */
const SAME_MS = 10;

/**
 * Asks an edge for the others, measures the round trip to each at once, and picks: the nearest that isn't full.
 *
 * ```ts
 * const { urls } = await pickEdge('https://edge.example');
 * const room = await tryEdges(urls, (url) => connect(url, token));
 * ```
 */
export async function pickEdge(url: string, options: PickOptions = {}): Promise<PickedEdge> {
  const { hint, pin, timeoutMs = 300 } = options;
  const { edges: listed, measuring } = await list(url);
  const edges = listed.map(({ id, region, url: address, fullness, media }): Known => ({
    url: address ?? url,
    id: id ?? undefined,
    region: region ?? undefined,
    fullness,
    rttMs: undefined,
    media,
  }));
  if (!edges.some((edge) => http(edge.url) === http(url))) edges.push({ url, id: undefined, region: undefined, fullness: 0, rttMs: undefined });

  const address = pin?.includes('://') ? http(pin) : undefined; // names of edges have no slashes
  const pinned = edges.findIndex((edge) => pin !== undefined && (edge.id === pin || http(edge.url) === address));
  if (pinned >= 0) return picked([...edges.splice(pinned, 1), ...edges]);
  const measured = edges.length > 1 ? await measure(edges, measuring, hint, timeoutMs) : edges;
  return picked(rank(measured, hint));
}

/**
 * Tries addresses in their order until one works. What would fail at the next one too, such as a refused token, ends it.
 *
 * @returns what `attempt` gives. Rejects with the last failure.
 */
export async function tryEdges<T>(urls: readonly string[], attempt: (url: string) => Promise<T>): Promise<T> {
  const [url = '', ...rest] = urls;
  try {
    return await attempt(url);
  } catch (error) {
    const { retryable, code } = error as Partial<NearcastError>;
    if (!rest.length || !retryable || code === 'aborted') throw error;
    return tryEdges(rest, attempt);
  }
}

function picked(known: readonly Known[]): PickedEdge {
  const edges = known.map(({ media: _, ...edge }): EdgeChoice => edge);
  return { ...(edges[0] as EdgeChoice), urls: edges.map(({ url }) => url), edges };
}

/** Where an edge's HTTP is. */
function http(url: string): string {
  return signalAddress(url)
    .replace(/^ws/, 'http')
    .replace(/\/v1\/signal$/, '');
}

async function list(url: string): Promise<Answer> {
  try {
    const response = await fetch(`${http(url)}/v1/edges`, { signal: AbortSignal.timeout(LIST_MS) });
    const { edges, ...rest } = (await response.json()) as Answer;
    return { edges: edges.filter((edge) => edge.url === null || /^(https?|wss?):/.test(edge.url)), ...rest };
  } catch (error) {
    if ((error as { name?: unknown }).name === 'UsageError') throw error; // what was given is no address
    return { edges: [] }; // an older edge, or one that is gone: `connect` will tell
  }
}

async function measure(edges: readonly Known[], measuring: Measuring | undefined, hint: string | undefined, timeoutMs: number): Promise<Known[]> {
  const seen = new Map<string | undefined, number>();
  const near = (edge: Known): number => Number(edge.region !== hint);
  const tried = [...edges].sort((one, other) => near(one) - near(other)).filter((edge) => {
    const before = seen.get(edge.region) ?? 0;
    seen.set(edge.region, before + 1);
    return before < PER_REGION;
  });
  const rtts = new Map<Known, number>();
  const ask = async (edge: Known): Promise<void> => {
    rtts.set(edge, await (edge.media && measuring ? distance(edge.media, measuring, timeoutMs) : requestTwice(edge.url, timeoutMs)));
  };
  await Promise.allSettled(tried.slice(0, MOST).map(ask));
  return edges.map((edge) => ({ ...edge, rttMs: rtts.get(edge) }));
}

/** The second request tells the round trip: the first one also looks up its name and shakes hands. */
async function requestTwice(url: string, withinMs: number): Promise<number> {
  const signal = AbortSignal.timeout(withinMs);
  let shortest = Infinity;
  try {
    for (let time = 0; time < 2; time++) {
      const start = performance.now();
      const answer = await fetch(`${http(url)}/v1/edges`, { signal, cache: 'no-store' });
      await answer.arrayBuffer();
      shortest = Math.min(performance.now() - start, shortest);
    }
  } catch (error) {
    if (shortest === Infinity) throw error;
  }
  return shortest;
}

function rank(edges: readonly Known[], hint: string | undefined): Known[] {
  const hinted = ({ region }: EdgeChoice): number => (hint !== undefined && region === hint ? SAME_MS : 0);
  // Edges of a region that nobody measured are as far as those that somebody did.
  const regional = new Map<string | undefined, number>();
  for (const { region, rttMs } of edges) if (rttMs !== undefined) regional.set(region, Math.min(rttMs, regional.get(region) ?? Infinity));
  const far = (edge: EdgeChoice): number => {
    const rtt = edge.rttMs ?? (edge.region === undefined ? undefined : regional.get(edge.region)) ?? 1e6;
    return Math.round((rtt - hinted(edge)) / SAME_MS);
  };
  const full = ({ fullness }: EdgeChoice): number => Number(fullness >= FULL);
  return [...edges].sort((one, other) => full(one) - full(other) || far(one) - far(other) || one.fullness - other.fullness);
}
