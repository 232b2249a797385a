// One call, from the moment the room is there until it is left. Everything that listens to the room stops with one signal.
import type { NearcastError, Room } from 'nearcast';
import { Chat } from './chat.ts';
import { Controls } from './controls.ts';
import { DevicePickers } from './device-pickers.ts';
import { find } from './dom.ts';
import { Grid } from './grid.ts';
import { copyInvite } from './invite.ts';
import { LocalMedia } from './local-media.ts';
import { followModeration } from './moderation.ts';
import { setState } from './page.ts';
import { People } from './people.ts';
import { StatsOverlay } from './stats-overlay.ts';
import { showError } from './toasts.ts';
import { WhyPanel } from './why.ts';

declare global {
  interface Window {
    /** The room while there is one, for tests and embedders. */
    nearcastRoom?: Room;
  }
}

export interface CallOptions {
  room: Room;
  inviteLink: string;
  /** The call is over: left, or ended by an error. */
  onEnd: (error: NearcastError | undefined) => void;
}

export class Call {
  readonly #media: LocalMedia;

  constructor({ room, inviteLink, onEnd }: CallOptions) {
    const ending = new AbortController();
    const { signal } = ending;
    window.nearcastRoom = room;
    find('#call-room', HTMLElement).textContent = room.name;

    const grid = new Grid(find('#tiles', HTMLElement), signal);
    const people = new People(room, grid, find('#call-count', HTMLElement), signal);
    const stats = new StatsOverlay(room, people, find('#call-stats', HTMLElement), signal);
    const chat = new Chat(room, signal);
    const why = new WhyPanel(room, signal);
    const [devicesDialog, helpDialog] = [find('#devices', HTMLDialogElement), find('#help', HTMLDialogElement)];
    const pickers = new DevicePickers(
      find('[data-device-pickers]', HTMLElement, devicesDialog),
      (kind, deviceId) => void this.#media.useDevice(kind, deviceId),
      signal,
    );

    const toggleChat = (): void => controls.setPressed('chat', chat.toggle());
    const toggleWhy = (): void => controls.setPressed('why', why.toggle());
    const controls = new Controls(find('#call', HTMLElement), {
      microphone: () => void this.#media.toggle('microphone'),
      camera: () => void this.#media.toggle('camera'),
      screen: () => void this.#media.toggle('screen'),
      chat: toggleChat,
      why: toggleWhy,
      stats: () => controls.setPressed('stats', stats.toggle()),
      devices: () => {
        devicesDialog.showModal();
        void pickers.refresh();
      },
      invite: () => void copyInvite(inviteLink),
      help: () => helpDialog.showModal(),
      leave: () => void room.leave(),
    }, signal);
    this.#media = new LocalMedia(room, signal, () => {
      controls.showMedia(this.#media);
      people.refreshSelf();
    });
    controls.showMedia(this.#media);
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return;
      if (chat.isOpen) toggleChat();
      else if (why.isOpen) toggleWhy();
    }, { signal });

    followModeration(room, find('#call-lock', HTMLButtonElement), signal);
    followState(room, signal);
    followAutoplay(room, signal);

    room.on('closed', ({ error }) => {
      ending.abort();
      devicesDialog.close();
      helpDialog.close();
      delete window.nearcastRoom;
      setState('disconnected');
      onEnd(error);
    }, { once: true });
  }

  /** Sends what was chosen before joining. */
  start(wanted: { audio: boolean; video: boolean }): Promise<void> {
    return this.#media.start(wanted);
  }
}

function followState(room: Room, signal: AbortSignal): void {
  const banner = find('#banner-reconnecting', HTMLElement);
  const show = (): void => {
    setState(room.state);
    banner.hidden = room.state !== 'reconnecting';
  };
  room.on('statechanged', show, { signal });
  show();
}

/** Browsers play sound only after a click. If they hold it back, a banner offers one. */
function followAutoplay(room: Room, signal: AbortSignal): void {
  const banner = find('#banner-autoplay', HTMLElement);
  const show = (): void => void (banner.hidden = room.canPlayAudio);
  room.on('autoplayblocked', show, { signal });
  room.on('autoplayresumed', show, { signal });
  find('#banner-autoplay-button', HTMLButtonElement).addEventListener('click', () => room.resumeAudio().catch(showError), { signal });
  show();
}
