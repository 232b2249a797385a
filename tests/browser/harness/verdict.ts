// What counts as "the right picture" and "the right tone". Used by every test, and itself tested by measuring.test.ts.

import assert from 'node:assert/strict';
import { bandsOf } from '../page/media/pattern.ts';
import type { AudioMeasurement, DecodedVideo, VideoMeasurement } from '../page/contract.ts';

/** What issue 2 asks of every page. Publishers paint 30. */
export const LEAST_FPS = 15;
/**
 * Different frames that were read back. Reading is the work of the page's one thread, beside painting: on a machine that is
 * busy with something else it misses frames that the browser did decode and present.
 */
const LEAST_TOLD_APART = 10;
/** A few frames may be caught while the decoder starts or the picture is scaled down. */
const LEAST_READABLE = 0.9;
/** An edge whose first probe failed tries again after five seconds. */
const SETTLED_MS = 15_000;
/** Bins are 5.9 Hz wide; the tones of a test are over 100 Hz apart. */
const TONE_TOLERANCE_HZ = 15;
/** A tone of -14 dBFS must not have vanished on the way. */
const LEAST_TONE_DB = -40;
/** Somebody else's tone must be this far below. Measured without an edge: 70 dB and more. */
const CROSS_TALK_DB = 20;

/** Throws unless the frames show pattern `index` and no other, advance, and are decoded and presented fast enough. */
export function showsPattern(video: VideoMeasurement | DecodedVideo, index: number): void {
    showsNothingElse(video, index);
    runs(video);
}

/** What must hold at any time, however slow the machine or the way is. */
function showsNothingElse(video: VideoMeasurement, index: number): void {
    const { name } = bandsOf(index);
    const said = JSON.stringify(video);
    const foreign = Object.keys(video.patterns).filter((pattern) => pattern !== name);
    assert.deepEqual(foreign, [], `pattern of somebody else, expected only ${name}: ${said}`);
    assert.equal(video.backwards, 0, `the publisher's counter went back: ${said}`);
}

/** What holds once the way has been measured, unless the machine is busy with something else. */
function runs(video: VideoMeasurement | DecodedVideo): void {
    const said = JSON.stringify(video);
    const readable = 1 - video.unreadable / Math.max(1, video.frames);
    assert.ok(readable >= LEAST_READABLE, `only ${(readable * 100).toFixed(0)} % of the frames are readable: ${said}`);
    assert.ok(video.countersPerSecond >= LEAST_TOLD_APART, `under ${LEAST_TOLD_APART} different frames per second: ${said}`);
    assert.ok(video.presentedPerSecond >= LEAST_FPS, `under ${LEAST_FPS} presented frames per second: ${said}`);
    if ('decodedPerSecond' in video) assert.ok(video.decodedPerSecond >= LEAST_FPS, `under ${LEAST_FPS} decoded frames per second: ${said}`);
}

/**
 * Measures until the picture runs at its full rate, and throws if it doesn't within `patienceMs`, or if at any time it is
 * another than `index`. For pictures whose way is still being measured: an edge begins with little.
 */
export async function shows<V extends VideoMeasurement>(measure: () => Promise<V>, index: number, patienceMs = SETTLED_MS): Promise<V> {
    return await settles(measure, (video) => showsNothingElse(video, index), runs, patienceMs);
}

/** The same of a tone: the first moments of a playout may stretch it. Returns the margin in dB. */
export async function hears(measure: () => Promise<AudioMeasurement>, hz: number, tones: readonly number[], patienceMs = SETTLED_MS): Promise<number> {
    return carriesTone(await settles(measure, () => undefined, (audio) => void carriesTone(audio, hz, tones), patienceMs), hz, tones);
}

/** Measures until `judge` has no complaint; the last one is thrown after `patienceMs`. For what is right only once things have settled. */
export function comesTrue<M>(measure: () => Promise<M>, judge: (measured: M) => void, patienceMs = SETTLED_MS): Promise<M> {
    return settles(measure, () => undefined, judge, patienceMs);
}

async function settles<M>(measure: () => Promise<M>, always: (measured: M) => void, inTheEnd: (measured: M) => void, patienceMs: number): Promise<M> {
    const patience = performance.now() + patienceMs;
    for (;;) {
        const measured = await measure();
        always(measured);
        try {
            inTheEnd(measured);
            return measured;
        } catch (error) {
            if (performance.now() >= patience) throw error;
        }
    }
}

/** Throws unless `hz` is the loudest frequency and every other of `tones` is far below it. Returns the margin in dB. */
export function carriesTone(audio: AudioMeasurement, hz: number, tones: readonly number[]): number {
    const said = JSON.stringify(audio);
    assert.ok(Math.abs(audio.loudestHz - hz) <= TONE_TOLERANCE_HZ, `loudest is ${audio.loudestHz.toFixed(0)} Hz, expected ${hz}: ${said}`);
    const own = audio.levelsDb[hz] ?? -Infinity;
    assert.ok(own >= LEAST_TONE_DB, `the tone of ${hz} Hz is too faint: ${said}`);
    const margins = tones.filter((tone) => tone !== hz).map((tone) => own - (audio.levelsDb[tone] ?? -Infinity));
    const margin = Math.min(...margins);
    assert.ok(margin >= CROSS_TALK_DB, `cross-talk: another tone is only ${margin.toFixed(0)} dB below: ${said}`);
    return margin;
}

/** Silence: no tone of `tones` above the level at which one counts as there. */
export function isSilent(audio: AudioMeasurement, tones: readonly number[]): void {
    for (const tone of tones) assert.ok((audio.levelsDb[tone] ?? -Infinity) < LEAST_TONE_DB, `${tone} Hz is still heard: ${JSON.stringify(audio)}`);
}

export function median(values: readonly number[]): number {
    const middle = [...values].sort((a, b) => a - b)[values.length >> 1];
    assert.ok(middle !== undefined, 'no values');
    return middle;
}
