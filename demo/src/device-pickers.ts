// Three lists: camera, microphone, speaker. The lobby and the dialog in the call show the same.
import { devices } from 'nearcast';
import { clone } from './dom.ts';
import { canChooseSpeaker } from './speaker.ts';
import { preferences } from './storage.ts';

export type DeviceKind = MediaDeviceKind;

const KINDS = { videoinput: 'camera', audioinput: 'microphone', audiooutput: 'speaker' } as const;

/** The device chosen last time; `undefined`: whichever the browser prefers. */
export function chosenDevice(kind: DeviceKind): string | undefined {
  return preferences.recall(KINDS[kind]) || undefined;
}

/** The device chosen last time if it is still there: asking for one that was unplugged would fail. */
export async function presentDevice(kind: DeviceKind): Promise<string | undefined> {
  const chosen = chosenDevice(kind);
  if (!chosen) return undefined;
  const present = await devices.list(kind).catch(() => []); // publishing will say better what is wrong
  return present.some(({ deviceId }) => deviceId === chosen) ? chosen : undefined;
}

export class DevicePickers {
  readonly #selects: HTMLSelectElement[];

  /** @param place gets the lists. */
  constructor(place: Element, onChoose: (kind: DeviceKind, deviceId: string) => void, signal?: AbortSignal) {
    place.replaceChildren(clone('device-pickers-template'));
    this.#selects = [...place.querySelectorAll('select')];
    for (const select of this.#selects) {
      const kind = kindOf(select);
      if (kind === 'audiooutput' && !canChooseSpeaker) select.closest('label')?.remove();
      select.addEventListener('change', () => {
        preferences.remember(KINDS[kind], select.value);
        onChoose(kind, select.value);
      });
    }
    devices.onChange((present) => this.show(present), signal && { signal });
  }

  /** Reads the lists anew. Before permission is given browsers hide names, and most devices. */
  async refresh(): Promise<void> {
    try {
      this.show(await devices.list());
    } catch (error) {
      console.debug('nearcast demo: no device list:', error); // without one the lists say "Default", which is what is used
      this.show([]);
    }
  }

  show(present: readonly MediaDeviceInfo[]): void {
    for (const select of this.#selects) {
      const kind = kindOf(select);
      const named = present.filter((device) => device.kind === kind && device.deviceId !== '');
      const options = named.map(({ deviceId, label }, at) => new Option(label || `${capital(KINDS[kind])} ${at + 1}`, deviceId));
      select.replaceChildren(...(options.length > 0 ? options : [new Option('Default', '')]));
      const chosen = chosenDevice(kind);
      if (chosen && named.some(({ deviceId }) => deviceId === chosen)) select.value = chosen;
      select.disabled = options.length < 2;
    }
  }
}

function kindOf(select: HTMLSelectElement): DeviceKind {
  return select.dataset.kind as DeviceKind;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
