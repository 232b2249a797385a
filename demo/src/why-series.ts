// What the "why?" panel remembers: a reading a second, and decisions, five minutes of each. Pure, so that it can be tested.
import type { RoomStats } from 'nearcast';

/** How far back one can look. */
export const SPAN_MS = 5 * 60_000;
/** Readings kept: one a second, and some more should the page be asked faster. */
const MAX_READINGS = 320;
/** Decisions kept: a restless minute must not push out everything else's memory. */
const MAX_DECISIONS = 200;

/** One second of a call. What isn't known is missing. */
export interface Reading {
  /** Milliseconds, on any clock that only goes forward. */
  at: number;
  /** Bits per second of everything that came. */
  incoming?: number | undefined;
  /** Bits per second of everything that went. */
  outgoing?: number | undefined;
  /** Share of packets lost, 0 to 1: of the received track that lost most. */
  lossIn?: number | undefined;
  /** The same, of the sent track that lost most, as the edge reports. */
  lossOut?: number | undefined;
  /** Round trip to the edge in milliseconds. */
  rtt?: number | undefined;
  /** 0 to 100. */
  score?: number | undefined;
}

/** Something that was decided. */
export interface Decision {
  at: number;
  what: string;
  why: string;
}

/** The counters of a reading, from which the next one takes its rates. */
interface Counters {
  at: number;
  received: number;
  sent: number;
}

export class History {
  readonly readings: Reading[] = [];
  readonly decisions: Decision[] = [];
  #before: Counters | undefined;

  /** Takes what `room.stats()` gave at this moment. */
  read(at: number, { rttMs, transport, publications, subscriptions }: RoomStats, score: number | undefined): void {
    const now = { at, received: transport.bytesReceived, sent: transport.bytesSent };
    const before = this.#before;
    this.#before = now;
    this.#add({
      at,
      incoming: before && rate(before.received, now.received, at - before.at),
      outgoing: before && rate(before.sent, now.sent, at - before.at),
      lossIn: most(subscriptions.map(({ lossRatio }) => lossRatio)),
      lossOut: most(publications.map(({ lossRatio }) => lossRatio)),
      rtt: rttMs,
      score,
    });
  }

  /** Nothing could be measured: the curves have a gap there. */
  miss(at: number): void {
    this.#before = undefined;
    this.#add({ at });
  }

  decide(decision: Decision): void {
    this.decisions.push(decision);
    trim(this.decisions, decision.at, MAX_DECISIONS);
  }

  #add(reading: Reading): void {
    this.readings.push(reading);
    trim(this.readings, reading.at, MAX_READINGS);
  }
}

function trim(list: { at: number }[], now: number, most: number): void {
  const old = list.findIndex(({ at }) => at >= now - SPAN_MS);
  list.splice(0, Math.max(old, list.length - most));
}

/** Unknown when a counter went back: another transport began. */
function rate(before: number, now: number, ms: number): number | undefined {
  return ms > 0 && now >= before ? ((now - before) * 8000) / ms : undefined;
}

function most(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}
