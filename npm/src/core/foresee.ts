// What the next bit of a wasm module probably is. Packing and unpacking both ask this one model, so that they can't disagree: packing knows the bits
// and says them, unpacking reads them (unpack.ts, scripts/pack.mjs).
//
// Six contexts (what the last bytes were, what the last instructions were) each remember how often a one followed; a small network weighs what they
// say and learns whom to believe, for each kind of byte apart. That is Matt Mahoney's PAQ. The module is parsed on the way, since what a byte is says more than
// what stands before it. The parser needs not be right: where it errs, only the guess is worse.
//
// Every number here must come out the same in every browser: no Math.exp, no Math.log.

/** Kinds of bytes. From IMMEDIATE on: which immediate, times four, and which byte of it. */
const PLAIN = 0; // outside of code
const SIZE = 1; // of a function
const LOCALS = 2; // how many groups of locals
const GROUP = 3;
const TYPE = 4;
const OPCODE = 5;
const IMMEDIATE = 8;
const KINDS = 64;

/** Cells: 22 bits of probability, 10 of how often it was met. A multiple of 16: the 15 decisions of half a byte are neighbours. */
const CELLS = 2 ** 22;

/** A context: the bits that count of the last four instructions, of the four before these, and of the last four bytes. */
const CONTEXTS: readonly (readonly [number, number, number])[] = [
  [0, 0, 0xffff],
  [0, 0, -1],
  [0xff, 0, 0],
  [0xffffff, 0, 0],
  [-1, 0xff, 0],
  [0xffff, 0, 0xff],
];

/** How fast the network learns. */
const LEARNING = 0.004;

/** After so many meetings old ones are forgotten. */
const MOST_MET = 30;

/** The bytes of a module of `length` bytes whose code lies between `start` and `end`. `decide` gets 65536 times the probability of a one, and says the bit. @internal */
export function foresee(length: number, start: number, end: number, decide: (odds: number) => number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  const cells = new Uint32Array(CELLS).fill(2 ** 31);
  const size = CONTEXTS.length;
  const places = new Int32Array(size);
  const said = new Float64Array(2 * size);
  const weights = new Float64Array(KINDS * 2 * size).fill(0.3);
  // ln(p / (1 - p)), by adding up its slope.
  const stretched = new Float64Array(4096);
  for (let at = 2048, sum = 0; at < 4096; at++) {
    stretched[at] = sum;
    stretched[4095 - at] = -sum;
    sum += 4096 / ((at + 0.5) * (4095.5 - at));
  }
  let kind = PLAIN;
  let [bytes, codes, older, left, op, until, shift, groups] = [0, 0, 0, 0, 0, -1, 0, 0];

  for (let position = 0; position < length; position++) {
    if (position === start || (position === until && position < end)) [kind, until, shift] = [SIZE, 0, 0];
    if (position === end) kind = PLAIN;
    let byte = 1;
    for (let node = 1; byte < 256; ) {
      if (node === 1) {
        for (let one = 0; one < size; one++) {
          const [near, far, before] = CONTEXTS[one]!;
          places[one] = (mix(mix(mix(mix(one + 8 * byte, kind), codes & near), older & far), bytes & before) >>> 10) & -16;
        }
      }
      const own = kind * 2 * size;
      let sum = 0;
      for (let one = 0; one < size; one++) {
        const cell = cells[places[one]! + node]!;
        const met = cell & 1023;
        sum += weights[own + one]! * (said[one] = met ? stretched[cell >>> 20]! * Math.min(1, 0.6 + 0.2 * met) : 0);
        sum += weights[own + size + one]! * (said[size + one] = (cell / 2 ** 32 - 0.5) * Math.min(6, 0.3 * met));
      }
      // e to the sum, nearly.
      let power = 1 + Math.max(-9, Math.min(9, sum)) / 1024;
      for (let times = 10; times; times--) power *= power;
      const odds = power / (1 + power);
      const bit = decide(Math.round(odds * 65534) + 1);
      const learn = (bit - odds) * LEARNING;
      for (let one = 0; one < 2 * size; one++) weights[own + one]! += learn * said[one]!;
      for (let one = 0; one < size; one++) {
        const place = places[one]! + node;
        const cell = cells[place]!;
        const met = cell & 1023;
        const odd = cell >>> 10;
        cells[place] = (odd + Math.trunc((bit * 4194303 - odd) / (met + 1.5))) * 1024 + Math.min(met + 1, MOST_MET);
      }
      byte = byte * 2 + bit;
      node = byte > 15 && byte < 32 ? 1 : node * 2 + bit;
    }
    byte &= 255;
    out[position] = byte;
    bytes = (bytes << 8) | byte;
    const more = byte > 127;
    if (kind === SIZE) {
      until += (byte & 127) << shift;
      shift += 7;
      if (!more) {
        until += position + 1;
        kind = LOCALS;
      }
    } else if (kind === LOCALS) kind = (groups = byte) ? GROUP : OPCODE;
    else if (kind === GROUP) kind = more ? GROUP : TYPE;
    else if (kind === TYPE) kind = --groups ? GROUP : OPCODE;
    else if (kind === OPCODE) {
      older = (older << 8) | (codes >>> 24);
      codes = (codes << 8) | byte;
      op = byte;
      left = immediates(byte);
      if (left) kind = IMMEDIATE;
    } else if (kind && (!more || op === 67 || op === 68)) {
      // Lists of labels, and the instructions for memory behind 252.
      if (kind === IMMEDIATE) left += op === 14 ? byte : op === 252 && byte > 9 ? 12 - byte : 0;
      kind = --left ? Math.min((kind + 4) & -4, KINDS - 4) : OPCODE;
    } else if (kind) kind = Math.min(kind + 1, kind | 3);
  }
  return out;
}

const mix = (hash: number, number: number): number => {
  const mixed = Math.imul(hash ^ number, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
};

/** How many immediates an instruction has; of constants in floating point: bytes. */
function immediates(code: number): number {
  if (code === 67) return 4;
  if (code === 68) return 8;
  if ((code > 39 && code < 63) || code === 14 || code === 17) return 2;
  return (code > 1 && code < 5) || code === 12 || code === 13 || code === 16 || (code > 31 && code < 67) || code === 252 ? 1 : 0;
}
