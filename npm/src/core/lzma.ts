// LZMA as xz and 7-Zip know it (Igor Pavlov's specification, "LZMA alone": 13 bytes of header, then the stream), for one input that we packed
// ourselves: literal contexts of three bits (lc=3, lp=0), two bits of position (pb=2), no end marker, and nothing is checked.

// Where the probabilities of each kind of decision begin. `state`: what the last few packets were; `place`: the low two bits of the position.
const IS_MATCH = 0; // [state][place]
const IS_REP = 64; // [state], and the three decisions about which distance comes back
const IS_REP_1 = 80;
const IS_REP_2 = 96;
const IS_REP_3 = 112;
const IS_LONG_REP = 128; // [state][place]
const LENGTH = 192;
const REP_LENGTH = 768;
const SLOT = 1344; // [length][6 bits]
const NEAR = 1600; // low bits of middling distances
const ALIGN = 1728; // the lowest four bits of long ones
const LITERAL = 1744; // [upper bits of the byte before][which half of a compared byte][8 bits]
const COUNT = LITERAL + 8 * 768;

/** Unpacks. @internal */
export function unpackLzma(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(new DataView(packed.buffer, packed.byteOffset).getUint32(5, true));
  const odds = new Uint16Array(COUNT).fill(1024);
  let next = 13;
  let range = 2 ** 32 - 1;
  let code = 0;
  let position = 0;
  let state = 0;
  let [distance, second, third, fourth] = [1, 1, 1, 1];

  const shift = (): void => {
    if (range >= 2 ** 24) return;
    range *= 256;
    code = code * 256 + packed[next++]!;
  };
  const bit = (at: number): number => {
    const odd = odds[at]!;
    const bound = (range >>> 11) * odd;
    const is = code < bound ? 0 : 1;
    range = is ? range - bound : bound;
    code -= is * bound;
    odds[at] = odd + (is ? -(odd >> 5) : (2048 - odd) >> 5);
    shift();
    return is;
  };
  /** Highest bit first. */
  const number = (at: number, bits: number): number => {
    let value = 1;
    for (let left = bits; left; left--) value = value * 2 + bit(at + value);
    return value - (1 << bits);
  };
  /** Lowest bit first. */
  const reversed = (at: number, bits: number): number => {
    let value = 0;
    for (let node = 1, place = 0; place < bits; place++) {
      const is = bit(at + node);
      node = node * 2 + is;
      value += is << place;
    }
    return value;
  };
  const length = (at: number, place: number): number => {
    if (!bit(at)) return 2 + number(at + 2 + place * 8, 3);
    if (!bit(at + 1)) return 10 + number(at + 34 + place * 8, 3);
    return 18 + number(at + 66, 8);
  };
  const literal = (): number => {
    const at = LITERAL + ((out[position - 1] ?? 0) >> 5) * 768;
    let value = 1;
    if (state > 6) {
      // After a match the next byte is not the one that would have gone on with it: its bits are a good guess until the first that differs.
      for (let other = out[position - distance]!, same = true; same && value < 256; other <<= 1) {
        const guess = (other >> 7) & 1;
        const is = bit(at + ((1 + guess) << 8) + value);
        value = value * 2 + is;
        same = is === guess;
      }
    }
    while (value < 256) value = value * 2 + bit(at + value);
    return value;
  };
  const farness = (bytes: number): number => {
    const slot = number(SLOT + Math.min(bytes - 2, 3) * 64, 6);
    if (slot < 4) return slot + 1;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << bits;
    if (slot < 14) return high + reversed(NEAR + high - slot, bits) + 1;
    let middle = 0;
    for (let left = bits - 4; left; left--) {
      range = range >>> 1;
      const is = code < range ? 0 : 1;
      code -= is * range;
      middle = middle * 2 + is;
      shift();
    }
    return high + middle * 16 + reversed(ALIGN, 4) + 1;
  };

  for (let left = 5; left; left--) code = code * 256 + packed[next++]!;
  while (position < out.length) {
    const place = position & 3;
    const at = state * 4 + place;
    if (!bit(IS_MATCH + at)) {
      out[position] = literal();
      position++;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    const calm = state < 7;
    let bytes = 1;
    if (!bit(IS_REP + state)) {
      [second, third, fourth] = [distance, second, third];
      bytes = length(LENGTH, place);
      distance = farness(bytes);
      state = calm ? 7 : 10;
    } else {
      let long = 1;
      if (!bit(IS_REP_1 + state)) long = bit(IS_LONG_REP + at);
      else if (!bit(IS_REP_2 + state)) [distance, second] = [second, distance];
      else if (!bit(IS_REP_3 + state)) [distance, second, third] = [third, distance, second];
      else [distance, second, third, fourth] = [fourth, distance, second, third];
      if (long) bytes = length(REP_LENGTH, place);
      state = long ? (calm ? 8 : 11) : calm ? 9 : 11;
    }
    for (; bytes; bytes--, position++) out[position] = out[position - distance]!;
  }
  return out;
}
