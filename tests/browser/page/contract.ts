// What a test page and the tests say to each other: plain data and the methods a test may call in a page. No DOM types
// here, so that both sides can be type-checked against it.

/** One presented video frame, read back. */
export interface FrameReading {
    /** performance.now() of its presentation. */
    at: number;
    /** Frames presented so far by the element, this one included. */
    presented: number;
    /** The colours from left to right; undefined when one of them is none of the palette. */
    pattern: string | undefined;
    /** The publisher's frame counter; undefined when it could not be read or its checksum is wrong. */
    counter: number | undefined;
    /** Whether the flash square is lit. */
    lit: boolean | undefined;
}

export interface VideoMeasurement {
    seconds: number;
    /** By the element's own count. */
    presentedPerSecond: number;
    /** Different frames of the publisher that were read, each with a valid checksum. */
    countersPerSecond: number;
    /** How many frames were looked at. */
    frames: number;
    /** How many of them could not be read. */
    unreadable: number;
    /** How often the publisher's counter went back. */
    backwards: number;
    longestGapMs: number;
    /** How many frames showed which pattern. */
    patterns: Record<string, number>;
}

export interface AudioMeasurement {
    /** Median over the time of the loudest frequency; 0 is silence. */
    loudestHz: number;
    /** Mean power at each tone asked for, in dB of full scale. */
    levelsDb: Record<string, number>;
}

export interface PictureOptions {
    /** Which of the patterns (0..6). */
    pattern: number;
    width?: number;
    height?: number;
    /** With noise in it: true takes an encoder all the bits that it may spend, a part of 1 fewer. */
    noise?: boolean | number;
}

/** Page `loopback`: one publisher and one receiver without an edge between them. */
export interface LoopbackPage {
    start(options: { picture: PictureOptions; tones: number[] | 'microphone'; spoilCounter?: boolean }): Promise<void>;
    /** `patienceMs`: how long to wait for the last frame. */
    measureVideo(ms: number, patienceMs?: number): Promise<VideoMeasurement>;
    measureAudio(ms: number, tones: number[]): Promise<AudioMeasurement>;
    /** Offsets of sound against picture, positive when the sound comes later; `delayMs` holds the sound back on purpose. */
    measureLipSync(pairs: number, delayMs: number): Promise<number[]>;
    stopPainting(): Promise<void>;
}

export type Source = 'camera' | 'microphone' | 'screen' | 'screen-audio' | 'other';

/** An event of a room as plain data. Only what its type carries is set. */
export interface LoggedEvent {
    at: number;
    type: string;
    /** Who it is about. */
    identity?: string;
    participant?: string;
    publication?: string;
    source?: Source;
    state?: string;
    /** Of a recovery, or of what was adapted. */
    step?: string;
    what?: string;
    active?: boolean;
    previous?: string;
    muted?: boolean;
    /** Of moderation. */
    action?: string;
    reason?: string;
    path?: string;
    speakers?: string[];
    error?: string;
    /** Of layers. */
    width?: number;
    height?: number;
    paused?: boolean;
    /** Of data messages. */
    from?: string;
    text?: string;
    bytes?: number[];
    topic?: string;
    reliable?: boolean;
}

/** What an awaited event must have; what is not named may be anything. */
export type EventPattern = Partial<Omit<LoggedEvent, 'at'>> & { type: string };

export interface TransportFacts {
    srtpCipher: string | undefined;
    dtlsCipher: string | undefined;
    tlsVersion: string | undefined;
    dtlsRole: string | undefined;
    codecs: string[];
    /** The edge promised transport-wide feedback, at least for something. */
    transportFeedback: boolean;
}

export interface TurnCredentials {
    username: string;
    credential: string;
}

export interface MediaPath {
    local: string | undefined;
    /** UDP port of the local candidate. */
    localPort: number | undefined;
    remote: string | undefined;
    protocol: string | undefined;
    /** How a relay is spoken to: 'udp', 'tcp' or 'tls'; undefined: media doesn't go by one. */
    relay: string | undefined;
}

