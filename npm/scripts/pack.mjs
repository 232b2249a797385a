// LZMA for what is packed once and unpacked by every visitor: a tenth less than the best deflate, and the page's half of it (npm/src/core/lzma.ts)
// costs 0.8 kB. What was measured: docs/decisions/011.
import lzma from 'lzma';

export function pack(bytes) {
  const packed = Buffer.from(lzma.compress(bytes, 9));
  if (!Buffer.from(lzma.decompress(packed)).equals(bytes)) throw new Error('lzma packed something that does not unpack to the same');
  return packed;
}
