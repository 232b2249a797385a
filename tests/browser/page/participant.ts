// One participant of a room, on the public API of the SDK, for the tests to direct: see ParticipantPage in contract.ts.

import { askForRelay, codecOf, connections, firstConnectedAt, iceName, inboundOf, mediaPath, openedConnections, outboundOf, ownAddresses, pretendBusy, senderOf, sendEstimate, sourceOf, transportFacts, turnCredentials, turnServers } from './rtc-census.ts'; // first: it counts what the SDK makes
import { connect, devices, NearcastError, prepare, type LocalPublication, type Publication, type Quality, type RemotePublication, type Room } from 'nearcast';
import { E2EE, passphraseKeys } from 'nearcast/e2ee';
import type { LoggedEvent, ParticipantPage } from './contract.ts';
import { EventLog } from './event-log.ts';
import { expose } from './expose.ts';
import { webAudioRuns } from './media/audio-context.ts';
import { offsets, signal } from './media/lip-sync.ts';
import { Painter } from './media/paint.ts';
import { Tone } from './media/tone.ts';
import { ReceivedTrack } from './received.ts';
import { Watch } from './watch.ts';

/** Until something that the edge causes is here; generous, because it only decides when a failure is called one. */
const PATIENCE_MS = 30_000;
/** Three pages encode three and decode six of these, beside reading each frame back, on two cores. */
const WIDTH = 320;
const HEIGHT = 180;

const log = new EventLog();
/** Publications outlive their ids when the call moves to a new session; here they keep the first one, and tests go on using it. */
const firstIds = new WeakMap<Publication, string>();
/** By first id, as painters, tones and watches are. */
const received = new Map<string, ReceivedTrack>();
const painters = new Map<string, Painter>();
const tones = new Map<string, Tone>();
const watches = new Map<string, Watch>();
const unhandled: string[] = [];
window.addEventListener('unhandledrejection', ({ reason }) => unhandled.push(String(reason)));
let room: Room | undefined;
let e2ee: E2EE | undefined;
const refusedCodecs: string[] = [];
const sealed: { from: string; payload: string | number[]; topic: string | undefined }[] = [];
let joinAt = 0;
let signals: { stop(): void } | undefined;

function theRoom(): Room {
    if (!room) throw new Error('call join first');
    return room;
}

const firstId = (publication: Publication): string => firstIds.get(publication) ?? publication.id;

function named<T extends Publication>(publications: Iterable<T>, id: string): T | undefined {
    return [...publications].find((one) => one.id === id || firstId(one) === id);
}

function local(publication: string): LocalPublication {
    const found = named(theRoom().local.publications.values(), publication);
    if (!found) throw new Error(`${publication} is none of my publications`);
    return found;
}

/** How the browser was told to send it. */
function parameters(publication: string): (RTCRtpEncodingParameters & { scalabilityMode?: string })[] {
    return senderOf(local(publication).track.mediaStreamTrack)?.getParameters().encodings ?? [];
}

function asked(publication: string): string {
    const plain = parameters(publication).map(({ rid, active, scaleResolutionDownBy, maxFramerate, maxBitrate, scalabilityMode }) =>
        ({ rid, active, scaleResolutionDownBy, maxFramerate, maxBitrate, scalabilityMode }));
    return JSON.stringify(plain);
}

function remote(publication: string): RemotePublication | undefined {
    return named([...theRoom().participants.values()].flatMap((who) => [...who.publications.values()]), publication);
}

/** Its first id; what nobody publishes any more is known by the id that it had. */
function keyOf(publication: string): string {
    const found = remote(publication);
    return found ? firstId(found) : publication;
}

/** The track of a publication, once it is subscribed. */
async function track(publication: string): Promise<ReceivedTrack> {
    if (!received.has(keyOf(publication))) await log.wait({ type: 'tracksubscribed', publication }, 0, PATIENCE_MS);
    const found = received.get(keyOf(publication));
    if (!found) throw new Error(`${publication} was subscribed to, but is no longer`);
    return found;
}

async function video(publication: string): Promise<NonNullable<ReceivedTrack['video']>> {
    const { video: reader } = await track(publication);
    if (!reader) throw new Error(`${publication} is no video`);
    return reader;
}

/** Reads the width of the presented frames. */
const widthOf = ({ element }: ReceivedTrack) => (): number => (element instanceof HTMLVideoElement ? element.videoWidth : 0);

/** Looks every few milliseconds until it is so: neither parameters nor sizes tell when they change. */
async function becomes(holds: () => boolean, what: string, ms: number, now: () => unknown): Promise<number> {
    const since = performance.now();
    while (!holds()) {
        if (performance.now() - since > ms) throw new Error(`not within ${ms} ms: ${what}; last seen: ${String(now())}`);
        await new Promise((resolve) => window.setTimeout(resolve, 10));
    }
    return performance.now() - since;
}