export interface DecodedVideo extends VideoMeasurement {
    /** By the browser's own count (getStats, framesDecoded). */
    decodedPerSecond: number;
}

export interface PublishPictureOptions {
    source?: Source;
    codec?: 'vp8' | 'vp9' | 'av1' | 'h264';
    simulcast?: boolean;
    scalabilityMode?: string;
    maxBitrate?: number;
}

/** One outbound-rtp report. */
export interface OutgoingEncoding {
    rid: string;
    active: boolean;
    width: number;
    height: number;
    framesEncoded: number;
    bytesSent: number;
    scalabilityMode: string | undefined;
}

/** As in the SDK. */
export interface VideoPreferences {
    width?: number;
    height?: number;
    visible?: boolean;
    maxFramerate?: number;
    priority?: 'auto' | 'thumbnail' | 'speaker' | 'on-stage';
}

/** What the SDK says of a publication, a participant or the connection. */
export interface QualityFacts {
    score: number;
    level: string;
    cause: string;
    contributions: Partial<Record<string, number>>;
    evidence: { rttMs?: number; framesPerSecond?: number; lines?: number; linesAsked?: number; bufferMs?: number; meanOpinionScore?: number };
}

export interface LayerFacts {
    width: number;
    height: number;
    framesPerSecond: number;
    bitrate: number;
    paused: boolean;
    reason: string;
}

/** Page `participant`: one participant of a room, on the public API of the SDK. Waits in it are bounded. */
export interface ParticipantPage {
    /** As a page does that shows a lobby first. */
    prepare(): Promise<void>;
    /** Enters the room; the participant's id, and how long it took. */
    join(url: string, token: string, options?: { autoSubscribe?: boolean; adaptiveStream?: boolean; adaptation?: boolean; direct?: boolean; passphrase?: string; rtcConfiguration?: { iceTransportPolicy: 'relay' } }): Promise<{ id: string; ms: number }>;
    /** Sends under another key from now on. */
    rotateKey(): Promise<void>;
    /** Sends a message that only those with the key can read. */
    sendSealed(payload: string | number[], options?: { topic?: string; reliable?: boolean }): Promise<void>;
    /** Sealed messages that could be opened so far: from whom, bytes as numbers. */
    sealedMessages(): Promise<{ from: string; payload: string | number[]; topic: string | undefined }[]>;
    /** Codecs of mine that can't be sealed, and weren't sent. */
    refusedCodecs(): Promise<string[]>;
    /** Tries to enter and must not succeed: what the SDK says. */
    refused(url: string, token: string): Promise<{ name: string; code: string; retryable: boolean; message: string }>;
    leave(): Promise<void>;
    state(): Promise<string>;

    /** Publishes a painted canvas, or a tone; the publication's id. */
    publishPicture(picture: PictureOptions, options?: PublishPictureOptions): Promise<string>;
    publishTone(hz: number, options?: { source?: Source }): Promise<string>;
    /** Publishes the browser's fake microphone as it is, without processing. */
    publishMicrophone(options?: { red?: boolean }): Promise<string>;
    /** Publishes the browser's fake camera, or a screen without its sound. */
    publishCamera(): Promise<string>;
    publishScreen(): Promise<string>;
    /** Sends another painted canvas, or another tone, under a publication of mine. */
    replacePicture(publication: string, picture: PictureOptions): Promise<void>;
    replaceTone(publication: string, hz: number): Promise<void>;
    switchDevice(publication: string, deviceId: string): Promise<void>;
    devices(kind: 'videoinput' | 'audioinput'): Promise<string[]>;
    /** The device that a publication of mine comes from. */
    deviceOf(publication: string): Promise<string | undefined>;
    /** As if the device that a publication of mine comes from were unplugged. */
    unplug(publication: string): Promise<void>;
    setMuted(publication: string, muted: boolean): Promise<void>;
    /** Moderates: a publication, an identity or, without a target, the room. */
    moderate(action: 'remove' | 'readmit' | 'ask-mute' | 'mute' | 'allow-unmute' | 'lock' | 'unlock' | 'end', target?: string): Promise<void>;
    unpublish(publication: string): Promise<void>;
    /** Silences a published tone at its source: the track stays as it is. */
    setAudible(publication: string, audible: boolean): Promise<void>;
    /** Subscribes, or unsubscribes. */
    subscribe(publication: string, wanted: boolean): Promise<void>;
    send(payload: string | number[], options?: { to?: string; topic?: string; reliable?: boolean }): Promise<void>;

