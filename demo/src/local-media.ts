// What one sends: microphone, camera, screen. Each can be switched on and off; the room remembers which it is.
import type { LocalPublication, Room, Source } from 'nearcast';
import { type DeviceKind, presentDevice } from './device-pickers.ts';
import { chooseSpeaker } from './speaker.ts';
import { showError, showNotice } from './toasts.ts';

export type Sending = 'microphone' | 'camera' | 'screen';

export class LocalMedia {
  readonly #room: Room;
  /** Switching takes a moment, in which the same switch does nothing. */
  readonly #busy = new Set<Sending>();
  readonly #signal: AbortSignal;
  readonly #onChange: () => void;

  constructor(room: Room, signal: AbortSignal, onChange: () => void) {
    this.#room = room;
    this.#signal = signal;
    this.#onChange = onChange;
    room.on('localpublished', onChange, { signal });
    room.on('publicationmuted', onChange, { signal });
    room.on('localunpublished', ({ publication }) => {
      // The browser's own "stop sharing" and a pulled plug end here, too.
      if ((publication.source === 'camera' || publication.source === 'microphone') && !this.#busy.has(publication.source)) {
        showNotice(`Your ${publication.source} was disconnected`, 'Choose another under Devices, or switch it on again.', publication.source);
      }
      onChange();
    }, { signal });
  }

  isOn(what: Sending): boolean {
    const publication = this.#publication(what);
    return publication !== undefined && !publication.muted;
  }

  isBusy(what: Sending): boolean {
    return this.#busy.has(what);
  }

  /** Sends what was chosen before joining. One that fails doesn't keep the other from working. */
  async start(wanted: { audio: boolean; video: boolean }): Promise<void> {
    await Promise.all([wanted.audio && this.toggle('microphone'), wanted.video && this.toggle('camera')]);
  }

  async toggle(what: Sending): Promise<void> {
    if (this.#busy.has(what)) return;
    this.#busy.add(what);
    this.#onChange();
    try {
      const publication = this.#publication(what);
      if (!publication) await this.#publish(what);
      else if (what === 'screen') await this.#stopScreen();
      else if (publication.muted) await publication.unmute();
      else await publication.mute();
    } catch (error) {
      if (!this.#signal.aborted) showError(error, what); // leaving while a camera opens is no error
    } finally {
      this.#busy.delete(what);
      this.#onChange();
    }
  }

  async useDevice(kind: DeviceKind, deviceId: string): Promise<void> {
    if (kind === 'audiooutput') return chooseSpeaker(deviceId);
    const what = kind === 'videoinput' ? 'camera' : 'microphone';
    try {
      await this.#publication(what)?.switchDevice(deviceId); // else it is used when it is switched on
    } catch (error) {
      showError(error, what);
    }
    this.#onChange();
  }

  async #publish(what: Sending): Promise<void> {
    const { local } = this.#room;
    if (what === 'microphone') await local.publishMicrophone(await chosen('audioinput'));
    else if (what === 'camera') await local.publishCamera(await chosen('videoinput'));
    else await local.publishScreen({ audio: true });
  }

  async #stopScreen(): Promise<void> {
    await Promise.all([this.#publication('screen')?.unpublish(), this.#publication('screen-audio')?.unpublish()]);
  }

  #publication(source: Source): LocalPublication | undefined {
    return this.#room.local.publication(source);
  }
}

async function chosen(kind: DeviceKind): Promise<{ deviceId?: string }> {
  const deviceId = await presentDevice(kind);
  return deviceId ? { deviceId } : {};
}
