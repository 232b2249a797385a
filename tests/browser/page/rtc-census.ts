// Counts the page's peer connections and asks them what the SDK's own statistics leave out. Imported before the SDK, so
// that every connection it makes is counted; holds none of them alive.

import type { MediaPath, TransportFacts, TurnCredentials } from './contract.ts';

let opened = 0;
let closed = 0;
let connectedAt: number | undefined;
let busy = false;
const alive = new Set<WeakRef<RTCPeerConnection>>();

class CountedPeerConnection extends RTCPeerConnection {
    #open = true;

    constructor(configuration?: RTCConfiguration) {
        super(configuration);
        opened += 1;
        this.addEventListener('connectionstatechange', () => {
            if (this.connectionState === 'connected') connectedAt ??= performance.now();
        });
        alive.add(new WeakRef(this));
    }

    override async getStats(selector?: MediaStreamTrack | null): Promise<RTCStatsReport> {
        const report = await super.getStats(selector);
        if (!busy) return report;
        const limited = ([id, one]: [string, Report]): [string, Report] =>
            [id, one['type'] === 'outbound-rtp' && one['kind'] === 'video' ? { ...one, qualityLimitationReason: 'cpu' } : one];
        return new Map([...(report as unknown as Map<string, Report>)].map(limited)) as unknown as RTCStatsReport;
    }

