// The room before the room: see yourself, choose devices, say who you are and where you want to go.
import { DevicePickers } from './device-pickers.ts';
import { find, setIcon, setLabel } from './dom.ts';
import { wordsFor } from './errors.ts';
import { type Input, Preview, type PreviewFailure } from './preview.ts';
import { randomRoomName } from './room-name.ts';
import { chooseSpeaker } from './speaker.ts';
import { preferences } from './storage.ts';
import type { PageOptions } from './url.ts';

/** What the person decided in the lobby. */
export interface JoinChoice {
  room: string;
  name: string;
  audio: boolean;
  video: boolean;
}

export class Lobby {
  readonly #form = find('#join-form', HTMLFormElement);
  readonly #name = find('#join-name', HTMLInputElement);
  readonly #room = find('#join-room', HTMLInputElement);
  readonly #button = find('#join-button', HTMLButtonElement);
  readonly #error = find('#join-error', HTMLElement);
  readonly #note = find('#preview-note', HTMLElement);
  readonly #toggles: Record<Input, HTMLButtonElement> = {
    camera: find('#preview-camera', HTMLButtonElement),
    microphone: find('#preview-microphone', HTMLButtonElement),
  };
  readonly #preview = new Preview(find('#preview-video', HTMLVideoElement), find('#preview-meter', HTMLElement));
  readonly #pickers: DevicePickers;
  readonly #wanted: Record<Input, boolean>;
  #failures: PreviewFailure[] = [];
  #opening = false;

  constructor(options: PageOptions, onJoin: (choice: JoinChoice) => void) {
    this.#wanted = { camera: options.video, microphone: options.audio };
    this.#name.value = options.name ?? preferences.recall('name') ?? '';
    this.#room.value = options.room ?? (options.token ? '' : randomRoomName());
    this.#room.required = !options.token; // a token names its room itself

    this.#pickers = new DevicePickers(find('#lobby [data-device-pickers]', HTMLElement), (kind, deviceId) => {
      if (kind === 'audiooutput') void chooseSpeaker(deviceId);
      else void this.#reopen(kind === 'videoinput' ? 'camera' : 'microphone');
    });
    for (const input of ['camera', 'microphone'] as const) {
      this.#toggles[input].addEventListener('click', () => {
        this.#wanted[input] = !this.#preview.has(input);
        void this.#reopen(input);
      });
    }
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const choice = this.#choice();
      if (choice) onJoin(choice);
    });
    this.#showInputs();
  }

  /** Opens camera and microphone and puts the cursor where something is missing. */
  async open(): Promise<void> {
    this.setBusy(false);
    // Not on telephones, where it would raise the keyboard over the preview.
    if (matchMedia('(hover: hover)').matches) [this.#name, this.#room].find(({ value }) => !value.trim())?.focus();
    this.#opening = true;
    this.#showInputs();
    this.#failures = await this.#preview.open((['camera', 'microphone'] as const).filter((input) => this.#wanted[input]));
    this.#opening = false;
    this.#showInputs();
    await this.#pickers.refresh(); // names are readable now
  }

  /** Lets go of camera and microphone. */
  close(): void {
    this.#preview.end();
  }

  setBusy(busy: boolean): void {
    this.#button.disabled = busy;
    this.#button.textContent = busy ? 'Joining…' : 'Join';
  }

  showError(code: string): void {
    const { title, text } = wordsFor(code);
    this.#showError(`${title}. ${text}`);
  }

  #choice(): JoinChoice | undefined {
    const [name, room] = [this.#name.value.trim(), this.#room.value.trim()];
    if (!name || (!room && this.#room.required)) {
      this.#showError(name ? 'Please give the room a name.' : 'Please tell the others your name.');
      (name ? this.#room : this.#name).focus();
      return undefined;
    }
    this.#error.hidden = true;
    preferences.remember('name', name);
    return { room, name, audio: this.#isOn('microphone'), video: this.#isOn('camera') };
  }

  #showError(text: string): void {
    this.#error.textContent = text;
    this.#error.hidden = false;
  }

  async #reopen(input: Input): Promise<void> {
    this.#failures = this.#failures.filter((failure) => failure.input !== input);
    this.#preview.close(input);
    if (this.#wanted[input]) this.#failures.push(...(await this.#preview.open([input])));
    this.#showInputs();
    await this.#pickers.refresh();
  }

  /** Wanted, and not known to fail. */
  #isOn(input: Input): boolean {
    return this.#wanted[input] && !this.#failures.some((failure) => failure.input === input);
  }

  #showInputs(): void {
    for (const input of ['camera', 'microphone'] as const) {
      const button = this.#toggles[input];
      const on = this.#isOn(input);
      setIcon(button, on ? input : `${input}-off`);
      setLabel(button, `Turn ${input} ${on ? 'off' : 'on'}`);
      button.toggleAttribute('data-off', !on);
    }
    this.#note.replaceChildren(...this.#noteLines());
  }

  #noteLines(): HTMLElement[] {
    if (this.#failures.length > 0) {
      const [first, second] = this.#failures;
      const alike = second && first?.code === second.code;
      const notes = alike ? [wordsFor(second.code, 'camera and microphone')] : this.#failures.map(({ input, code }) => wordsFor(code, input));
      return notes.map(({ title, text }) => paragraph(`${title}. `, text));
    }
    if (this.#opening) return [paragraph('', 'Allow camera and microphone when the browser asks.')];
    return this.#wanted.camera ? [] : [paragraph('', 'Your camera is off.')];
  }
}

function paragraph(strong: string, text: string): HTMLElement {
  const line = document.createElement('p');
  const title = document.createElement('strong');
  title.textContent = strong;
  line.append(title, text);
  return line;
}
