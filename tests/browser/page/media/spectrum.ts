// What a stretch of sound amounts to: levels at given tones, and the loudest frequency.

import type { AudioMeasurement } from '../contract.ts';

/** Makes one measurement out of the spectra of a stretch of sound. */
export class SpectrumMean {
    readonly #tones: readonly number[];
    readonly #powers: number[];
    readonly #loudest: number[] = [];

    constructor(tones: readonly number[]) {
        this.#tones = tones;
        this.#powers = tones.map(() => 0);
    }

    /** `levels`: dB of full scale at each tone; `loudest`: the loudest frequency, 0 when there was no sound. */
    add(levels: readonly number[], loudest: number): void {
        levels.forEach((db, i) => (this.#powers[i] = (this.#powers[i] ?? 0) + 10 ** (db / 10)));
        this.#loudest.push(loudest);
    }

    result(): AudioMeasurement {
        const mean = this.#powers.map((power) => Math.max(FLOOR_DB, 10 * Math.log10(power / this.#loudest.length)));
        return {
            loudestHz: [...this.#loudest].sort((a, b) => a - b)[this.#loudest.length >> 1] ?? 0,
            levelsDb: Object.fromEntries(this.#tones.map((hz, i) => [hz, mean[i] ?? FLOOR_DB])),
        };
    }
}

/** What silence (-Infinity dB) counts as; what a codec leaves of a tone never gets near it. */
export const FLOOR_DB = -160;
/** 8192 samples at 48 kHz: bins of 5.9 Hz and a memory of 170 ms. */
export const WINDOW = 8192;
/** A tone is looked for this far around its frequency: the main lobe of a Blackman window. */
export const LOBE_HZ = 20;