function theWatch(publication: string): Watch {
    const found = watches.get(keyOf(publication));
    if (!found) throw new Error(`${publication} is not watched`);
    return found;
}

async function framesDecoded(publication: string): Promise<{ frames: number; at: number }> {
    const report = await inboundOf((await track(publication)).mediaTrack);
    // Before the first packet there is no report: nothing was decoded, as of now.
    return { frames: Number(report?.['framesDecoded'] ?? 0), at: Number(report?.['timestamp'] ?? performance.timeOrigin + performance.now()) };
}

const page: ParticipantPage = {
    prepare,
    async join(url, token, { passphrase, ...options } = {}) {
        joinAt = performance.now();
        e2ee = passphrase === undefined ? undefined : new E2EE({ keys: passphraseKeys(passphrase), onRefused: (codec) => refusedCodecs.push(codec) });
        e2ee?.onData(({ from, payload, topic }) =>
            sealed.push({ from: from.identity, payload: typeof payload === 'string' ? payload : [...payload], topic }),
        );
        room = await connect(url, token, e2ee ? { ...options, e2ee } : options);
        log.listen(room); // in the same task: those who are there already are told too
        for (const type of ['publicationadded', 'localpublished'] as const) {
            room.on(type, ({ publication }) => firstIds.set(publication, publication.id));
        }
        room.on('tracksubscribed', ({ publication, track: media }) => {
            const key = firstId(publication);
            received.get(key)?.end();
            const track = new ReceivedTrack(publication, media);
            received.set(key, track);
            watches.get(key)?.follow(track);
        });
        room.on('trackunsubscribed', ({ publication }) => {
            received.get(firstId(publication))?.end();
            received.delete(firstId(publication));
        });
        return { id: room.local.id, ms: performance.now() - joinAt };
    },
    async refused(url, token) {
        try {
            await (await connect(url, token)).leave();
        } catch (error) {
            if (!(error instanceof NearcastError)) throw error;
            const { name, code, retryable, message } = error;
            return { name, code, retryable, message };
        }
        throw new Error('the room let us in');
    },
    async rotateKey() {
        if (!e2ee) throw new Error('join with a passphrase first');
        await e2ee.rotate();
    },
    async sendSealed(payload, options) {
        if (!e2ee) throw new Error('join with a passphrase first');
        await e2ee.sendData(typeof payload === 'string' ? payload : new Uint8Array(payload), options);
    },
    sealedMessages: async () => sealed,
    refusedCodecs: async () => refusedCodecs,
    leave: () => theRoom().leave(),
    state: async () => theRoom().state,

    async publishPicture(picture, { source = 'camera', ...options } = {}) {
        const painter = new Painter({ width: WIDTH, height: HEIGHT, ...picture });
        const { id } = await theRoom().local.publish(painter.track, { source, stopOnUnpublish: true, ...options });
        painters.set(id, painter);
        return id;
    },
    async publishTone(hz, { source = 'microphone' } = {}) {
        if (!(await webAudioRuns())) throw new Error('no AudioContext runs in this browser: publish its microphone');
        const tone = new Tone(hz);
        const { id } = await theRoom().local.publish(tone.track, { source, stopOnUnpublish: true });
        tones.set(id, tone);
        return id;
    },
    async publishMicrophone(options = {}) {
        const asItIs = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
        return (await theRoom().local.publishMicrophone({ ...asItIs, ...options })).id;
    },
    publishCamera: async () => (await theRoom().local.publishCamera({ width: WIDTH, height: HEIGHT })).id,
    async publishScreen() {
        const [screen] = await theRoom().local.publishScreen();
        if (!screen) throw new Error('nothing was published');
        return screen.id;
    },
    async replacePicture(publication, picture) {
        const painter = new Painter({ width: WIDTH, height: HEIGHT, ...picture });
        await local(publication).replaceTrack(painter.track);
        painters.get(publication)?.stop();
        painters.set(publication, painter);
    },
    async replaceTone(publication, hz) {
        const tone = new Tone(hz);
        await local(publication).replaceTrack(tone.track);
        tones.get(publication)?.stop();
        tones.set(publication, tone);
    },
    switchDevice: (publication, deviceId) => local(publication).switchDevice(deviceId),
    devices: async (kind) => (await devices.list(kind)).map(({ deviceId }) => deviceId),
    deviceOf: async (publication) => local(publication).track.mediaStreamTrack.getSettings().deviceId,
    async unplug(publication) {
        // No flag of a browser takes a fake device away: its track ends here as one does that lost its device.
        const media = local(publication).track.mediaStreamTrack;
        media.stop();
        media.dispatchEvent(new Event('ended'));
    },
    setMuted: (publication, muted) => (muted ? local(publication).mute() : local(publication).unmute()),
    async moderate(action, target = '') {
        switch (action) {
            case 'remove':
            case 'readmit':
                return theRoom().moderate(action, target);
            case 'lock':
            case 'unlock':
            case 'end':
                return theRoom().moderate(action);
            default: {
                const found = remote(target);
                if (!found) throw new Error(`nobody publishes ${target}`);
                return theRoom().moderate(action, found);
            }
        }
    },
    async unpublish(publication) {
        await local(publication).unpublish();
        painters.get(publication)?.stop();
        tones.get(publication)?.stop();
        painters.delete(publication);
        tones.delete(publication);
    },
    async setAudible(publication, audible) {
        const tone = tones.get(publication);
        if (!tone) throw new Error(`${publication} is no tone of mine`);
        tone.audible = audible;
    },
    async subscribe(publication, wanted) {
        const found = remote(publication);
        if (!found) throw new Error(`nobody publishes ${publication}`);
        await (wanted ? found.subscribe() : found.unsubscribe());
    },
    async send(payload, options = {}) {
        theRoom().sendData(typeof payload === 'string' ? payload : new Uint8Array(payload), options);
    },

    mark: async () => log.events.length,
    sees: (pattern, { since = 0, ms = PATIENCE_MS } = {}) => log.wait(pattern, since, ms),
    seen: async (type, since) => log.events.slice(since).filter((event) => event.type === type),
    async publicationOf(identity, source) {
        const here = [...theRoom().participants.values()].find((who) => who.identity === identity)?.publication(source);
        if (here) return here.id;
        const since = log.events.length;
        const event: LoggedEvent = await log.wait({ type: 'publicationadded', identity, source }, since, PATIENCE_MS);
        return event.publication ?? '';
    },
    async isMuted(publication) {
        const found = remote(publication);
        if (!found) throw new Error(`nobody publishes ${publication}`);
        return found.muted;
    },
    participants: async () =>
        [...theRoom().participants.values()].map(({ identity, id, publications }) => ({ identity, id, publications: [...publications.keys()] })),

    async measureVideo(publication, ms) {
        const reader = await video(publication);
        const before = await framesDecoded(publication);
        const measured = await reader.measure(ms);
        const after = await framesDecoded(publication);
        return { ...measured, decodedPerSecond: (after.frames - before.frames) / Math.max(0.001, (after.at - before.at) / 1000) };
    },
    async measureAudio(publication, ms, frequencies) {
        const { sound } = await track(publication);
        if (!sound) throw new Error(`${publication} is no audio`);
        return (await sound()).measure(ms, frequencies);
    },
    codecOf: async (publication) => codecOf((await track(publication)).mediaTrack),
    inboundCount: async (publication, counter) => Number((await inboundOf((await track(publication)).mediaTrack))?.[counter] ?? 0),
    async outgoing(publication) {
        const reports = await outboundOf(local(publication).track.mediaStreamTrack);
        return reports.map((report) => ({
            rid: String(report['rid'] ?? ''),
            active: report['active'] !== false,
            width: Number(report['frameWidth'] ?? 0),
            height: Number(report['frameHeight'] ?? 0),
            framesEncoded: Number(report['framesEncoded'] ?? 0),
            bytesSent: Number(report['bytesSent'] ?? 0),
            scalabilityMode: typeof report['scalabilityMode'] === 'string' ? report['scalabilityMode'] : undefined,
        }));
    },
    encodingIs(publication, rid, on, ms = PATIENCE_MS) {
        const active = (): string[] => parameters(publication).filter((one) => one.active).map((one) => one.rid ?? '');
        return becomes(() => active().includes(rid) === on, `encoding ${rid} to be ${on ? 'on' : 'off'}`, ms, active);
    },
    scalabilityIs(publication, mode, ms = PATIENCE_MS) {
        const now = (): string | undefined => parameters(publication)[0]?.scalabilityMode;
        return becomes(() => now() === mode, `scalability ${mode}`, ms, now);
    },
    askedOfEncoder: async (publication) => asked(publication),
    askedOfEncoderIs(publication, before, same, ms = PATIENCE_MS) {
        const now = (): string => asked(publication);
        return becomes(() => (now() === before) === same, `encoders to be told ${same ? 'again' : 'something else than'} ${before}`, ms, now);
    },
    pretendBusy: async (on) => pretendBusy(on),
    transports: async () => openedConnections(),
    async prefer(publication, preferences) {
        const found = remote(publication);
        if (!found) throw new Error(`nobody publishes ${publication}`);
        found.setVideoPreferences(preferences);
    },
    async showAs(publication, width) {
        (await track(publication)).element.style.width = `${width}px`;
    },
    async scrollAway(publication, away) {
        const { element } = await track(publication);
        // Below what the page shows; the rest of the page stays where it is.
        element.style.marginTop = away ? '300vh' : '';
        window.scrollTo(0, 0);
    },
    async layerBecomes(publication, wanted) {
        const now = () => remote(publication)?.layer;
        const holds = () => Object.entries(wanted).every(([key, value]) => now()?.[key as keyof typeof wanted] === value);
        return becomes(holds, JSON.stringify(wanted), PATIENCE_MS, () => JSON.stringify(now()));
    },
    layerOf: async (publication) => remote(publication)?.layer,
    async qualityBecomes({ publication, participant }, levels, ms = 2 * PATIENCE_MS) {
        const now = (): Quality | undefined => {
            if (participant !== undefined) return theRoom().participants.get(participant)?.quality;
            if (publication === undefined) return theRoom().quality;
            return (remote(publication) ?? local(publication)).quality;
        };
        await becomes(() => levels.includes(now()?.level ?? 'unknown'), `quality ${levels.join(' or ')}`, ms, () => JSON.stringify(now()));
        return now()!;
    },
    async pictureBecomes(publication, width, ms = PATIENCE_MS) {
        const now = widthOf(await track(publication));
        return becomes(() => now() === width, `a picture ${width} pixels wide`, ms, now);
    },
    async pictureShrinks(publication, below, ms = PATIENCE_MS) {
        const now = widthOf(await track(publication));
        return becomes(() => now() < below, `a picture narrower than ${below} pixels`, ms, now);
    },
    async pictureStops(publication, quietMs) {
        await (await video(publication)).quiet(quietMs, PATIENCE_MS);
    },
    async nextFrame(publication) {
        const since = performance.now();
        const { pattern, at } = await (await video(publication)).next(PATIENCE_MS);
        return { pattern, ms: at - since };
    },
    async watch(publication) {
        const watch = new Watch();
        watches.set(keyOf(publication), watch);
        watch.follow(await track(publication));
    },
    flowsAgain: (publication, after, ms) => theWatch(publication).flowsAgain(after, ms),
    watched: async (publication, after = 0) => theWatch(publication).since(after),
    now: async () => performance.now(),
    unhandled: async () => unhandled,
    async firstFrame(publication) {
        const reader = await video(publication);
        if (reader.firstFrameAt === undefined) await reader.measure(0, PATIENCE_MS);
        const announced = await log.wait({ type: 'publicationadded', publication }, 0, PATIENCE_MS);
        const at = reader.firstFrameAt ?? NaN;
        return { sinceJoin: at - joinAt, sinceConnected: at - (firstConnectedAt() ?? NaN), sinceAnnounced: at - announced.at };
    },

    async signal(picture, tone, on) {
        signals?.stop();
        const painter = painters.get(picture);
        const sound = tones.get(tone);
        if (!painter || !sound) throw new Error(`${picture} and ${tone} are not a picture and a tone of mine`);
        signals = on ? signal(painter, sound) : undefined;
    },
    async measureLipSync(picture, tone, pairs) {
        return offsets(await video(picture), (await track(tone)).mediaTrack, pairs, 2 * PATIENCE_MS);
    },
    async senderClockOffset(picture, tone) {
        const [seen, heard] = await Promise.all([picture, tone].map(async (id) => inboundOf((await track(id)).mediaTrack)));
        const [a, b] = [seen?.['estimatedPlayoutTimestamp'], heard?.['estimatedPlayoutTimestamp']];
        return typeof a === 'number' && typeof b === 'number' ? b - a : undefined;
    },

    transport: transportFacts,
    mediaPath,
    turnServers: async () => turnServers(),
    ownAddresses: async () => ownAddresses(),
    turnCredentials: async () => turnCredentials(),
    askForRelay,
    iceName: async () => iceName(),
    sourceOf: async (publication) => sourceOf((await track(publication)).mediaTrack),
    pathOf: async (identity) => [...theRoom().participants.values()].find((who) => who.identity === identity)?.path ?? 'nobody',
    sendEstimate,
    snapshot: async () => ({
        state: room?.state,
        local: room && { id: room.local.id, publications: [...room.local.publications.values()].map(({ id, source, muted }) => ({ id, source, muted })) },
        participants: [...(room?.participants.values() ?? [])].map(({ id, identity, publications }) => ({
            id,
            identity,
            publications: [...publications.values()].map((it) => ({
                id: it.id,
                source: it.source,
                muted: it.muted,
                subscribed: it.subscribed,
                track: it.track?.mediaStreamTrack.readyState,
                layer: it.layer,
                lastFrame: received.get(firstId(it))?.video?.last,
            })),
        })),
        connections: connections().map(({ connectionState, iceConnectionState, signalingState }) => ({ connectionState, iceConnectionState, signalingState })),
        stats: await room?.stats().catch(String),
        visibility: document.visibilityState,
        lastEvents: log.events.slice(-40).map((event) => JSON.stringify(event)),
    }),
};
expose(page);
