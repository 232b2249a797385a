// Statistics of a call, flattened from RTCStatsReport. In JavaScript on purpose: reading 60 reports through the wasm border was measured to
// cost 26 times as much. Rates are over the time since the previous call.

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

type Report = Readonly<Record<string, unknown>>;

interface Counters {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
}

/**
 * Reads the statistics of one transport; remembers the last reading for rates.
 *
 * @internal
 */
export class StatsReader {
  #before = new Map<string, Counters>();

  async read(transport: RTCPeerConnection, local: Iterable<LocalPublication>, remote: Iterable<RemotePublication>): Promise<RoomStats> {
    return this.flatten(await transport.getStats(), local, remote);
  }

  flatten(reports: RTCStatsReport, local: Iterable<LocalPublication>, remote: Iterable<RemotePublication>): RoomStats {
    const all = new Map<string, Report>();
    reports.forEach((report: Report, id: string) => all.set(id, report));
    const ofType = (type: string): Report[] => [...all.values()].filter((report) => report['type'] === type);
    const counters = new Map<string, Counters>();
    const stats: RoomStats = { ...connection(all, ofType), publications: [], subscriptions: [] };

    const outbound = ofType('outbound-rtp');
    for (const publication of local) {
      const streams = outbound.filter((report) => belongs(report, publication.mid, publication.track.mediaStreamTrack.id, all));
      if (streams.length > 0) stats.publications.push(this.#sent(publication, streams, all, counters));
    }
    const inbound = ofType('inbound-rtp');
    for (const publication of remote) {
      if (!publication.track) continue;
      const id = publication.track.mediaStreamTrack.id;
      const stream = inbound.find((report) => belongs(report, publication.mid, id, all));
      if (stream) stats.subscriptions.push(this.#received(publication, stream, all, counters));
    }
    this.#before = counters;
    return stats;
  }

  #sent(publication: LocalPublication, streams: Report[], all: ReadonlyMap<string, Report>, counters: Map<string, Counters>): TrackStats {
    const heard = streams.map((report) => all.get(text(report['remoteId']) ?? '')).filter((report) => report !== undefined);
    const now: Counters = {
      at: number(streams[0]?.['timestamp']) ?? 0,
      bytes: sum(streams, 'bytesSent'),
      packets: sum(streams, 'packetsSent'),
      lost: sum(heard, 'packetsLost'),
    };
    const largest = streams.reduce((a, b) => ((number(b['frameHeight']) ?? 0) > (number(a['frameHeight']) ?? 0) ? b : a));
    return this.#track(publication, publication.participant.id, largest, all, counters, now, {
      packetsLost: heard.length > 0 ? now.lost : undefined,
      lossRatio: number(heard[0]?.['fractionLost']),
      jitterMs: milliseconds(heard[0]?.['jitter']),
      framesEncoded: number(largest['framesEncoded']),
      qualityLimitationReason: text(largest['qualityLimitationReason']),
    });
  }

  #received(publication: RemotePublication, stream: Report, all: ReadonlyMap<string, Report>, counters: Map<string, Counters>): TrackStats {
    const now: Counters = {
      at: number(stream['timestamp']) ?? 0,
      bytes: number(stream['bytesReceived']) ?? 0,
      packets: number(stream['packetsReceived']) ?? 0,
      lost: number(stream['packetsLost']) ?? 0,
    };
    const before = this.#before.get(publication.id);
    const lost = now.lost - (before?.lost ?? 0);
    const due = lost + now.packets - (before?.packets ?? 0);
    return this.#track(publication, publication.participant.id, stream, all, counters, now, {
      packetsLost: now.lost,
      lossRatio: due > 0 ? Math.min(Math.max(lost / due, 0), 1) : undefined,
      jitterMs: milliseconds(stream['jitter']),
      framesDecoded: number(stream['framesDecoded']),
      freezeCount: number(stream['freezeCount']),
    });
  }

  #track(
    publication: { id: string; kind: TrackKind },
    participant: string,
    stream: Report,
    all: ReadonlyMap<string, Report>,
    counters: Map<string, Counters>,
    now: Counters,
    rest: { [K in keyof TrackStats]?: TrackStats[K] | undefined },
  ): TrackStats {
    const before = this.#before.get(publication.id);
    counters.set(publication.id, now);
    const elapsed = before ? now.at - before.at : 0;
    return {
      publication: publication.id,
      participant,
      kind: publication.kind,
      ...present({
        codec: text(all.get(text(stream['codecId']) ?? '')?.['mimeType'])?.split('/')[1]?.toLowerCase(),
        bitrate: before && elapsed > 0 ? Math.round(Math.max(0, (8000 * (now.bytes - before.bytes)) / elapsed)) : undefined,
        width: number(stream['frameWidth']),
        height: number(stream['frameHeight']),
        framesPerSecond: number(stream['framesPerSecond']),
        ...rest,
      }),
    };
  }
}

function connection(all: ReadonlyMap<string, Report>, ofType: (type: string) => Report[]): Pick<RoomStats, 'rttMs' | 'availableOutgoingBitrate' | 'transport'> {
  const [transport] = ofType('transport');
  // Firefox has no transport report.
  const pair =
    all.get(text(transport?.['selectedCandidatePairId']) ?? '') ??
    ofType('candidate-pair').find((report) => report['nominated'] === true && report['state'] === 'succeeded');
  const source = transport ?? pair;
  const version = text(transport?.['tlsVersion'])?.toUpperCase();
  return {
    ...present({
      rttMs: milliseconds(pair?.['currentRoundTripTime']),
      availableOutgoingBitrate: number(pair?.['availableOutgoingBitrate']),
    }),
    transport: {
      bytesSent: number(source?.['bytesSent']) ?? 0,
      bytesReceived: number(source?.['bytesReceived']) ?? 0,
      ...present({
        protocol: text(all.get(text(pair?.['localCandidateId']) ?? '')?.['protocol']),
        srtpCipher: text(transport?.['srtpCipher']),
        dtlsVersion: version === 'FEFD' ? '1.2' : version === 'FEFC' ? '1.3' : version,
      }),
    },
  };
}

/** By media section; by track where the browser doesn't tell the section. */
function belongs(report: Report, mid: string | undefined, track: string, all: ReadonlyMap<string, Report>): boolean {
  if (report['mid'] !== undefined) return report['mid'] === mid;
  const source = all.get(text(report['mediaSourceId']) ?? '');
  return (report['trackIdentifier'] ?? source?.['trackIdentifier']) === track;
}

const number = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const milliseconds = (seconds: unknown): number | undefined => (typeof seconds === 'number' ? seconds * 1000 : undefined);
const sum = (reports: readonly Report[], key: string): number => reports.reduce((total, report) => total + (number(report[key]) ?? 0), 0);

/** Without the members that are undefined: a missing number is missing. */
function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
