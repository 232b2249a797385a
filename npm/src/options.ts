// What callers may choose, with defaults.

import type { Encryption } from './encryption.js';

/** Codecs a camera, a screen or another video track can be sent with. */
export type VideoCodec = 'vp8' | 'vp9' | 'av1' | 'h264';

/** How a video track is sent. */
export interface VideoOptions {
  /** Default 'auto': for a camera 'h264' where the device encodes it in hardware, otherwise 'vp8'. */
  codec?: VideoCodec | 'auto';
  /** Bits per second of the largest picture; smaller ones get less in proportion. Default by size: 1.7 Mbit/s for 720p, 450 kbit/s for 360p. */
  maxBitrate?: number;
  /**
   * Several sizes at once, so that everybody gets one that fits: as simulcast with 'vp8' and 'h264', as scalable coding with 'vp9' and 'av1'
   * (unless `scalabilityMode` begins with 'L1').
   * From 960 pixels three sizes, from 480 two, each half of the next; of a screen two. What nobody watches is not sent. Default true.
   */
  simulcast?: boolean;
  /** Such as 'L1T2' (https://www.w3.org/TR/webrtc-svc/). Default by codec and size; ignored where the browser can't. */
  scalabilityMode?: string;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** Subscribe to every publication, present and future. Default true; otherwise call `RemotePublication.subscribe()`. */
  autoSubscribe?: boolean;
  /**
   * Receive of each remote picture what the elements it is attached to can show: by their size in pixels of the screen, and nothing while they
   * are scrolled away, in a tab in the background or attached nowhere. What `setVideoPreferences` names comes before it. Default true.
   */
  adaptiveStream?: boolean;
  /**
   * Let frame rate, sizes and at worst all pictures give way while the processor or the path is short; `adapted` tells. False: what is asked for is
   * sent, and the browser makes of it what it can. Default true.
   */
  adaptation?: boolean;
  /**
   * Talk directly, without the edge, where the room's mode (`auto`, `p2p`) allows it: then the others learn one's addresses. A number: with so many
   * participants at most, 2 to 4. False: never. Default 4, which the room's mode limits further.
   */
  direct?: boolean | number;
  /** End-to-end encryption: a new `E2EE` of `nearcast/e2ee` (docs/e2ee.md). Default: the edge could see and hear. */
  e2ee?: Encryption;
  /** Cancels connecting; ignored once connected. */
  signal?: AbortSignal;
  /** Passed to RTCPeerConnection: TURN servers of your own go here, those of the edge are added. `iceTransportPolicy: 'relay'` uses nothing else, also for direct connections. */
  rtcConfiguration?: RTCConfiguration;
  /** How long connecting may take, in milliseconds. Default 10000. */
  joinTimeoutMs?: number;
  /** How long a lost connection is sought before the call ends, in milliseconds. Default 120000. */
  giveUpAfterMs?: number;
}

/** Options of `publishCamera`. Sizes and rates are wishes: the nearest the camera can do is used. */
export interface CameraOptions extends VideoOptions {
  /** From `devices.list('videoinput')`. Default: the browser's choice. */
  deviceId?: string;
  /** Pixels. Default 1280. */
  width?: number;
  /** Pixels. Default 720. */
  height?: number;
  /** Per second. Default 30. */
  frameRate?: number;
  /** Front or back camera of a phone. */
  facingMode?: 'user' | 'environment';
  /** Starts muted. */
  muted?: boolean;
}

/** Options of `publishMicrophone`. */
export interface MicrophoneOptions {
  /** From `devices.list('audioinput')`. Default: the browser's choice. */
  deviceId?: string;
  /** Default true. */
  echoCancellation?: boolean;
  /** Default true. */
  noiseSuppression?: boolean;
  /** Default true. */
  autoGainControl?: boolean;
  /** Send each frame twice while packets get lost, so that it is not heard (RFC 2198). Default true, where the browser can. */
  red?: boolean;
  /** Send next to nothing during silence. Default true. */
  dtx?: boolean;
  /** Starts muted. */
  muted?: boolean;
}

/** Options of `publishScreen`. */
export interface ScreenOptions extends VideoOptions {
  /** Share sound too, where browser and person agree. Default false. */
  audio?: boolean;
  /** Frames per second. Default 15. */
  maxFramerate?: number;
  /** Bits per second of the whole screen; half its size gets a quarter. Default 2.5 Mbit/s. */
  maxBitrate?: number;
}
