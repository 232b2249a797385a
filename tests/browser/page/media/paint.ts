// Paints a publisher's pattern and frame counter on a canvas, 30 times a second, and gives it as a video track.

import { BAND_BOXES, BAR_BOX, BIT_BOXES, FLASH_BOX, bandsOf, bitsOf, type Box, type Rgb } from './pattern.ts';

export const FRAMES_PER_SECOND = 30;

export interface PaintOptions {
    /** Which of the patterns (0..PATTERNS). */
    pattern: number;
    width: number;
    height: number;
    /** Fills the bottom with noise, which takes an encoder all the bits that it may spend; a part of 1: of less contrast. */
    noise?: boolean | number;
    /** Paints a wrong checksum: with it the reading is tested. */
    spoilCounter?: boolean;
}

export class Painter {
    /** Shared with nobody: ends with `stop`. */
    readonly track: MediaStreamTrack;
    readonly name: string;
    #counter = 0;
    #flashing = false;
    readonly #canvas = document.createElement('canvas');
    readonly #context: CanvasRenderingContext2D;
    readonly #colours: readonly Rgb[];
    readonly #timer: number;
    readonly #spoilt: boolean;
    /** Grey pixels at random, taller than the noisy part: each frame shows another stretch of it. */
    readonly #noise: ImageData | undefined;

    constructor(options: PaintOptions) {
        this.#canvas.width = options.width;
        this.#canvas.height = options.height;
        const context = this.#canvas.getContext('2d', { alpha: false });
        if (!context) throw new Error('no 2d context for a canvas');
        this.#context = context;
        const { name, colours } = bandsOf(options.pattern);
        this.name = name;
        this.#colours = colours;
        this.#spoilt = options.spoilCounter ?? false;
        this.#noise = options.noise ? greyNoise(options.width * BAR_BOX[2], options.height, Number(options.noise)) : undefined;
        this.#paint();
        const [track] = this.#canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks();
        if (!track) throw new Error('captureStream gave no video track');
        this.track = track;
        // Not requestAnimationFrame: it stops in pages that a browser considers hidden.
        this.#timer = window.setInterval(() => this.#paint(), 1000 / FRAMES_PER_SECOND);
    }

    get counter(): number {
        return this.#counter;
    }

    /** Lights or darkens the flash square at once, without waiting for the next frame's turn. */
    set flashing(on: boolean) {
        this.#flashing = on;
        this.#paint();
    }

    stop(): void {
        window.clearInterval(this.#timer);
        this.track.stop();
    }

    #paint(): void {
        this.#counter = (this.#counter + 1) & 0xffff;
        this.#fill([0, 0, 1, 1], [16, 16, 16]);
        BAND_BOXES.forEach((box, band) => this.#fill(box, this.#colours[band] ?? [0, 0, 0]));
        bitsOf(this.#counter).forEach((bit, index) => {
            const box = BIT_BOXES[index];
            const white = bit !== (this.#spoilt && index === 0);
            if (box) this.#fill(box, white ? [235, 235, 235] : [16, 16, 16]);
        });
        const [left, top, width, height] = BAR_BOX;
        if (this.#noise) {
            const [w, h] = [this.#canvas.width, this.#canvas.height];
            const from = Math.floor(Math.random() * (1 - height) * h);
            this.#context.putImageData(this.#noise, left * w, Math.ceil(top * h) - from, 0, from, width * w, height * h);
        }
        this.#fill([left + ((this.#counter % 60) / 60) * (width * 0.9), top, width * 0.1, height], [128, 128, 128]);
        this.#fill(FLASH_BOX, this.#flashing ? [235, 235, 235] : [16, 16, 16]);
    }

    #fill([left, top, width, height]: Box, [red, green, blue]: Rgb): void {
        const { width: w, height: h } = this.#canvas;
        this.#context.fillStyle = `rgb(${red} ${green} ${blue})`;
        // Rounded outwards to whole pixels, or neighbouring boxes would let the background shine through.
        const x = Math.floor(left * w);
        const y = Math.floor(top * h);
        this.#context.fillRect(x, y, Math.ceil((left + width) * w) - x, Math.ceil((top + height) * h) - y);
    }
}

function greyNoise(width: number, height: number, contrast: number): ImageData {
    const noise = new ImageData(Math.floor(width), Math.floor(height));
    new Uint32Array(noise.data.buffer).forEach((_, pixel, all) => (all[pixel] = 0xff000000 + Math.floor(128 + (Math.random() - 0.5) * 255 * contrast) * 0x010101));
    return noise;
}
