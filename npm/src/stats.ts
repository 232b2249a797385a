// Statistics of a call for apps, from the same records that the core judges quality by. Rates are over the time since the previous call.

import { codecs, flatten, limits, newNumbers, type NumberedReports, readAll, type Report, type Reports, SECTIONS, STRIDE, selectedWay } from './flatten.js';
import type { LocalPublication, RemotePublication } from './publication.js';
import type { TrackKind } from './track.js';

/** A call in numbers. What the browser doesn't tell is missing. */
export interface RoomStats {
  /** Round trip to the edge, in milliseconds. */
  rttMs?: number;
  /** What the browser believes it can send, in bits per second. */
  availableOutgoingBitrate?: number;
  /** All media and data together. */
  transport: TransportStats;
  /** What oneself sends. */
  publications: TrackStats[];
  /** What is received. */
  subscriptions: TrackStats[];
}

/** The one transport that carries everything. */
export interface TransportStats {
  /** Bytes since the start. */
  bytesSent: number;
  /** Bytes since the start. */
  bytesReceived: number;
  /** 'udp' or 'tcp'. */
  protocol?: string;
  /** Such as 'AEAD_AES_128_GCM'. */
  srtpCipher?: string;
  /** '1.2' or '1.3'. */
  dtlsVersion?: string;
}

/** One track in numbers. */
export interface TrackStats {
  /** Publication id. */
  publication: string;
  /** Participant id of the publisher. */
  participant: string;
  /** Audio or video. */
  kind: TrackKind;
  /** 'vp8', 'opus'…: with RED browsers say 'opus' too. */
  codec?: string;
  /** Bits per second since the previous call of `stats()`; missing at the first. */
  bitrate?: number;
  /** Packets since the start. */
  packetsLost?: number;
  /** 0 to 1: received tracks since the previous call, sent ones as last reported by the edge. */
  lossRatio?: number;
  /** Variation of arrival, in milliseconds. */
  jitterMs?: number;
  /** Pixels. */
  width?: number;
  /** Pixels. */
  height?: number;
  /** Of the last second. */
  framesPerSecond?: number;
  /** Since the start. */
  framesDecoded?: number;
  /** Since the start. */
  framesEncoded?: number;
  /** Since the start. */
  freezeCount?: number;
  /** Why the browser sends less than it could: 'none', 'cpu', 'bandwidth', 'other'. */
  qualityLimitationReason?: string;
}

/** Places in a record: see flatten.ts. */
const [KIND, MID, AT, BYTES, PACKETS, LOST, LOSS_RATIO, JITTER] = [0, 1, 3, 4, 5, 6, 7, 8];
const [FRAMES, FPS, WIDTH, HEIGHT, FREEZES, LIMIT, CODEC] = [17, 20, 21, 22, 24, 28, 29];

/**
 * Reads the statistics of one transport; remembers the last reading for rates.
 *
 * @internal
 */
export class StatsReader {
  #before: Float64Array = new Float64Array();

  async read(
    transport: RTCPeerConnection,
    links: ReadonlyMap<number, RTCPeerConnection>,
    local: Iterable<LocalPublication>,
    remote: Iterable<RemotePublication>,
  ): Promise<RoomStats> {
    const [reports, more] = await readAll(transport, links);
    return this.describe(reports, local, remote, more);
  }

  describe(
    reports: Reports,
    local: Iterable<LocalPublication>,
    remote: Iterable<RemotePublication>,
    links: readonly NumberedReports[] = [],
  ): RoomStats {
    const now = flatten(reports, newNumbers(), links);
    const before = this.#before;
    this.#before = now;
    const tracks = (publications: Iterable<LocalPublication | RemotePublication>, received: number): TrackStats[] =>
      [...publications].flatMap((publication) => track(publication, received, now, before, received ? [] : sectionsOf(publication, links)) ?? []);
    return { ...connection(selectedWay(reports), reports), publications: tracks(local, 0), subscriptions: tracks(remote, 2) };
  }
}

