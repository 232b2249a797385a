// Lists of cameras, microphones and speakers.

import { mediaDevices } from './capture.js';
import { deviceError } from './errors.js';

/** Options of `devices.list`. */
export interface DeviceListOptions {
  /** Ask the person for access when the browser hides the names of devices until it is given. Default false. */
  askPermission?: boolean;
}

/** Cameras, microphones and speakers of this machine. */
export interface Devices {
  /** All devices, or those of one kind. Without permission the browser tells neither names nor ids. */
  list(kind?: MediaDeviceKind, options?: DeviceListOptions): Promise<MediaDeviceInfo[]>;
  /** Calls `listener` with the new list when a device comes or goes; call the returned function to stop. */
  onChange(listener: (devices: MediaDeviceInfo[]) => void, options?: { signal?: AbortSignal }): () => void;
}

/** Cameras, microphones and speakers of this machine. */
export const devices: Devices = { list, onChange };

async function list(kind?: MediaDeviceKind, options: DeviceListOptions = {}): Promise<MediaDeviceInfo[]> {
  const what = kind === 'videoinput' ? 'camera' : 'microphone';
  const source = mediaDevices(what);
  const read = async (): Promise<MediaDeviceInfo[]> => (await source.enumerateDevices()).filter((device) => !kind || device.kind === kind);
  const found = await read();
  if (!options.askPermission || found.every((device) => device.label !== '')) return found;
  const wanted = { audio: kind !== 'videoinput', video: kind === 'videoinput' || !kind };
  const stream = await source.getUserMedia(wanted).catch((cause: unknown) => {
    throw deviceError(cause, what);
  });
  // Firefox forgets the names as soon as the last track ends: read first.
  const named = await read();
  for (const track of stream.getTracks()) track.stop();
  return named;
}

function onChange(listener: (devices: MediaDeviceInfo[]) => void, options: { signal?: AbortSignal } = {}): () => void {
  const source: MediaDevices | undefined = globalThis.navigator?.mediaDevices;
  if (!source) return () => undefined;
  const changed = (): void => {
    list().then(listener, () => undefined); // a list that cannot be read tells nobody anything
  };
  source.addEventListener('devicechange', changed, options);
  return () => source.removeEventListener('devicechange', changed);
}
