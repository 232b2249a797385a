// Reads back from a <video> what a Painter painted: whose picture it is, which frame, and whether the square is lit.
//
// Every presented frame is read (requestVideoFrameCallback); frames.ts says what counts as readable.

import { HEIGHT, Tally, WIDTH, readFrame } from './frames.ts';
import type { FrameReading, VideoMeasurement } from '../contract.ts';

export class VideoReader {
    /** The latest frame that could be read. */
    last: FrameReading | undefined;
    /** When the first frame came, by performance.now(). */
    firstFrameAt: number | undefined;
    /** Called with every frame, read or not. */
    readonly listeners = new Set<(frame: FrameReading) => void>();
    readonly #context: CanvasRenderingContext2D;
    readonly #video: HTMLVideoElement;
    #request = 0;

    constructor(video: HTMLVideoElement) {
        this.#video = video;
        const canvas = document.createElement('canvas');
        canvas.width = WIDTH;
        canvas.height = HEIGHT;
        const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
        if (!context) throw new Error('no 2d context for a canvas');
        this.#context = context;
        this.#next();
    }

    stop(): void {
        this.#video.cancelVideoFrameCallback(this.#request);
        this.listeners.clear();
    }

    /**
     * Collects what the frames of the next `ms` say. Ends with the first frame after that time, so a video that stands
     * still makes it fail after `ms` and the patience on top.
     */
    measure(ms: number, patienceMs = 15_000): Promise<VideoMeasurement> {
        const tally = new Tally();
        return new Promise((resolve, reject) => {
            const end = (): void => {
                window.clearTimeout(timer);
                this.listeners.delete(listen);
            };
            const timer = window.setTimeout(() => {
                end();
                reject(new Error(`no frame for ${ms} + ${patienceMs} ms: ${JSON.stringify(tally.result())}`));
            }, ms + patienceMs);
            const listen = (frame: FrameReading): void => {
                tally.add(frame);
                if (tally.ms < ms) return;
                end();
                resolve(tally.result());
            };
            this.listeners.add(listen);
        });
    }

    /** The next frame that can be read. */
    next(patienceMs: number): Promise<FrameReading & { pattern: string }> {
        return new Promise((resolve, reject) => {
            const end = (): void => {
                window.clearTimeout(timer);
                this.listeners.delete(listen);
            };
            const timer = window.setTimeout(() => {
                end();
                reject(new Error(`no readable frame within ${patienceMs} ms; the last one was ${JSON.stringify(this.last)}`));
            }, patienceMs);
            const listen = (frame: FrameReading): void => {
                const { pattern } = frame;
                if (frame.counter === undefined || pattern === undefined) return;
                end();
                resolve({ ...frame, pattern });
            };
            this.listeners.add(listen);
        });
    }

    /** Resolves once no frame could be read for `quietMs`. */
    quiet(quietMs: number, patienceMs: number): Promise<void> {
        return new Promise((resolve, reject) => {
            const end = (): void => {
                window.clearTimeout(timer);
                window.clearTimeout(limit);
                this.listeners.delete(listen);
            };
            const done = (): void => {
                end();
                resolve();
            };
            let timer = window.setTimeout(done, quietMs);
            const limit = window.setTimeout(() => {
                end();
                reject(new Error(`the picture still moves after ${patienceMs} ms: ${JSON.stringify(this.last)}`));
            }, patienceMs);
            const listen = (frame: FrameReading): void => {
                if (frame.counter === undefined) return;
                window.clearTimeout(timer);
                timer = window.setTimeout(done, quietMs);
            };
            this.listeners.add(listen);
        });
    }

    #next(): void {
        this.#request = this.#video.requestVideoFrameCallback((now, metadata) => {
            this.#next();
            const frame = { at: now, presented: metadata.presentedFrames, ...this.#read() };
            this.firstFrameAt ??= now;
            if (frame.counter !== undefined) this.last = frame;
            for (const listener of [...this.listeners]) listener(frame);
        });
    }

    #read(): Pick<FrameReading, 'pattern' | 'counter' | 'lit'> {
        this.#context.drawImage(this.#video, 0, 0, WIDTH, HEIGHT);
        return readFrame(this.#context.getImageData(0, 0, WIDTH, HEIGHT).data);
    }
}
