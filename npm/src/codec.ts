// The codec of a camera when the app leaves it open: H.264 where the device has an encoder for it, which spares processor and battery; else the
// core's default. Not for screens: encoders in hardware blur letters, and have no layers of frame rate.

import type { VideoCodec, VideoOptions } from './options.js';

/** The profile that all browsers share. What a camera opens with. */
const h264: MediaEncodingConfiguration = {
  type: 'webrtc',
  video: { contentType: 'video/H264;packetization-mode=1;profile-level-id=42e01f', width: 1280, height: 720, bitrate: 1_700_000, framerate: 30 },
};

/** Asked once: a page's hardware stays. */
let efficient: Promise<boolean> | undefined;

async function ask(): Promise<boolean> {
  try {
    const { supported, powerEfficient } = await navigator.mediaCapabilities.encodingInfo(h264);
    return supported && powerEfficient;
  } catch {
    return false; // a browser that doesn't answer for calls
  }
}

/** What to send a camera with; undefined: the core's default. @internal */
export async function cameraCodec({ codec = 'auto', scalabilityMode }: Pick<VideoOptions, 'codec' | 'scalabilityMode'>): Promise<VideoCodec | undefined> {
  if (codec !== 'auto') return codec;
  return scalabilityMode === undefined && (await (efficient ??= ask())) ? 'h264' : undefined;
}