/** The sections of direct connections that send a publication of one's own, which is known by its track. */
function sectionsOf({ track }: LocalPublication | RemotePublication, links: readonly NumberedReports[]): number[] {
  const sections: number[] = [];
  for (const [link, reports] of links) {
    reports.forEach((report) => {
      const source = reports.get(String(report['mediaSourceId']))?.['trackIdentifier'];
      if (report['type'] === 'outbound-rtp' && source === track?.mediaStreamTrack.id) sections.push(link * SECTIONS + Number(report['mid']));
    });
  }
  return sections;
}

/** One track, of `received` (2) or sent (0) streams; undefined without any. */
function track(
  publication: LocalPublication | RemotePublication,
  received: number,
  now: Float64Array,
  before: Float64Array,
  direct: number[],
): TrackStats | undefined {
  const { id, kind, mid, participant } = publication;
  const of = (numbers: Float64Array): Float64Array[] => {
    const streams = Array.from({ length: numbers.length / STRIDE }, (_, at) => numbers.subarray(at * STRIDE, (at + 1) * STRIDE));
    const sections = [Number(mid ?? NaN), ...direct];
    return streams.filter((stream) => stream[KIND] === (kind === 'video' ? 2 : 1) + received && sections.some((section) => section === stream[MID]));
  };
  const [streams, earlier] = [of(now), of(before)];
  const [first] = streams;
  if (!first) return undefined;
  // Of two alike that which goes directly: the other is held.
  const largest = streams.reduce((a, b) => ((b[HEIGHT] || 0) >= (a[HEIGHT] || 0) ? b : a));
  const sum = (all: Float64Array[], place: number): number => all.reduce((total, stream) => total + (stream[place] || 0), 0);
  /** How much a counter rose; NaN without an earlier reading, and where it began anew. */
  const rise = (place: number): number => {
    const by = sum(streams, place) - sum(earlier, place);
    return earlier.length > 0 && by >= 0 ? by : NaN;
  };
  const lost = rise(LOST);
  const codec = codecs[largest[CODEC] ?? 0];
  /** Of which a loss is known. */
  const known = streams.find((stream) => (stream[LOST] ?? NaN) >= 0);
  const numbers: { [K in keyof TrackStats as TrackStats[K] extends number | undefined ? K : never]?: number | undefined } = {
    bitrate: Math.round((8000 * rise(BYTES)) / ((first[AT] ?? NaN) - (earlier[0]?.[AT] ?? NaN))),
    width: largest[WIDTH],
    height: largest[HEIGHT],
    framesPerSecond: largest[FPS],
    packetsLost: known && sum(streams, LOST),
    lossRatio: received ? lost / (lost + rise(PACKETS)) : known?.[LOSS_RATIO],
    jitterMs: ((received ? first : known)?.[JITTER] ?? NaN) * 1000,
    [received ? 'framesDecoded' : 'framesEncoded']: largest[FRAMES],
    freezeCount: first[FREEZES],
  };
  return {
    publication: id,
    participant: participant.id,
    kind,
    ...(codec && { codec }),
    ...present(numbers),
    ...present({ qualityLimitationReason: limits[largest[LIMIT] ?? NaN] }),
  };
}

function connection(way: Report, reports: Reports): Pick<RoomStats, 'rttMs' | 'availableOutgoingBitrate' | 'transport'> {
  const number = (name: string): number => Number(way[name] ?? NaN);
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const version = text(way['tlsVersion'])?.toUpperCase();
  return {
    ...present({ rttMs: number('currentRoundTripTime') * 1000, availableOutgoingBitrate: number('availableOutgoingBitrate') }),
    transport: {
      bytesSent: number('bytesSent') || 0,
      bytesReceived: number('bytesReceived') || 0,
      ...present({
        protocol: text(reports.get(String(way['localCandidateId']))?.['protocol']),
        srtpCipher: text(way['srtpCipher']),
        dtlsVersion: version === 'FEFD' ? '1.2' : version === 'FEFC' ? '1.3' : version,
      }),
    },
  };
}

/** Without the members that are unknown: a missing number is missing. */
function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && !Number.isNaN(member))) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
