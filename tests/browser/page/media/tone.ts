// Plays a publisher's tone into an audio track.

import { audioContext } from './audio-context.ts';

/** Loud enough for voice detection, quiet enough to leave the codec headroom: -14 dBFS. */
const TONE_GAIN = 0.2;
/** A beep must stand out above the tone that goes on beneath it. */
const BEEP_GAIN = 0.5;
/** Clear of every tone and its second harmonic. */
export const BEEP_HZ = 3200;

export class Tone {
    readonly track: MediaStreamTrack;
    readonly #oscillator: OscillatorNode;
    readonly #beep: OscillatorNode;
    readonly #gain: GainNode;
    readonly #beepGain: GainNode;

    constructor(hz: number) {
        const context = audioContext();
        const destination = context.createMediaStreamDestination();
        this.#gain = new GainNode(context, { gain: TONE_GAIN });
        this.#oscillator = new OscillatorNode(context, { frequency: hz });
        this.#oscillator.connect(this.#gain).connect(destination);
        this.#oscillator.start();
        this.#beepGain = new GainNode(context, { gain: 0 });
        this.#beep = new OscillatorNode(context, { frequency: BEEP_HZ });
        this.#beep.connect(this.#beepGain).connect(destination);
        this.#beep.start();
        const [track] = destination.stream.getAudioTracks();
        if (!track) throw new Error('the audio destination gave no track');
        this.track = track;
    }

    /** Silences the tone or brings it back; the track goes on either way. */
    set audible(on: boolean) {
        this.#gain.gain.value = on ? TONE_GAIN : 0;
    }

    set beeping(on: boolean) {
        this.#beepGain.gain.value = on ? BEEP_GAIN : 0;
    }

    stop(): void {
        this.#oscillator.stop();
        this.#beep.stop();
        this.track.stop();
    }
}
