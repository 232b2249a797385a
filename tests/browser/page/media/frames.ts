// What a frame says (whose picture, which of its frames, whether the square is lit), and what a stretch of frames amounts to.
// Pixels in, values out: nothing of a browser here, so that recordings are read by the same rules.
//
// What a frame says is never guessed: a band that is close to no colour of the palette, a block that is grey, or a checksum
// that contradicts makes the frame `unreadable`.

import { BAND_BOXES, BIT_BOXES, FLASH_BOX, PALETTE, counterOf, type Box, type Rgb } from './pattern.ts';
import type { FrameReading, VideoMeasurement } from '../contract.ts';

/** Pictures are scaled down to this before reading: averaging pixels is what makes coding noise harmless. */
export const WIDTH = 144;
export const HEIGHT = 81;
/** Nearest colours are at least 150 apart, so under 70 there is one candidate at most. */
const COLOUR_DISTANCE = 70;
/** Blocks are painted 16 or 235; between these two a block counts as unreadable. */
const DARK = 100;
const BRIGHT = 150;

/** What a frame says: RGBA pixels of WIDTH x HEIGHT. */
export function readFrame(data: Uint8ClampedArray | Uint8Array): Pick<FrameReading, 'pattern' | 'counter' | 'lit'> {
    const bands = BAND_BOXES.map((box) => colourName(mean(data, box)));
    const bits = BIT_BOXES.map((box) => brightness(mean(data, box)));
    const known = bits.every((bit) => bit !== undefined);
    return {
        pattern: bands.every((band) => band !== undefined) ? bands.join('-') : undefined,
        counter: known ? counterOf(bits.map((bit) => bit === true)) : undefined,
        lit: brightness(mean(data, FLASH_BOX)),
    };
}

/** Sums up a stretch of frames. */
export class Tally {
    #frames = 0;
    #first: FrameReading | undefined;
    #last: FrameReading | undefined;
    #lastCounter: number | undefined;
    #unreadable = 0;
    #backwards = 0;
    #longestGapMs = 0;
    readonly #counters = new Set<number>();
    readonly #patterns: Record<string, number> = {};

    get ms(): number {
        return this.#first && this.#last ? this.#last.at - this.#first.at : 0;
    }

    add(frame: FrameReading): void {
        this.#frames += 1;
        this.#first ??= frame;
        if (this.#last) this.#longestGapMs = Math.max(this.#longestGapMs, frame.at - this.#last.at);
        this.#last = frame;
        if (frame.pattern !== undefined) this.#patterns[frame.pattern] = (this.#patterns[frame.pattern] ?? 0) + 1;
        if (frame.counter === undefined || frame.pattern === undefined) this.#unreadable += 1;
        if (frame.counter === undefined) return;
        this.#counters.add(frame.counter);
        // Half the circle back is back; a counter that goes round is forward.
        if (this.#lastCounter !== undefined && ((frame.counter - this.#lastCounter) & 0xffff) >= 0x8000) this.#backwards += 1;
        this.#lastCounter = frame.counter;
    }

    result(): VideoMeasurement {
        const seconds = this.ms / 1000;
        const presented = this.#first && this.#last ? this.#last.presented - this.#first.presented : 0;
        return {
            seconds,
            presentedPerSecond: seconds > 0 ? presented / seconds : 0,
            // The first counter opens the stretch; each further one is a frame of its publisher that arrived.
            countersPerSecond: seconds > 0 ? Math.max(0, this.#counters.size - 1) / seconds : 0,
            frames: this.#frames,
            unreadable: this.#unreadable,
            backwards: this.#backwards,
            longestGapMs: this.#longestGapMs,
            patterns: { ...this.#patterns },
        };
    }
}

/** Mean colour of the inner half of a box: its rim is where neighbours bleed in. */
function mean(data: Uint8ClampedArray | Uint8Array, [left, top, width, height]: Box): Rgb {
    const x0 = Math.round((left + width / 4) * WIDTH);
    const x1 = Math.max(x0 + 1, Math.round((left + (width * 3) / 4) * WIDTH));
    const y0 = Math.round((top + height / 4) * HEIGHT);
    const y1 = Math.max(y0 + 1, Math.round((top + (height * 3) / 4) * HEIGHT));
    const sum: [number, number, number] = [0, 0, 0];
    for (let y = y0; y < y1; y += 1) {
        for (let x = x0; x < x1; x += 1) {
            const at = (y * WIDTH + x) * 4;
            sum[0] += data[at] ?? 0;
            sum[1] += data[at + 1] ?? 0;
            sum[2] += data[at + 2] ?? 0;
        }
    }
    const pixels = (x1 - x0) * (y1 - y0);
    return [sum[0] / pixels, sum[1] / pixels, sum[2] / pixels];
}

function colourName(rgb: Rgb): string | undefined {
    return PALETTE.find((colour) => Math.hypot(...colour.rgb.map((part, i) => part - (rgb[i] ?? 0))) < COLOUR_DISTANCE)?.name;
}

function brightness([red, green, blue]: Rgb): boolean | undefined {
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    if (luma < DARK) return false;
    return luma > BRIGHT ? true : undefined;
}
