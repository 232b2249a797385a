// Opening cameras, microphones and screens; what the browser throws becomes a DeviceError that says what to do.

import { deviceError, nearcastError } from './errors.js';
import type { CameraOptions, MicrophoneOptions, ScreenOptions } from './options.js';

/** How a device is opened: kept by its publication, to open it again or another one in its place. @internal */
export interface Capture {
  /** Muting gives the device back: a camera's light must go out, while a microphone that opens again costs the first word. */
  readonly releaseOnMute: boolean;
  open(): Promise<MediaStreamTrack>;
  withDevice(deviceId: string): Capture;
}

/** @internal */
export function cameraCapture(options: CameraOptions): Capture {
  const video: MediaTrackConstraints = {
    width: { ideal: options.width ?? 1280 },
    height: { ideal: options.height ?? 720 },
    frameRate: { ideal: options.frameRate ?? 30 },
    ...(options.facingMode && { facingMode: { ideal: options.facingMode } }),
    ...(options.deviceId && { deviceId: { exact: options.deviceId } }),
  };
  return {
    releaseOnMute: true,
    open: () => openDevice('camera', { video }),
    withDevice: (deviceId) => cameraCapture({ ...options, deviceId }),
  };
}

/** @internal */
export function microphoneCapture(options: MicrophoneOptions): Capture {
  const audio: MediaTrackConstraints = {
    echoCancellation: options.echoCancellation ?? true,
    noiseSuppression: options.noiseSuppression ?? true,
    autoGainControl: options.autoGainControl ?? true,
    channelCount: { ideal: 1 },
    ...(options.deviceId && { deviceId: { exact: options.deviceId } }),
  };
  return {
    releaseOnMute: false,
    open: () => openDevice('microphone', { audio }),
    withDevice: (deviceId) => microphoneCapture({ ...options, deviceId }),
  };
}

/** The picture and, where wanted and granted, the sound of a screen. @internal */
export async function captureScreen(options: ScreenOptions): Promise<{ video: MediaStreamTrack; audio: MediaStreamTrack | undefined }> {
  const stream = await mediaDevices('screen')
    .getDisplayMedia({ video: { frameRate: { max: options.maxFramerate ?? 15 } }, audio: options.audio ?? false })
    .catch((cause: unknown) => {
      throw deviceError(cause, 'screen');
    });
  const [video] = stream.getVideoTracks();
  if (!video) throw nearcastError('device-not-found', { message: 'Screen: the browser gave no picture.' });
  return { video, audio: stream.getAudioTracks()[0] };
}

async function openDevice(what: 'camera' | 'microphone', constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  const stream = await mediaDevices(what)
    .getUserMedia(constraints)
    .catch((cause: unknown) => {
      throw deviceError(cause, what);
    });
  const [track] = stream.getTracks();
  if (!track) throw nearcastError('device-not-found');
  return track;
}

/** @internal */
export function mediaDevices(what: 'camera' | 'microphone' | 'screen'): MediaDevices {
  // Missing on pages that aren't served securely, whatever the DOM types say.
  const found: MediaDevices | undefined = globalThis.navigator?.mediaDevices;
  if (!found || (what === 'screen' && !('getDisplayMedia' in found))) throw deviceError(new TypeError('navigator.mediaDevices'), what);
  return found;
}
