// Short notices in the corner. Errors are read out at once and stay longer; pointing at one keeps it.
import { clone, find, setIcon } from './dom.ts';
import { codeOf, type Subject, type Words, wordsFor } from './errors.ts';
import { setError } from './page.ts';

/** More would cover the call; the oldest makes room. */
const MAX_TOASTS = 4;
/** Guess: a reader's pace of 3 words a second for the longest text, and half of that for a line like "Ana joined". */
const ERROR_STAYS_MS = 10_000;
const NOTICE_STAYS_MS = 5_000;

const shown = new Map<string, HTMLElement>();

/** Shows an error in words, notes its code for tests and embedders, and leaves the details to the console. */
export function showError(error: unknown, subject?: Subject): void {
  console.warn('nearcast demo:', error);
  showErrorCode(codeOf(error), subject);
}

export function showErrorCode(code: string, subject?: Subject): void {
  setError(code);
  const words = wordsFor(code, subject);
  showToast(words, words.calm ? 'info' : 'error');
}

export function showNotice(title: string, text = '', icon = 'info'): void {
  showToast({ title, text }, icon);
}

function showToast({ title, text }: Words, icon: string): void {
  shown.get(title)?.remove(); // the same notice twice is the first one, renewed
  const toast = clone('toast-template');
  toast.dataset.icon = icon;
  setIcon(toast, icon);
  find('.toast-title', HTMLElement, toast).textContent = title;
  find('.toast-text', HTMLElement, toast).textContent = text;
  const dismiss = (): void => {
    toast.remove();
    if (shown.get(title) === toast) shown.delete(title);
  };
  find('button', HTMLButtonElement, toast).addEventListener('click', dismiss);

  const stay = icon === 'error' ? ERROR_STAYS_MS : NOTICE_STAYS_MS;
  let timer = setTimeout(dismiss, stay);
  toast.addEventListener('pointerenter', () => clearTimeout(timer));
  toast.addEventListener('pointerleave', () => (timer = setTimeout(dismiss, stay)));

  shown.delete(title);
  shown.set(title, toast);
  if (shown.size > MAX_TOASTS) {
    const [oldest] = shown;
    oldest?.[1].remove();
    if (oldest) shown.delete(oldest[0]);
  }
  find(icon === 'error' ? '#toasts-errors' : '#toasts', HTMLElement).append(toast);
}
