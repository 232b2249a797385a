// What a page goes through that matters to a call.

/** Has a session told of it. @internal */
export interface PageListener {
  /** Another network, or none, or one again; or somebody looks at the page after a while. */
  changed(): void;
  /** Whether nobody sees the page. */
  hidden(hidden: boolean): void;
  /** It is closed. */
  closed(): void;
}

/** Listens until `signal` is aborted. @internal */
export function watchPage(signal: AbortSignal, listener: PageListener): void {
  const listen = (target: EventTarget | undefined, type: string, heard: () => void): void =>
    target?.addEventListener?.(type, heard, { signal });
  const changed = (): void => listener.changed();
  listen(globalThis, 'pagehide', () => listener.closed());
  listen(globalThis, 'online', changed);
  listen(globalThis, 'offline', changed);
  // From Wi-Fi to mobile and back, where the browser tells (Chromium).
  listen((globalThis.navigator as { connection?: EventTarget } | undefined)?.connection, 'change', changed);
  listen(globalThis.document, 'visibilitychange', () => {
    // Timers of a page in the background are late, by up to a minute: who comes back to it waits for no pause between attempts.
    if (!document.hidden) changed();
    listener.hidden(document.hidden);
  });
}
