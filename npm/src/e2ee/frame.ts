// An encoded frame, and what of it stays readable: as much as the packetizers of browsers and the edge need to tell a key frame from another,
// and its size; not a byte of picture or sound.
//
//     readable beginning | SFrame header, ciphertext, tag | how long the beginning is
//
// VP8: the frame's tag (RFC 6386 §9.1), with start code and size on key frames. VP9: nothing, its payload descriptor is outside of the frame.
// H.264: everything up to the second byte of the first slice, parameter sets included; what follows must have no start code in it, so it is
// written as a NAL unit is (emulation prevention, ITU-T H.264 §7.4.1). AV1 is cut into OBUs by whoever sends it, and can't be sealed as a whole.

type Bytes = Uint8Array<ArrayBuffer>;

/** A VP8 frame's tag; with start code and size. */
const VP8_TAG = 3;
const VP8_KEY = 10;

/** The last byte of an H.264 frame: its beginning is found by reading it. */
const BY_SLICE = 0xff;

/** How a frame is split. */
export interface Split {
  /** Bytes of the beginning that stay. */
  clear: number;
  /** The rest is written as a NAL unit. */
  nal: boolean;
}

/** Undefined: of a codec that can't be sealed. `codec`: its MIME type in lower case, where the browser tells. */
export function split(data: Bytes, video: boolean, codec: string | undefined): Split | undefined {
  if (!video) return codec?.endsWith('/red') ? undefined : { clear: 0, nal: false };
  if (codec?.endsWith('/h264') ?? isAnnexB(data)) {
    const clear = slice(data);
    return clear === undefined ? undefined : { clear, nal: true };
  }
  // A temporal delimiter (AV1 §5.6): VP8 never has a frame that begins so, its encoders write version 0.
  if (codec?.endsWith('/av1') ?? (data[0] === 0x12 && data[1] === 0)) return undefined;
  if (codec?.endsWith('/vp9')) return { clear: 0, nal: false };
  return { clear: Math.min(((data[0] ?? 1) & 1) === 0 ? VP8_KEY : VP8_TAG, data.length), nal: false };
}

const isAnnexB = (data: Bytes): boolean => data[0] === 0 && data[1] === 0 && (data[2] === 1 || (data[2] === 0 && data[3] === 1));

/** How far the header of the first slice (NAL types 1 to 5) and its first byte reach. */
function slice(data: Bytes): number | undefined {
  for (let at = 0; at + 4 < data.length; at++) {
    if (data[at] !== 0 || data[at + 1] !== 0 || data[at + 2] !== 1) continue;
    const type = data[at + 3]! & 31;
    if (type >= 1 && type <= 5) return at + 5;
  }
  return undefined;
}

/** What is authenticated of the beginning. Parameter sets aren't: receivers rewrite them before anybody can look. */
export const metadata = (data: Bytes, { clear, nal }: Split): Bytes => (nal ? data.subarray(clear - 2, clear - 1) : data.subarray(0, clear));

/** The frame as it is sent. */
export function assemble(data: Bytes, { clear, nal }: Split, sealed: Bytes): ArrayBuffer {
  const rest = nal ? escape(sealed) : sealed;
  const frame = new Uint8Array(clear + rest.length + 1);
  frame.set(data.subarray(0, clear));
  frame.set(rest, clear);
  frame[frame.length - 1] = nal ? BY_SLICE : clear + 1;
  return frame.buffer;
}

/** The reverse. Undefined: not a frame of ours. */
export function take(data: Bytes): { split: Split; sealed: Bytes } | undefined {
  const mark = data.at(-1);
  const nal = mark === BY_SLICE;
  const clear = nal ? slice(data) : (mark ?? 0) - 1;
  if (clear === undefined || clear < 0 || clear >= data.length) return undefined;
  const rest = data.subarray(clear, -1);
  return { split: { clear, nal }, sealed: nal ? unescape(rest) : rest };
}

/** Two zeros are never followed by a byte below four; the first of them may be the last of what stands before. */
function escape(bytes: Bytes): Bytes {
  const out = new Uint8Array(bytes.length + Math.ceil(bytes.length / 2) + 1);
  let length = 0;
  let zeros = 1; // whatever the beginning ends with: one byte more than it may take
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}

function unescape(bytes: Bytes): Bytes {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 1;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}
