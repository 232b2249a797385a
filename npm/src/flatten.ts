// An RTCStatsReport as numbers, one record of STRIDE behind the other: one call carries all of them into the core, which was measured to cost
// a twenty-sixth of reading reports from there. Names and places are those of `Field` and `Kind` in client-core/src/stats/record.rs.

/** Numbers in a record. */
export const STRIDE = 32;

/** Records that are looked at; client-core keeps no more. */
const MAX_RECORDS = 256;

export const codecs: readonly string[] = ['', 'vp8', 'vp9', 'av1', 'h264', 'opus'];
export const limits: readonly string[] = ['none', 'cpu', 'bandwidth', 'other'];

/** Where each member of a report goes: its place in the list is the place in the record. */
const places = (names: string): readonly (readonly [number, string])[] =>
  names.split(',').flatMap((name, place) => (name ? [[place, name] as const] : []));
const sent = places(',mid,ssrc,timestamp,bytesSent,packetsSent,,,,,,,,,,,,framesEncoded,totalEncodeTime,qpSum,framesPerSecond,frameWidth,frameHeight,,,,,,,,active');
const heard = places(',,,,,,packetsLost,fractionLost,jitter,roundTripTime,timestamp');
const source = places(',,,,,,,,,,,,,,,,,,,,,,,,,framesPerSecond,width,height');
const received = places(
  ',mid,ssrc,timestamp,bytesReceived,packetsReceived,packetsLost,,jitter,,,jitterBufferDelay,jitterBufferEmittedCount,totalSamplesReceived,concealedSamples,silentConcealedSamples,concealmentEvents,framesDecoded,totalDecodeTime,qpSum,framesPerSecond,frameWidth,frameHeight,totalFreezesDuration,freezeCount,,,,,,,framesDropped',
);
const way = places(',,,timestamp,bytesReceived,bytesSent,,availableOutgoingBitrate,,currentRoundTripTime,lastPacketReceivedTimestamp');

/** One report. */
export type Report = Readonly<Record<string, unknown>>;

/** The reports of one reading. */
export type Reports = Pick<ReadonlyMap<string, Report>, 'get' | 'forEach'>;

/**
 * What carries everything: the transport with its pair of candidates, as it says, or (without transport reports) the nominated pair that works.
 * What both count is the transport's: it knows of earlier pairs.
 */
export function selectedWay(reports: Reports): Report {
  let transport: Report = {};
  let working: Report | undefined;
  reports.forEach((report) => {
    if (report['type'] === 'transport') transport = report;
    if (report['type'] === 'candidate-pair' && report['nominated'] && report['state'] === 'succeeded') working = report;
  });
  return { ...(reports.get(String(transport['selectedCandidatePairId'])) ?? working), ...transport };
}

/** Room for a reading. */
export const newNumbers = (): Float64Array => new Float64Array(MAX_RECORDS * STRIDE);

/** Sections of a direct connection have numbers from a thousand times its own on: client-core/src/direct.rs. */
export const SECTIONS = 1000;

/** What a direct connection reports. */
export type NumberedReports = readonly [number, Reports];

/** Flattens into `into` what one of them, or the transport (number 0), reports, behind what ends at `end`. What isn't known is NaN. */
function append(reports: Reports, link: number, into: Float64Array, end: number): number {
  if (end >= into.length) return end;
  const write = (from: Report | undefined, where: readonly (readonly [number, string])[], start: number): void => {
    if (from) for (const [place, name] of where) into[start + place] = Number(from[name] ?? NaN);
  };
  const begin = (kind: number): number => {
    const start = end;
    end += STRIDE;
    into.fill(NaN, start, end)[start] = kind;
    return start;
  };
  const named = (names: readonly string[], name: unknown): number => (name === undefined ? NaN : names.indexOf(String(name).toLowerCase()));
  const first = link * SECTIONS;
  const start = begin(0);
  write(selectedWay(reports), way, start);
  if (link) into[start + 1] = first;
  reports.forEach((report) => {
    const { type, kind } = report;
    const inbound = type === 'inbound-rtp';
    if ((!inbound && type !== 'outbound-rtp') || end >= into.length) return;
    const start = begin((kind === 'video' ? 2 : 1) + (inbound ? 2 : 0));
    const of = (member: string): Report | undefined => reports.get(String(report[member]));
    write(report, inbound ? received : sent, start);
    into[start + 1]! += first;
    if (!inbound) {
      write(of('remoteId'), heard, start);
      write(of('mediaSourceId'), source, start);
      into[start + 28] = named(limits, report['qualityLimitationReason']);
    }
    into[start + 29] = Math.max(named(codecs, String(of('codecId')?.['mimeType']).split('/')[1]), 0);
  });
  return end;
}

/** All of a call: the transport, and direct connections by number. The part that was written. */
export const flatten = (transport: Reports, into: Float64Array, links: readonly NumberedReports[] = []): Float64Array => {
  const all: NumberedReports[] = [[0, transport], ...links];
  return into.subarray(0, all.reduce((end, [link, reports]) => append(reports, link, into, end), 0));
};

/** Reads what a call's connections report. One that is being closed has no counters any more; the transport must have. */
export async function readAll(transport: RTCPeerConnection, links: ReadonlyMap<number, RTCPeerConnection>): Promise<[RTCStatsReport, NumberedReports[]]> {
  const read = async ([link, connection]: [number, RTCPeerConnection]): Promise<NumberedReports[]> => [[link, await connection.getStats()]];
  const [reports, ...more] = await Promise.all([transport.getStats(), ...Array.from(links, (link) => read(link).catch(() => []))]);
  return [reports, more.flat()];
}
