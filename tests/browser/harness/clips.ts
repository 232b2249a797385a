// Encoded clips for the native client, painted and hummed as pages do it, and recordings of it, read by the rules that pages
// read by. ffmpeg encodes and decodes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AudioMeasurement, VideoMeasurement } from '../page/contract.ts';
import { HEIGHT, Tally, WIDTH, readFrame } from '../page/media/frames.ts';
import { BAND_BOXES, BAR_BOX, BIT_BOXES, bandsOf, bitsOf, type Box, type Rgb } from '../page/media/pattern.ts';
import { SpectrumMean, WINDOW } from '../page/media/spectrum.ts';
import { endWithUs } from './processes.ts';
import { within } from './wait.ts';

/** What publishers paint a second. */
export const CLIP_FPS = 30;
/** Small enough to encode many seconds in one; a block of the counter is 26 x 36 pixels. */
const CLIP_WIDTH = 320;
const CLIP_HEIGHT = 180;
const SAMPLE_RATE = 48_000;
/** Half a minute of clip takes a few seconds, beside compilers several times that. */
const FFMPEG_MS = 60_000;

/** Writes VP8 in IVF: pattern `index` with a running counter, a key frame every half second. */
export async function makePicture(path: string, index: number, seconds: number): Promise<void> {
    const raw = `-f rawvideo -pix_fmt rgb24 -s ${CLIP_WIDTH}x${CLIP_HEIGHT} -r ${CLIP_FPS} -i -`;
    const vp8 = '-pix_fmt yuv420p -c:v libvpx -deadline realtime -cpu-used 8 -b:v 600k -g 15 -f ivf';
    await ffmpeg([...raw.split(' '), ...vp8.split(' '), path], paint(index, seconds * CLIP_FPS));
}

/** Writes Opus in Ogg, one packet a page: a tone at -12 dB of full scale. */
export async function makeTone(path: string, hz: number, seconds: number): Promise<void> {
    const sine = ['-f', 'lavfi', '-i', `sine=f=${hz}:r=${SAMPLE_RATE}`, '-af', 'volume=6dB']; // ffmpeg's sine is at -18 dB
    const opus = `-t ${seconds} -c:a libopus -b:a 32k -frame_duration 20 -page_duration 20000 -f ogg`;
    await ffmpeg([...sine, ...opus.split(' '), path]);
}

/** Decodes a recording whose packets came within `ms`, and reads every frame of it. */
export async function readPicture(path: string, ms: number): Promise<VideoMeasurement> {
    const scaled = `-vf scale=${WIDTH}:${HEIGHT}:flags=area -vsync passthrough -f rawvideo -pix_fmt rgba -`;
    const bytes = await ffmpeg(['-i', path, ...scaled.split(' ')]);
    const size = WIDTH * HEIGHT * 4;
    const frames = Math.floor(bytes.length / size);
    const tally = new Tally();
    for (let frame = 0; frame < frames; frame += 1) {
        // The recorder keeps no times: the frames are spread over the time in which they came.
        tally.add({ at: (frame / Math.max(1, frames - 1)) * ms, presented: frame, ...readFrame(bytes.subarray(frame * size, (frame + 1) * size)) });
    }
    return tally.result();
}

/** Decodes a recording and takes the spectrum of it, without its first and last quarter of a second. */
export async function readTone(path: string, tones: readonly number[]): Promise<AudioMeasurement> {
    const bytes = await ffmpeg(['-i', path, '-f', 'f32le', '-ac', '1', '-ar', String(SAMPLE_RATE), '-']);
    const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)));
    const mean = new SpectrumMean(tones);
    const edge = SAMPLE_RATE / 4;
    for (let from = edge; from + WINDOW <= samples.length - edge; from += WINDOW) {
        const window = samples.subarray(from, from + WINDOW);
        const bins = Array.from({ length: 350 }, (_, bin) => ((bin + 8) * SAMPLE_RATE) / WINDOW); // 47 Hz to 2.1 kHz
        const levels = bins.map((hz) => level(window, hz));
        const top = levels.indexOf(Math.max(...levels));
        mean.add(tones.map((hz) => level(window, hz)), bins[top] ?? 0);
    }
    return mean.result();
}

/** Power at one frequency in dB of full scale, through a Hann window (Goertzel's algorithm). */
function level(samples: Float32Array, hz: number): number {
    const turn = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
    let [last, before] = [0, 0];
    samples.forEach((sample, i) => {
        const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length);
        [last, before] = [sample * hann + turn * last - before, last];
    });
    const power = last * last + before * before - turn * last * before;
    return 10 * Math.log10(Math.max(1e-16, power / (samples.length / 4) ** 2)); // a full-scale sine comes to (length / 4)²
}

/** Frames of RGB, as page/media/paint.ts paints them. */
function* paint(index: number, frames: number): Generator<Buffer> {
    const { colours } = bandsOf(index);
    for (let counter = 1; counter <= frames; counter += 1) {
        const picture = Buffer.alloc(CLIP_WIDTH * CLIP_HEIGHT * 3, 16);
        BAND_BOXES.forEach((box, band) => fill(picture, box, colours[band] ?? [0, 0, 0]));
        bitsOf(counter).forEach((bit, i) => {
            const box = BIT_BOXES[i];
            if (box && bit) fill(picture, box, [235, 235, 235]);
        });
        const [left, top, width, height] = BAR_BOX;
        fill(picture, [left + ((counter % 60) / 60) * (width * 0.9), top, width * 0.1, height], [128, 128, 128]);
        yield picture;
    }
}

function fill(picture: Buffer, [left, top, width, height]: Box, rgb: Rgb): void {
    const [x0, y0] = [Math.floor(left * CLIP_WIDTH), Math.floor(top * CLIP_HEIGHT)];
    const [x1, y1] = [Math.ceil((left + width) * CLIP_WIDTH), Math.ceil((top + height) * CLIP_HEIGHT)];
    const row = Buffer.concat(Array.from({ length: x1 - x0 }, () => Buffer.from(rgb)));
    for (let y = y0; y < y1; y += 1) row.copy(picture, (y * CLIP_WIDTH + x0) * 3);
}

/** Runs ffmpeg with `input` on its standard input; what it wrote to its standard output. */
async function ffmpeg(args: string[], input: Iterable<Buffer> = []): Promise<Buffer> {
    const child = spawn('ffmpeg', ['-v', 'error', '-xerror', '-y', ...args], { stdio: 'pipe' });
    endWithUs(child);
    const [written, complaints]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => written.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.stdin.on('error', () => {}); // it ended early: its exit code says so
    const ended = new Promise<number | null>((resolve, reject) => {
        child.once('error', (cause) => reject(new Error('ffmpeg does not run. Remedy: apt-get install ffmpeg', { cause })));
        child.once('close', resolve);
    });
    const fed = (async (): Promise<void> => {
        for (const chunk of input) {
            if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain'), ended]);
        }
        child.stdin.end();
    })();
    try {
        const [code] = await within(FFMPEG_MS, `ffmpeg ${args.join(' ')}`, Promise.all([ended, fed]));
        if (code !== 0) throw new Error(`ffmpeg ${args.join(' ')} ended with ${code}:\n${Buffer.concat(complaints).toString()}`);
    } finally {
        child.kill('SIGKILL');
    }
    return Buffer.concat(written);
}
