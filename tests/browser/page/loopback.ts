// Two RTCPeerConnections in one page, without an edge or an SDK: on this the measuring parts themselves are tested.

import { audioContext, webAudioRuns } from './media/audio-context.ts';
import { listenTo, type ToneListener } from './media/listen.ts';
import { offsets, signal } from './media/lip-sync.ts';
import { Painter } from './media/paint.ts';
import { VideoReader } from './media/read.ts';
import { Tone } from './media/tone.ts';
import type { LoopbackPage } from './contract.ts';
import { expose } from './expose.ts';

let painter: Painter | undefined;
let tones: Tone[] = [];
let reader: VideoReader | undefined;
let listener: ToneListener | undefined;
let heard: MediaStreamTrack | undefined;

async function joined(from: RTCPeerConnection, to: RTCPeerConnection): Promise<Map<string, MediaStreamTrack>> {
    const tracks = new Map<string, MediaStreamTrack>();
    from.onicecandidate = ({ candidate }) => void to.addIceCandidate(candidate ?? undefined);
    to.onicecandidate = ({ candidate }) => void from.addIceCandidate(candidate ?? undefined);
    to.ontrack = ({ track }) => tracks.set(track.kind, track);
    await from.setLocalDescription();
    await to.setRemoteDescription(from.localDescription!);
    await to.setLocalDescription();
    await from.setRemoteDescription(to.localDescription!);
    return tracks;
}

async function mixOf(frequencies: readonly number[]): Promise<MediaStreamTrack> {
    if (!(await webAudioRuns())) throw new Error('no AudioContext runs here: use the fake microphone');
    tones = frequencies.map((hz) => new Tone(hz));
    const mix = audioContext().createMediaStreamDestination();
    for (const tone of tones) audioContext().createMediaStreamSource(new MediaStream([tone.track])).connect(mix);
    return mix.stream.getAudioTracks()[0]!;
}

async function microphone(): Promise<MediaStreamTrack> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    return stream.getAudioTracks()[0]!;
}

const page: LoopbackPage = {
    async start({ picture, tones: frequencies, spoilCounter }) {
        painter = new Painter({ width: 320, height: 180, ...picture, spoilCounter: spoilCounter ?? false });
        const sound = frequencies === 'microphone' ? await microphone() : await mixOf(frequencies);
        const from = new RTCPeerConnection();
        const to = new RTCPeerConnection();
        from.addTrack(painter.track);
        from.addTrack(sound);
        const tracks = await joined(from, to);
        const video = document.createElement('video');
        video.muted = true;
        video.autoplay = true;
        video.srcObject = new MediaStream([...tracks.values()]);
        document.body.append(video);
        heard = tracks.get('audio')!;
        reader = new VideoReader(video);
        listener = await listenTo(heard);
    },
    measureVideo: (ms, patienceMs) => reader!.measure(ms, patienceMs),
    measureAudio: (ms, frequencies) => listener!.measure(ms, frequencies),
    async measureLipSync(pairs, delayMs) {
        const signals = signal(painter!, tones[0]!, delayMs);
        try {
            return await offsets(reader!, heard!, pairs, 15_000);
        } finally {
            signals.stop();
        }
    },
    stopPainting: async () => painter!.stop(),
};
expose(page);
