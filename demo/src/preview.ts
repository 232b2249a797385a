// The lobby's look in the mirror: opens camera and microphone before there is a room. In the call the SDK opens them itself.
import { chosenDevice } from './device-pickers.ts';
import { deviceErrorCode } from './errors.ts';
import { showLevel } from './meter.ts';

export type Input = 'camera' | 'microphone';

export interface PreviewFailure {
  input: Input;
  code: string;
}

export class Preview {
  readonly #video: HTMLVideoElement;
  readonly #meter: HTMLElement;
  readonly #tracks: Record<Input, MediaStreamTrack | undefined> = { camera: undefined, microphone: undefined };
  #metering = new AbortController();
  /** What is opened before the preview ends and granted after it must not stay open. */
  #over = new AbortController();

  constructor(video: HTMLVideoElement, meter: HTMLElement) {
    this.#video = video;
    this.#meter = meter;
  }

  has(input: Input): boolean {
    return this.#tracks[input] !== undefined;
  }

  /** Opens what is wanted, and says what could not be opened. */
  async open(wanted: readonly Input[]): Promise<PreviewFailure[]> {
    if (wanted.length === 0) return [];
    const { signal } = this.#over;
    try {
      // Together, so that the browser asks once.
      for (const track of await openInputs(wanted)) {
        if (signal.aborted) track.stop();
        else this.#use(track);
      }
      return [];
    } catch (error) {
      const [only, ...more] = wanted;
      if (only && more.length === 0) return [{ input: only, code: deviceErrorCode(error) }];
      // One of them stands in the way of the other. Asking again for each is fine, unless the answer was no: then only for
      // what is allowed already, or the browser would ask a second time.
      const refused = deviceErrorCode(error) === 'device-permission-denied';
      const failures: PreviewFailure[] = [];
      for (const input of wanted) {
        if (refused && !(await isGranted(input))) failures.push({ input, code: 'device-permission-denied' });
        else failures.push(...(await this.open([input])));
      }
      return failures;
    }
  }

  /** Lets go of both; it can be opened again. */
  end(): void {
    this.#over.abort();
    this.#over = new AbortController();
    this.close('camera');
    this.close('microphone');
  }

  close(input: Input): void {
    this.#tracks[input]?.stop();
    this.#tracks[input] = undefined;
    if (input === 'camera') {
      this.#video.srcObject = null;
      this.#video.hidden = true;
    } else {
      this.#metering.abort();
    }
  }

  #use(track: MediaStreamTrack): void {
    const input = track.kind === 'video' ? 'camera' : 'microphone';
    this.close(input);
    this.#tracks[input] = track;
    if (input === 'camera') {
      this.#video.srcObject = new MediaStream([track]);
      this.#video.hidden = false;
    } else {
      this.#metering = new AbortController();
      showLevel(track, this.#meter, this.#metering.signal);
    }
  }
}

async function openInputs(wanted: readonly Input[]): Promise<MediaStreamTrack[]> {
  // Undefined on pages that are not secure.
  const { mediaDevices } = navigator as Partial<Navigator>;
  if (!mediaDevices) throw new TypeError('navigator.mediaDevices is missing: the page is not served over https or from localhost');
  const stream = await mediaDevices.getUserMedia({
    video: wanted.includes('camera') && { ...prefer('videoinput'), width: { ideal: 1280 }, height: { ideal: 720 } },
    audio: wanted.includes('microphone') && prefer('audioinput'),
  });
  return stream.getTracks();
}

/** As a wish, not a demand: a device that was unplugged since last time is no reason to have none. */
function prefer(kind: MediaDeviceKind): MediaTrackConstraints {
  const deviceId = chosenDevice(kind);
  return deviceId ? { deviceId: { ideal: deviceId } } : {};
}

async function isGranted(input: Input): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: input as PermissionName })).state === 'granted';
  } catch {
    return false; // a browser that doesn't tell
  }
}
