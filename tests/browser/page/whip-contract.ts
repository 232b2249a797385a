// What the page `whip` can do, as tests call it: a client without the SDK and without signalling.

import type { AudioMeasurement, PictureOptions, VideoMeasurement } from './contract.ts';

export interface WhipPage {
    publish(endpoint: string, token: string, picture: PictureOptions, hz: number): Promise<void>;
    play(endpoint: string, token: string): Promise<void>;
    /** DELETEs the session; the status. */
    end(): Promise<number>;
    /** Waits until the other side has said goodbye. */
    over(): Promise<void>;
    measureVideo(ms: number): Promise<VideoMeasurement>;
    measureAudio(ms: number, tones: number[]): Promise<AudioMeasurement>;
    snapshot(): Promise<unknown>;
}
