// Deflate for what is packed once and unpacked by every visitor: zopfli takes seconds and finds 7 % more than zlib (42.8 → 39.6 kB).
import zopfli from '@gfx/zopfli';
import { inflateRawSync } from 'node:zlib';

export async function deflate(bytes) {
  const packed = Buffer.from(await zopfli.deflateAsync(bytes, { numiterations: 15 }));
  if (!inflateRawSync(packed).equals(bytes)) throw new Error('zopfli packed something that does not unpack to the same');
  return packed;
}