    /** How many events there were: to wait for one after now. */
    mark(): Promise<number>;
    sees(pattern: EventPattern, options?: { since?: number; ms?: number }): Promise<LoggedEvent>;
    /** Which events of a type came since. */
    seen(type: string, since: number): Promise<LoggedEvent[]>;
    /** Waits until a participant publishes this source; the publication's id. */
    publicationOf(identity: string, source: Source): Promise<string>;
    isMuted(publication: string): Promise<boolean>;
    participants(): Promise<{ identity: string; id: string; publications: string[] }[]>;

    /** Measures a subscribed publication, after waiting for its track. */
    measureVideo(publication: string, ms: number): Promise<DecodedVideo>;
    measureAudio(publication: string, ms: number, tones: number[]): Promise<AudioMeasurement>;
    /** What is sent of a publication of mine now, smallest picture first, by the browser's statistics. */
    outgoing(publication: string): Promise<OutgoingEncoding[]>;
    /** Waits until an encoding of a publication of mine is switched on, or off; how long it took. */
    encodingIs(publication: string, rid: string, on: boolean, ms?: number): Promise<number>;
    /** Waits until a publication of mine is sent with this scalability mode. */
    scalabilityIs(publication: string, mode: string, ms?: number): Promise<number>;
    /** What the encoders of a publication of mine are told to do: which encodings, how large, how often. To be compared. */
    askedOfEncoder(publication: string): Promise<string>;
    /** Waits until that is `asked` again, or no longer; how long it took. */
    askedOfEncoderIs(publication: string, asked: string, same: boolean, ms?: number): Promise<number>;
    /** As if the processor were too slow for every picture that I send, or no longer. */
    pretendBusy(on: boolean): Promise<void>;
    /** How many connections were ever opened. */
    transports(): Promise<number>;
    /** Says how I show a publication. */
    prefer(publication: string, preferences: VideoPreferences): Promise<void>;
    /** Gives the element that shows a publication this width, in CSS pixels. */
    showAs(publication: string, width: number): Promise<void>;
    /** Scrolls it out of the page's view, or back. */
    scrollAway(publication: string, away: boolean): Promise<void>;
    /** Waits until the SDK says that the edge sends this of it: what is not named may be anything. How long it took. */
    layerBecomes(publication: string, wanted: Partial<LayerFacts>): Promise<number>;
    /** What the SDK says that the edge sends of it. */
    layerOf(publication: string): Promise<LayerFacts | undefined>;
    /** Waits until a publication, a participant or (without either) my connection is judged as one of these. */
    qualityBecomes(of: { publication?: string; participant?: string }, levels: string[], ms?: number): Promise<QualityFacts>;
    /** Waits until the presented frames are this wide; how long it took. */
    pictureBecomes(publication: string, width: number, ms?: number): Promise<number>;
    /** Waits until they are narrower than this. */
    pictureShrinks(publication: string, below: number, ms?: number): Promise<number>;
    /** Such as `video/VP8`, by the browser's statistics. */
    codecOf(publication: string): Promise<string | undefined>;
    /** A counter of the browser's inbound-rtp statistics, such as `packetsReceived`; 0 before the first packet. */
    inboundCount(publication: string, counter: string): Promise<number>;
    /** Waits until no frame could be read for `quietMs`: none comes, or only black ones. */
    pictureStops(publication: string, quietMs: number): Promise<void>;
    /** Waits for the next frame that can be read; its pattern, and how long it took. */
    nextFrame(publication: string): Promise<{ pattern: string; ms: number }>;
    /** Keeps the time of every frame of a publication that can be read, from now on. */
    watch(publication: string): Promise<void>;
    /** Waits until pictures of what is watched flow again after `after`: the first frame of a second with ten or more. When it came, by `now`. */
    flowsAgain(publication: string, after: number, ms: number): Promise<number>;
    /** The frames since watching began, or since `after`: how many, the longest time without one, and when the last came. */
    watched(publication: string, after?: number): Promise<{ frames: number; longestGapMs: number; last: number; widths: number[] }>;
    /** performance.now() of the page, by which all its times are. */
    now(): Promise<number>;
    /** Promise rejections that nobody handled, since the page was opened. */
    unhandled(): Promise<string[]>;
    /** Waits for the first frame: milliseconds since `join` was called, since the transport was connected, and since the publication was announced. */
    firstFrame(publication: string): Promise<{ sinceJoin: number; sinceConnected: number; sinceAnnounced: number }>;

