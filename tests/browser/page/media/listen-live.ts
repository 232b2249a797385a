// A ToneListener on an AnalyserNode.

import type { AudioMeasurement } from '../contract.ts';
import { audioContext } from './audio-context.ts';
import type { ToneListener } from './listen.ts';
import { FLOOR_DB, LOBE_HZ, SpectrumMean, WINDOW } from './spectrum.ts';

/** Half a window: each look hears something new, and nothing is missed. */
const LOOK_MS = 85;

export class LiveListener implements ToneListener {
    readonly #analyser: AnalyserNode;
    readonly #source: MediaStreamAudioSourceNode;
    readonly #spectrum: Float32Array<ArrayBuffer>;

    constructor(track: MediaStreamTrack) {
        const context = audioContext();
        this.#analyser = new AnalyserNode(context, { fftSize: WINDOW, smoothingTimeConstant: 0 });
        this.#source = context.createMediaStreamSource(new MediaStream([track]));
        this.#source.connect(this.#analyser);
        this.#spectrum = new Float32Array(this.#analyser.frequencyBinCount);
    }

    stop(): void {
        this.#source.disconnect();
    }

    measure(ms: number, tones: readonly number[]): Promise<AudioMeasurement> {
        const mean = new SpectrumMean(tones);
        const began = performance.now();
        return new Promise((resolve) => {
            const timer = window.setInterval(() => {
                this.#analyser.getFloatFrequencyData(this.#spectrum);
                mean.add(tones.map((hz) => this.#around(hz)), this.#loudest());
                if (performance.now() - began < ms) return;
                window.clearInterval(timer);
                resolve(mean.result());
            }, LOOK_MS);
        });
    }

    get #binHz(): number {
        return this.#analyser.context.sampleRate / WINDOW;
    }

    #loudest(): number {
        const top = this.#spectrum.reduce((best, db, bin, all) => (db > (all[best] ?? FLOOR_DB) ? bin : best), 0);
        return (this.#spectrum[top] ?? FLOOR_DB) > FLOOR_DB ? top * this.#binHz : 0;
    }

    #around(hz: number): number {
        const from = Math.floor((hz - LOBE_HZ) / this.#binHz);
        const to = Math.ceil((hz + LOBE_HZ) / this.#binHz);
        return Math.max(FLOOR_DB, ...this.#spectrum.slice(from, to + 1));
    }
}
