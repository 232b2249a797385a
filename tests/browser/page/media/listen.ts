// Hears which tones a remote audio track carries, and how loud: live where Web Audio runs, else from a recording.

import type { AudioMeasurement } from '../contract.ts';
import { webAudioRuns } from './audio-context.ts';
import { LiveListener } from './listen-live.ts';
import { RecordingListener } from './listen-recorded.ts';

export interface ToneListener {
    /** Mean power at each of `tones` over `ms`, in dB, and the frequency that was the loudest most of the time. */
    measure(ms: number, tones: readonly number[]): Promise<AudioMeasurement>;
    stop(): void;
}

/** In Chromium nothing flows unless the track also plays in some (muted) element: the caller sees to that. */
export async function listenTo(track: MediaStreamTrack): Promise<ToneListener> {
    return (await webAudioRuns()) ? new LiveListener(track) : new RecordingListener(track);
}