    /** Flashes and beeps until told to stop. */
    signal(picture: string, tone: string, on: boolean): Promise<void>;
    /** Offsets of sound against picture, positive when the sound comes later. */
    measureLipSync(picture: string, tone: string, pairs: number): Promise<number[]>;
    /** How far apart the capture times of what is played now are, by the sender's own clock (RTCP sender reports); ms. */
    senderClockOffset(picture: string, tone: string): Promise<number | undefined>;

    transport(): Promise<TransportFacts>;
    /** The addresses at either end of the candidate pair that media goes through. */
    mediaPath(): Promise<MediaPath>;
    /** Addresses of the STUN and TURN servers that the browser has now, in their order. */
    turnServers(): Promise<string[]>;
    /** Addresses in the browser's own candidates, in the order in which it offers them; `.local` names where it hides them. */
    ownAddresses(): Promise<string[]>;
    /** The credentials that the browser has for TURN servers now. */
    turnCredentials(): Promise<TurnCredentials | undefined>;
    /** Asks TURN servers for a relay, in a connection of its own: 0 when one is given, else the code of the refusal. */
    askForRelay(urls: string[], credentials: TurnCredentials): Promise<number>;
    /** The names in the offer's ICE credentials, which change with every restart. */
    iceName(): Promise<string | undefined>;
    /** `ADDRESS:PORT` that the media of a publication comes from. */
    sourceOf(publication: string): Promise<string | undefined>;
    /** How the SDK says that somebody's media comes: 'direct' or 'edge'. */
    pathOf(identity: string): Promise<string>;
    /** What the browser's sender believes the way to the edge can carry, in bits per second. */
    sendEstimate(): Promise<number | undefined>;
    /** What a failed test prints. */
    snapshot(): Promise<unknown>;
}

/** Page `leak`: joins and leaves. */
export interface LeakPage {
    /** One stay for each token; `keep` holds on to the rooms on purpose: with it the counting is tested. */
    cycle(url: string, tokens: string[], keep?: boolean): Promise<void>;
    letGo(): Promise<void>;
    census(): Promise<{ liveRooms: number; openConnections: number; openedConnections: number; uncollectedConnections: number }>;
}

/** Page `foreign`: a client without the SDK, speaking JSON. */
export interface ForeignPage {
    join(url: string, token: string, picture: PictureOptions, hz: number): Promise<{ id: string; picture: string; tone: string }>;
    measureVideo(publication: string, ms: number): Promise<VideoMeasurement>;
    measureAudio(publication: string, ms: number, tones: number[]): Promise<AudioMeasurement>;
    snapshot(): Promise<unknown>;
}
