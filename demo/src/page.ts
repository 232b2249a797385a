// What the page shows of itself to the outside: attributes of <body>. docs/demo.md promises them to tests and embedders.
import type { RoomState } from 'nearcast';

/** `lobby` before the first attempt to join; after that the state of the room, `disconnected` also when an attempt failed. */
export type PageState = 'lobby' | RoomState;

export function setState(state: PageState): void {
  document.body.dataset.state = state;
}

/** The code of the last error; `undefined` when a new attempt starts. */
export function setError(code: string | undefined): void {
  if (code === undefined) delete document.body.dataset.error;
  else document.body.dataset.error = code;
}

const VIEWS = ['lobby', 'connecting', 'call', 'ended', 'preflight'] as const;

export function showView(view: (typeof VIEWS)[number]): void {
  for (const id of VIEWS) document.getElementById(id)?.toggleAttribute('hidden', id !== view);
}
