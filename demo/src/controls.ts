// The buttons of the call, and the keys that press them. Every element with data-action does what its name says.
import { setIcon, setLabel } from './dom.ts';
import type { LocalMedia, Sending } from './local-media.ts';

export type Action = Sending | 'chat' | 'stats' | 'why' | 'devices' | 'invite' | 'help' | 'leave';
export type Actions = Record<Action, () => void>;

const KEYS: Record<string, Action> = { m: 'microphone', v: 'camera', s: 'screen', c: 'chat', i: 'stats', w: 'why', '?': 'help' };

const LABELS: Record<Sending, { on: string; off: string; key: string }> = {
  microphone: { on: 'Mute microphone', off: 'Unmute microphone', key: 'm' },
  camera: { on: 'Turn camera off', off: 'Turn camera on', key: 'v' },
  screen: { on: 'Stop sharing your screen', off: 'Share your screen', key: 's' },
};

export class Controls {
  readonly #root: HTMLElement;

  constructor(root: HTMLElement, actions: Actions, signal: AbortSignal) {
    this.#root = root;
    for (const button of this.#buttons('[data-action]')) {
      button.addEventListener('click', () => actions[button.dataset.action as Action](), { signal });
    }
    document.addEventListener('keydown', (event) => {
      const action = KEYS[event.key.toLowerCase()]; // caps lock is no other key
      if (!action || event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
      event.preventDefault();
      actions[action]();
    }, { signal });

    // Telephones have no screens to share.
    const canShare = 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
    for (const button of this.#buttons('[data-action="screen"]')) button.hidden = !canShare;
    this.setPressed('chat', false);
    this.setPressed('stats', false);
    this.setPressed('why', false);
    for (const button of this.#buttons('.controls [data-action="devices"]')) setLabel(button, 'Devices');
  }

  showMedia(media: LocalMedia): void {
    for (const what of ['microphone', 'camera', 'screen'] as const) {
      const [on, label] = [media.isOn(what), LABELS[what]];
      for (const button of this.#buttons(`[data-action="${what}"]`)) {
        setLabel(button, `${on ? label.on : label.off} (${label.key})`);
        if (what === 'screen') button.toggleAttribute('data-active', on);
        else {
          setIcon(button, on ? what : `${what}-off`);
          button.toggleAttribute('data-off', !on);
        }
        button.setAttribute('aria-busy', String(media.isBusy(what)));
      }
    }
  }

  setPressed(action: 'chat' | 'stats' | 'why', pressed: boolean): void {
    for (const button of this.#buttons(`.controls [data-action="${action}"]`)) {
      button.setAttribute(action === 'stats' ? 'aria-pressed' : 'aria-expanded', String(pressed));
      const [open, name, key] = [pressed ? 'Close' : 'Open', action === 'chat' ? 'chat' : 'why?', action === 'chat' ? 'c' : 'w'];
      setLabel(button, action === 'stats' ? 'Statistics (i)' : `${open} ${name} (${key})`);
    }
  }

  #buttons(selector: string): NodeListOf<HTMLButtonElement> {
    return this.#root.querySelectorAll(selector);
  }
}

/** Whether a key pressed there is meant for the text or the dialog it lands in. A dialog that has closed keeps the focus until the page is next drawn. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable || target.closest('dialog[open]') !== null);
}
