// Who this tab is to the edge. Two tabs of one person are two participants, so the name alone won't do; a reload is the
// same participant, so the suffix outlives it.
import type { Store } from './storage.ts';

/** 32 bits: two people of one name in one room collide once in four billion. */
const SUFFIX_BYTES = 4;

export function tabIdentity(name: string, tab: Store): string {
  let suffix = tab.recall('identity-suffix');
  if (!suffix) {
    // Not crypto.randomUUID: it needs a secure context, and the lobby should at least open without one.
    const bytes = crypto.getRandomValues(new Uint8Array(SUFFIX_BYTES));
    suffix = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    tab.remember('identity-suffix', suffix);
  }
  return `${name}-${suffix}`;
}
