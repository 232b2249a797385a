// What pages without our SDK measure of a track they receive, and what they tell of their connection.

import type { AudioMeasurement, VideoMeasurement } from './contract.ts';
import { listenTo } from './media/listen.ts';
import { VideoReader } from './media/read.ts';

export async function measureVideoOf(track: MediaStreamTrack, ms: number): Promise<VideoMeasurement> {
    const element = play('video', track);
    const reader = new VideoReader(element);
    try {
        return await reader.measure(ms);
    } finally {
        reader.stop();
        element.remove();
    }
}

export async function measureAudioOf(track: MediaStreamTrack, ms: number, tones: number[]): Promise<AudioMeasurement> {
    const element = play('audio', track);
    const listener = await listenTo(track);
    try {
        return await listener.measure(ms, tones);
    } finally {
        listener.stop();
        element.remove();
    }
}

/** What a failed test prints of it. */
export async function describe(connection: RTCPeerConnection): Promise<Record<string, unknown>> {
    const kinds = ['transport', 'inbound-rtp', 'outbound-rtp', 'candidate-pair'];
    return {
        connection: connection.connectionState,
        ice: connection.iceConnectionState,
        local: connection.localDescription?.sdp,
        remote: connection.remoteDescription?.sdp,
        stats: [...(await connection.getStats()).values()].filter(({ type }) => kinds.includes(type)),
    };
}

function play<K extends 'audio' | 'video'>(kind: K, track: MediaStreamTrack): HTMLElementTagNameMap[K] {
    const element = document.createElement(kind);
    element.muted = true;
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    return element;
}
