// A ToneListener that records, decodes the recording, and takes its spectrum: for Firefox on a machine without a sound
// device, where an AudioContext never starts but recording and offline decoding work.

import type { AudioMeasurement } from '../contract.ts';
import type { ToneListener } from './listen.ts';
import { FLOOR_DB, SpectrumMean, WINDOW } from './spectrum.ts';

const SAMPLE_RATE = 48_000;
/** The recorder's own encoder needs a moment to settle. */
const SKIPPED_SECONDS = 0.3;
/** The loudest frequency is looked for in this range, at the analyser's resolution. */
const LOWEST_HZ = 100;
const HIGHEST_HZ = 4000;
const STEP_HZ = SAMPLE_RATE / WINDOW;

export class RecordingListener implements ToneListener {
    readonly #track: MediaStreamTrack;

    constructor(track: MediaStreamTrack) {
        this.#track = track;
    }

    stop(): void {
        // Nothing goes on between two measurements.
    }

    async measure(ms: number, tones: readonly number[]): Promise<AudioMeasurement> {
        const recording = await record(this.#track, ms + SKIPPED_SECONDS * 1000);
        const decoder = new OfflineAudioContext(1, SAMPLE_RATE, SAMPLE_RATE);
        const samples = (await decoder.decodeAudioData(recording)).getChannelData(0).subarray(SKIPPED_SECONDS * SAMPLE_RATE);
        const mean = new SpectrumMean(tones);
        for (let from = 0; from + WINDOW <= samples.length; from += WINDOW) {
            const windowed = samples.slice(from, from + WINDOW).map((sample, i) => sample * blackman(i / WINDOW));
            let loudest = { hz: 0, db: FLOOR_DB };
            for (let hz = LOWEST_HZ; hz <= HIGHEST_HZ; hz += STEP_HZ) {
                const db = levelAt(windowed, hz);
                if (db > loudest.db) loudest = { hz, db };
            }
            mean.add(tones.map((hz) => levelAt(windowed, hz)), loudest.hz);
        }
        return mean.result();
    }
}

async function record(track: MediaStreamTrack, ms: number): Promise<ArrayBuffer> {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const parts: Blob[] = [];
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }));
    recorder.start();
    await new Promise((resolve) => window.setTimeout(resolve, ms));
    recorder.stop();
    await stopped;
    return new Blob(parts).arrayBuffer();
}

/** The window of an AnalyserNode (Web Audio API, "Blackman window", α = 0.16). */
function blackman(x: number): number {
    return 0.42 - 0.5 * Math.cos(2 * Math.PI * x) + 0.08 * Math.cos(4 * Math.PI * x);
}

/** Goertzel's algorithm: the level at one frequency, scaled as an AnalyserNode scales its bins. */
function levelAt(samples: Float32Array, hz: number): number {
    const step = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
    let [before, last] = [0, 0];
    for (const sample of samples) [before, last] = [last, sample + step * last - before];
    const power = before * before + last * last - step * before * last;
    return Math.max(FLOOR_DB, 10 * Math.log10(power) - 20 * Math.log10(samples.length));
}
