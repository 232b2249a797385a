// Opening cameras, microphones and screens; what the browser throws becomes a DeviceError that says what to do.

import { deviceError, nearcastError } from './errors.js';
import type { CameraOptions, MicrophoneOptions, ScreenOptions } from './options.js';

/** How a device is opened: kept by its publication, to open it again or another one in its place. @internal */
export interface Capture {
  /** Muting gives the device back: a camera's light must go out, while a microphone that opens again costs the first word. */
  readonly releaseOnMute: boolean;
  open(): Promise<MediaStreamTrack>;
  withDevice(deviceId: string): Capture;
  /** What to go on with when the device is gone; rejects with the reason why there is nothing. */
  replacement(): Promise<Capture>;
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
    // Another camera may show what nobody was meant to see: that one is for the person to choose.
    replacement: () => stillAllowed('camera').then(() => Promise.reject(nearcastError('device-not-found'))),
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
    replacement: () => stillAllowed('microphone').then(() => microphoneCapture({ ...options, deviceId: '' })),
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

/** Rejects when the person took the permission back: a track ends the same way then as when its device is unplugged. */
async function stillAllowed(what: 'camera' | 'microphone'): Promise<void> {
  // Where the browser cannot say, opening the device will. 'prompt' counts as taken back: nobody wants to be asked in mid-call.
  const status = await navigator.permissions?.query({ name: what as PermissionName }).catch(() => undefined);
  if (status && status.state !== 'granted') throw nearcastError('device-permission-denied');
}

/** @internal */
export function mediaDevices(what: 'camera' | 'microphone' | 'screen'): MediaDevices {
  // Missing on pages that aren't served securely, whatever the DOM types say.
  const found: MediaDevices | undefined = globalThis.navigator?.mediaDevices;
  if (!found || (what === 'screen' && !('getDisplayMedia' in found))) throw deviceError(new TypeError('navigator.mediaDevices'), what);
  return found;
}
