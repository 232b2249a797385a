// Text messages over the room's reliable data channel, topic "chat". Nothing is stored: who comes later has not read it.
import type { Room } from 'nearcast';
import { clone, find } from './dom.ts';
import { showError, showNotice } from './toasts.ts';

const TOPIC = 'chat';
/** Kept in the page; older ones are forgotten. */
const MAX_MESSAGES = 200;
/** Characters of a message shown in a notice while the chat is closed. */
const NOTICE_LENGTH = 120;

export class Chat {
  readonly #panel = find('#chat', HTMLElement);
  readonly #scroll = find('#chat-scroll', HTMLElement);
  readonly #messages = find('#chat-messages', HTMLElement);
  readonly #empty = find('#chat-empty', HTMLElement);
  readonly #input = find('#chat-input', HTMLInputElement);
  readonly #badge = find('#chat-badge', HTMLElement);
  #unread = 0;

  constructor(room: Room, signal: AbortSignal) {
    this.#messages.replaceChildren();
    this.#showEmpty(true);
    this.#panel.hidden = true;
    this.#showUnread(0);

    room.on('data', ({ from, payload, topic }) => {
      if (topic !== TOPIC) return;
      const name = from?.name || from?.identity || 'Somebody';
      const text = typeof payload === 'string' ? payload : new TextDecoder().decode(payload);
      this.#append(name, text);
      if (!this.#panel.hidden) return;
      this.#showUnread(this.#unread + 1);
      showNotice(name, text.length > NOTICE_LENGTH ? `${text.slice(0, NOTICE_LENGTH)}…` : text, 'chat');
    }, { signal });

    find('#chat-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      if (!text) return;
      try {
        room.sendData(text, { topic: TOPIC });
        this.#append('You', text, true);
        this.#input.value = '';
      } catch (error) {
        showError(error); // the text stays in the field
      }
    }, { signal });
  }

  get isOpen(): boolean {
    return !this.#panel.hidden;
  }

  /** Opens or closes it; true when it is open now. */
  toggle(): boolean {
    this.#panel.hidden = !this.#panel.hidden;
    if (this.isOpen) {
      this.#showUnread(0);
      this.#scrollToEnd();
      this.#input.focus();
    }
    return this.isOpen;
  }

  #append(name: string, text: string, own = false): void {
    const message = clone('chat-message-template');
    const now = new Date();
    const time = find('time', HTMLTimeElement, message);
    find('.chat-name', HTMLElement, message).textContent = name;
    find('.chat-text', HTMLElement, message).textContent = text; // as text: what others write is never markup
    time.dateTime = now.toISOString();
    time.textContent = now.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    message.toggleAttribute('data-own', own);
    this.#messages.append(message);
    if (this.#messages.childElementCount > MAX_MESSAGES) this.#messages.firstElementChild?.remove();
    this.#showEmpty(false);
    this.#scrollToEnd();
  }

  #scrollToEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #showEmpty(empty: boolean): void {
    this.#empty.hidden = !empty;
    this.#scroll.hidden = empty;
  }

  #showUnread(count: number): void {
    this.#unread = count;
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count > 99 ? '99+' : String(count);
  }
}
