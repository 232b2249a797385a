// Flashes and beeps at the same instant on one side; on the other, measures how far apart they arrive.

import { audioContext } from './audio-context.ts';
import { BEEP_HZ, type Tone } from './tone.ts';
import type { Painter } from './paint.ts';
import type { VideoReader } from './read.ts';

const BEEP_MS = 150;
/** More than twice the largest offset that is still paired, so that no flash meets its neighbour's beep. */
const PERIOD_MS = 1000;
const PAIRING_MS = 450;
/** The beep passes the filter with an RMS of 0.35, the tone beneath it with under 0.01. */
const BEEP_RMS = 0.12;

/** Flashes and beeps until `stop`. A `delayMs` holds the beep back on purpose: with it the measuring is tested. */
export function signal(painter: Painter, tone: Tone, delayMs = 0): { stop(): void } {
    const later = new Set<number>();
    const after = (ms: number, act: () => void): void => {
        const timer = window.setTimeout(() => {
            later.delete(timer);
            act();
        }, ms);
        later.add(timer);
    };
    const flash = (on: boolean): void => void (painter.flashing = on);
    const beep = (on: boolean): void => void (tone.beeping = on);
    const timer = window.setInterval(() => {
        flash(true);
        if (delayMs > 0) after(delayMs, () => beep(true));
        else beep(true);
        after(BEEP_MS, () => flash(false));
        after(BEEP_MS + delayMs, () => beep(false));
    }, PERIOD_MS);
    return {
        stop() {
            window.clearInterval(timer);
            later.forEach((id) => window.clearTimeout(id));
            flash(false);
            beep(false);
        },
    };
}

/** The offsets (ms, positive: sound after picture) of the next `pairs` signals. */
export function offsets(video: VideoReader, audio: MediaStreamTrack, pairs: number, patienceMs: number): Promise<number[]> {
    const flashes: number[] = [];
    const beeps: number[] = [];
    const context = audioContext();
    const source = context.createMediaStreamSource(new MediaStream([audio]));
    const filter = new BiquadFilterNode(context, { type: 'bandpass', frequency: BEEP_HZ, Q: 8 });
    const analyser = new AnalyserNode(context, { fftSize: 512 });
    source.connect(filter).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const onset = (list: number[], at: number): void => {
        // One onset per signal, whatever flickers on the way.
        if (at - (list.at(-1) ?? -Infinity) > PERIOD_MS / 2) list.push(at);
    };
    let dark = false;
    let quiet = false;
    const listen = (frame: { at: number; lit: boolean | undefined }): void => {
        if (frame.lit === true && dark) onset(flashes, frame.at);
        if (frame.lit !== undefined) dark = !frame.lit;
    };
    video.listeners.add(listen);
    return new Promise((resolve, reject) => {
        const began = performance.now();
        const timer = window.setInterval(() => {
            analyser.getFloatTimeDomainData(samples);
            const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
            const now = performance.now();
            if (rms > BEEP_RMS && quiet) onset(beeps, now);
            quiet = rms <= BEEP_RMS;
            const paired = flashes.flatMap((flash) => {
                const near = beeps.map((beep) => beep - flash).filter((offset) => Math.abs(offset) < PAIRING_MS);
                return near.length > 0 ? [near.reduce((a, b) => (Math.abs(a) < Math.abs(b) ? a : b))] : [];
            });
            const late = now - began > patienceMs;
            if (paired.length < pairs && !late) return;
            window.clearInterval(timer);
            video.listeners.delete(listen);
            source.disconnect();
            if (paired.length >= pairs) resolve(paired);
            else reject(new Error(`${paired.length} of ${pairs} signals in ${patienceMs} ms: ${flashes.length} flashes, ${beeps.length} beeps`));
        }, 5);
    });
}
