// When the pictures of a publication came, over outages in which its track may be replaced by another one.

import type { FrameReading } from './contract.ts';
import type { ReceivedTrack } from './received.ts';

/** An hour of thirty a second would be a hundred thousand. */
const MOST_FRAMES = 120_000;
/**
 * Pictures flow when so many came within a second, none of them so long after the one before: those that were still in a buffer when an outage began are no
 * sign of life.
 */
const FLOW_FRAMES = 10;
const FLOW_MS = 1000;
const STOOD_MS = 400;

interface Seen {
    at: number;
    width: number;
}

export class Watch {
    readonly #frames: Seen[] = [];
    readonly #waiting = new Set<() => void>();
    #counter: number | undefined;

    /** Goes on with this track. */
    follow({ video, element }: ReceivedTrack): void {
        if (!video || !(element instanceof HTMLVideoElement)) throw new Error('only pictures can be watched');
        video.listeners.add((frame: FrameReading) => {
            // The same frame again is nothing new.
            if (frame.counter === undefined || frame.counter === this.#counter) return;
            this.#counter = frame.counter;
            this.#frames.push({ at: frame.at, width: element.videoWidth });
            if (this.#frames.length > MOST_FRAMES) this.#frames.shift();
            for (const look of [...this.#waiting]) look();
        });
    }

    flowsAgain(after: number, ms: number): Promise<number> {
        return new Promise((resolve, reject) => {
            const end = (): void => {
                window.clearTimeout(timer);
                this.#waiting.delete(look);
            };
            const timer = window.setTimeout(() => {
                end();
                reject(new Error(`no pictures within ${ms} ms: ${JSON.stringify(this.since(after))} since ${after}`));
            }, ms);
            const look = (): void => {
                const first = this.#firstOfFlow(after);
                if (first === undefined) return;
                end();
                resolve(first);
            };
            this.#waiting.add(look);
            look();
        });
    }

    since(after: number): { frames: number; longestGapMs: number; last: number; widths: number[] } {
        const frames = this.#frames.filter(({ at }) => at >= after);
        let longestGapMs = 0;
        frames.forEach(({ at }, index) => (longestGapMs = Math.max(longestGapMs, at - (frames[index - 1]?.at ?? at))));
        return { frames: frames.length, longestGapMs, last: frames.at(-1)?.at ?? NaN, widths: [...new Set(frames.map(({ width }) => width))] };
    }

    #firstOfFlow(after: number): number | undefined {
        const frames = this.#frames.filter(({ at }) => at >= after);
        return frames.find(({ at }, index) => {
            const flow = frames.slice(index, index + FLOW_FRAMES);
            return flow.length === FLOW_FRAMES && flow.every((frame, place) => frame.at - at <= FLOW_MS && frame.at - (flow[place - 1] ?? frame).at <= STOOD_MS);
        })?.at;
    }
}
