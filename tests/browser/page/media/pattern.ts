// What a publisher paints, as plain geometry and numbers, so that painting and reading share one description.
//
// A frame has three parts, all in fractions of the picture so that any scaling on the way leaves them readable:
//   top     three wide bands of colour: who this is. Two patterns differ in every band.
//   middle  2 x 12 black or white blocks: a 16 bit frame counter and its CRC-8. A block of a 320x180 picture is 26 x 36
//           pixels, more than a 16x16 coding block, so lossy coding moves its mean by a few grey levels only.
//   bottom  a moving bar (work for the encoder) and a square that flashes together with a beep (lip-sync).

export type Rgb = readonly [number, number, number];
/** A part of the picture: left, top, width, height, each 0..1. */
export type Box = readonly [number, number, number, number];

/** Far apart in RGB (at least 150 of 255 between any two), so that chroma subsampling and colour matrices cannot confuse them. */
export const PALETTE: readonly { readonly name: string; readonly rgb: Rgb }[] = [
    { name: 'red', rgb: [215, 35, 35] },
    { name: 'green', rgb: [35, 185, 55] },
    { name: 'blue', rgb: [45, 65, 220] },
    { name: 'yellow', rgb: [230, 210, 40] },
    { name: 'magenta', rgb: [205, 45, 200] },
    { name: 'cyan', rgb: [40, 200, 210] },
];

/** How many patterns there are. */
export const PATTERNS = PALETTE.length;

/** The colours of pattern `index` (0..PATTERNS), from left to right; as a name, `red-blue-yellow`. */
export function bandsOf(index: number): { name: string; colours: readonly Rgb[] } {
    const bands = [0, 2, 3].map((step) => {
        const colour = PALETTE[(index + step) % PATTERNS];
        if (!colour) throw new Error(`pattern ${index} is not within 0..${PATTERNS - 1}`);
        return colour;
    });
    return { name: bands.map((band) => band.name).join('-'), colours: bands.map((band) => band.rgb) };
}

export const BAND_BOXES: readonly Box[] = [0, 1, 2].map((column): Box => [column / 3, 0, 1 / 3, 0.35]);

const COLUMNS = 12;
const ROWS = 2;
export const BIT_BOXES: readonly Box[] = Array.from({ length: COLUMNS * ROWS }, (_, bit): Box => [
    (bit % COLUMNS) / COLUMNS,
    0.35 + Math.floor(bit / COLUMNS) * 0.2,
    1 / COLUMNS,
    0.2,
]);

export const BAR_BOX: Box = [0, 0.75, 0.75, 0.25];
export const FLASH_BOX: Box = [0.75, 0.75, 0.25, 0.25];

/** The counter goes round after 65536 frames, 36 minutes at 30 frames a second: longer than any test. */
export const COUNTER_BITS = 16;

/**
 * CRC-8 (polynomial 0x07) over the counter's two bytes. It does not start from zero, or a black picture, which is what a
 * muted track shows, would read as frame 0.
 */
export function checksum(counter: number): number {
    let crc = CRC_START;
    for (const byte of [(counter >> 8) & 0xff, counter & 0xff]) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
    }
    return crc;
}

/** Any value for which neither an all-black nor an all-white picture is valid; measuring.test.ts holds that. */
const CRC_START = 0x5a;

/** Counter and checksum as 24 bits, the most significant first. */
export function bitsOf(counter: number): boolean[] {
    const word = ((counter & 0xffff) << 8) | checksum(counter & 0xffff);
    return BIT_BOXES.map((_, bit) => ((word >> (BIT_BOXES.length - 1 - bit)) & 1) === 1);
}

/** The counter that `bits` spell, or undefined when the checksum contradicts it. */
export function counterOf(bits: readonly boolean[]): number | undefined {
    const word = bits.reduce((value, bit) => value * 2 + (bit ? 1 : 0), 0);
    const counter = word >> 8;
    return checksum(counter) === (word & 0xff) ? counter : undefined;
}
