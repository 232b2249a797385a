// Remembers small choices. A sandboxed frame or a strict privacy setting makes storage throw: then nothing is remembered,
// and the call goes on.

export interface Store {
  recall(key: string): string | undefined;
  remember(key: string, value: string): void;
}

const PREFIX = 'nearcast.demo.';

function storeOver(storage: () => Storage): Store {
  return {
    recall(key) {
      try {
        return storage().getItem(PREFIX + key) ?? undefined;
      } catch {
        return undefined;
      }
    },
    remember(key, value) {
      try {
        storage().setItem(PREFIX + key, value);
      } catch {
        // Forgetting is all that is left to do.
      }
    },
  };
}

/** Shared by all tabs, kept for good: name, theme, devices. */
export const preferences = storeOver(() => localStorage);
/** This tab's own, kept over reloads: its identity. */
export const tab = storeOver(() => sessionStorage);