    override close(): void {
        super.close();
        if (this.#open) closed += 1;
        this.#open = false;
    }
}
globalThis.RTCPeerConnection = CountedPeerConnection;

/** From now on every encoder of video says that the processor limits it, or what it really is. */
export function pretendBusy(on: boolean): void {
    busy = on;
}

export const openedConnections = (): number => opened;

/** When the first of them was connected, DTLS included, by performance.now(). */
export const firstConnectedAt = (): number | undefined => connectedAt;

/** Not closed by their owner, or closed but still in another state. */
export function openConnections(): number {
    const lingering = connections().filter((connection) => connection.connectionState !== 'closed').length;
    return Math.max(opened - closed, lingering);
}

/** Those that the garbage collector has not taken. */
export function connections(): RTCPeerConnection[] {
    return [...alive].flatMap((reference) => {
        const connection = reference.deref();
        if (!connection) alive.delete(reference);
        return connection ? [connection] : [];
    });
}

type Report = Record<string, unknown>;

const listed = (report: RTCStatsReport): Report[] => [...report.values()] as Report[];

async function reports(): Promise<Report[]> {
    const open = connections().filter((connection) => connection.connectionState !== 'closed');
    return (await Promise.all(open.map((connection) => connection.getStats()))).flatMap(listed);
}

/** What is said about the receiver of a track: browsers differ in how a report names its track, not in whose it is. */
async function receiverReports(track: MediaStreamTrack): Promise<Report[]> {
    const receivers = connections().flatMap((connection) => connection.getReceivers());
    const receiver = receivers.find((one) => one.track === track);
    return receiver ? listed(await receiver.getStats()) : [];
}

/** The inbound-rtp report of a received track. */
export async function inboundOf(track: MediaStreamTrack): Promise<Report | undefined> {
    return (await receiverReports(track)).find((report) => report['type'] === 'inbound-rtp');
}

/** The sender of a track. */
export function senderOf(track: MediaStreamTrack): RTCRtpSender | undefined {
    const open = connections().filter(({ connectionState }) => connectionState !== 'closed');
    return open.flatMap((connection) => connection.getSenders()).find((one) => one.track === track);
}

/** The outbound-rtp reports of a sent track, smallest picture first. */
export async function outboundOf(track: MediaStreamTrack): Promise<Report[]> {
    const sender = senderOf(track);
    const all = sender ? listed(await sender.getStats()) : [];
    const place = (report: Report): number => RIDS.indexOf(typeof report['rid'] === 'string' ? report['rid'] : '');
    return all.filter((report) => report['type'] === 'outbound-rtp').sort((a, b) => place(a) - place(b));
}

/** As the SDK names simulcast encodings, smallest first. */
const RIDS = ['q', 'h', 'f'];

/** The codec of a received track. */
export async function codecOf(track: MediaStreamTrack): Promise<string | undefined> {
    const all = await receiverReports(track);
    const codec = all.find((report) => report['type'] === 'inbound-rtp')?.['codecId'];
    const found = all.find((report) => report['type'] === 'codec' && report['id'] === codec);
    return typeof found?.['mimeType'] === 'string' ? found['mimeType'] : undefined;
}

export async function transportFacts(): Promise<TransportFacts> {
    const all = await reports();
    const text = (report: Report | undefined, key: string): string | undefined =>
        typeof report?.[key] === 'string' ? report[key] : undefined;
    const transport = all.find((report) => report['type'] === 'transport');
    const codecs = all.filter((report) => report['type'] === 'codec').map((report) => text(report, 'mimeType') ?? '?');
    return {
        srtpCipher: text(transport, 'srtpCipher'),
        dtlsCipher: text(transport, 'dtlsCipher'),
        tlsVersion: text(transport, 'tlsVersion'),
        dtlsRole: text(transport, 'dtlsRole'),
        codecs: [...new Set(codecs)].sort(),
        transportFeedback: connections().some((connection) => connection.remoteDescription?.sdp.includes('transport-cc')),
    };
}

/** The selected candidate pair, as the transport names it. */
export async function mediaPath(): Promise<MediaPath> {
    const all = await reports();
    const named = (type: string, id: unknown): Report | undefined => all.find((report) => report['type'] === type && report['id'] === id);
    const pair = named('candidate-pair', all.find((report) => report['type'] === 'transport')?.['selectedCandidatePairId']);
    const local = named('local-candidate', pair?.['localCandidateId']);
    const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
    return {
        local: text(local?.['address']),
        localPort: typeof local?.['port'] === 'number' ? local['port'] : undefined,
        remote: text(named('remote-candidate', pair?.['remoteCandidateId'])?.['address']),
        protocol: text(local?.['protocol']),
        relay: text(local?.['relayProtocol']),
    };
}

const current = (): RTCPeerConnection | undefined => connections().filter(({ connectionState }) => connectionState !== 'closed').at(-1);

/** Addresses of the servers that the connection has. */
export const turnServers = (): string[] => current()?.getConfiguration().iceServers?.flatMap(({ urls }) => urls) ?? [];

/** Addresses in the connection's own candidates (RFC 8839 §5.1). */
export function ownAddresses(): string[] {
    const lines = current()?.localDescription?.sdp.match(/^a=candidate:.*$/gm) ?? [];
    return lines.map((line) => line.split(' ')[4] ?? '');
}

/** The credentials that the connection has for TURN servers. */
export function turnCredentials(): TurnCredentials | undefined {
    const server = current()?.getConfiguration().iceServers?.find((one) => one.username !== undefined);
    return server && { username: server.username ?? '', credential: server.credential ?? '' };
}

/** The name of the connection's own ICE credentials. */
export function iceName(): string | undefined {
    return /a=ice-ufrag:(\S+)/.exec(current()?.localDescription?.sdp ?? '')?.[1];
}

/** Whether a TURN server gives a relay: 0, or the code of its refusal (RFC 8656 §18.3; 701: it wasn't reached). */
export async function askForRelay(urls: string[], credentials: TurnCredentials): Promise<number> {
    const asking = new RTCPeerConnection({ iceServers: [{ urls, ...credentials }], iceTransportPolicy: 'relay' });
    try {
        asking.createDataChannel('');
        const answer = new Promise<number>((resolve) => {
            asking.onicecandidateerror = ({ errorCode }) => resolve(errorCode);
            asking.onicecandidate = ({ candidate }) => candidate?.candidate && resolve(0);
        });
        await asking.setLocalDescription();
        return await answer;
    } finally {
        asking.close();
    }
}

/** `ADDRESS:PORT` of the other end of the connection that receives a track; undefined: none does, or it isn't connected. */
export async function sourceOf(track: MediaStreamTrack): Promise<string | undefined> {
    const connection = connections().find((one) => one.getReceivers().some((receiver) => receiver.track === track));
    const all = connection && connection.connectionState !== 'closed' ? listed(await connection.getStats()) : [];
    const named = (type: string, id: unknown): Report | undefined => all.find((report) => report['type'] === type && report['id'] === id);
    const pair = named('candidate-pair', all.find((report) => report['type'] === 'transport')?.['selectedCandidatePairId']);
    const remote = named('remote-candidate', pair?.['remoteCandidateId']);
    return remote && `${String(remote['address'])}:${String(remote['port'])}`;
}

/** What the sender's estimator believes the way to the edge can carry, in bits per second. */
export async function sendEstimate(): Promise<number | undefined> {
    const pair = (await reports()).find((report) => report['type'] === 'candidate-pair' && report['nominated'] === true);
    const estimate = pair?.['availableOutgoingBitrate'];
    return typeof estimate === 'number' ? estimate : undefined;
}
