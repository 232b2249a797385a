// Where keys come from: the interface for an application's own scheme (MLS, RFC 9420, above all), and a passphrase that everybody knows.

import { AES_128_GCM, hkdf, ratchet } from './sframe.js';

/**
 * Gives every sender a key of its own. A key id is a number below 2^40: its low eight bits are the epoch (modulo 256), the others a random number of
 * the sender's stay, so that no key is used twice even by somebody who reloads the page.
 *
 * For MLS: `epoch` is the group's, `keyFor` exports `SFrame 1.0 Base Key` of the epoch that the low bits name (RFC 9605 §5.2) and expands it by
 * participant and key id; on a commit, call `E2EE.rotate()`.
 */
export interface KeyProvider {
  /** Which keys senders take now: 0 and up. It only grows. */
  readonly epoch: number;
  /**
   * The base key (16 bytes or more) of what a participant, oneself included, sends under a key id: the same for everybody who may see it. Undefined:
   * not known (yet); asked again, at most once a second, while frames come.
   */
  keyFor(participant: string, keyId: number): Promise<Uint8Array | undefined>;
  /** A frame came that can't be opened for want of this key. */
  onKeyNeeded?(participant: string, keyId: number): void;
  /** Begins another epoch, if the provider decides that itself. */
  advance?(): void;
}

/** Rounds of PBKDF2-HMAC-SHA-256 as OWASP advised for passwords in 2023; takes a browser 0.1 to 0.3 s, once. */
const ROUNDS = 600_000;

/** Options of `passphraseKeys`. */
export interface PassphraseOptions {
  /** What makes the same passphrase another key elsewhere: the room's name, say. Everybody needs the same. Default: none. */
  salt?: string;
}

/**
 * Keys from a passphrase that all participants know and the edge doesn't: PBKDF2, then HKDF for each participant and stay, and one step of the
 * RFC's ratchet for each epoch. Whoever knows the passphrase can read everything, and could send in somebody else's name.
 */
export function passphraseKeys(passphrase: string, { salt = '' }: PassphraseOptions = {}): KeyProvider {
  const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
  const master = (async () => {
    const material = await crypto.subtle.importKey('raw', text(passphrase), 'PBKDF2', false, ['deriveBits']);
    const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: text(`nearcast e2ee ${salt}`), iterations: ROUNDS };
    return crypto.subtle.deriveBits(parameters, material, 256);
  })();
  /** Where each sender's ratchet stands: the newest key of a stay. */
  const newest = new Map<string, { epoch: number; key: Promise<Uint8Array<ArrayBuffer>> }>();
  let epoch = 0;
  return {
    get epoch() {
      return epoch;
    },
    async keyFor(participant, keyId) {
      const [stay, wanted] = [Math.floor(keyId / 256), keyId % 256];
      const sender = `${stay} ${participant}`;
      const first = async () => hkdf(AES_128_GCM, await master, text(`nearcast sender ${sender}`), AES_128_GCM.hashSize);
      const known = newest.get(sender);
      // Keys of the past aren't kept; who needs one begins anew, as the passphrase allows.
      const from = known && known.epoch <= wanted ? known : { epoch: 0, key: first() };
      let { key } = from;
      for (let step = from.epoch; step < wanted; step++) key = key.then((before) => ratchet(AES_128_GCM, before));
      if (!known || known.epoch < wanted) newest.set(sender, { epoch: wanted, key });
      return key;
    },
    advance() {
      epoch++;
    },
  };
}
