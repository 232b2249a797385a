// Turns an error's code into words that say what happened and what to do about it. Codes are the contract of the SDK
// (docs/sdk.md); its messages are for developers and go to the console.
import type { TokenRouteCode } from './token.ts';

export interface Words {
  title: string;
  text: string;
  /** Nothing went wrong, something only didn't happen. */
  calm?: boolean;
}

/** What the person was trying to use, for errors that are about a device. */
export type Subject = 'camera' | 'microphone' | 'camera and microphone' | 'screen' | 'speaker';

const UPDATE = 'Reload the page. If that does not help, page and edge are of different versions.';
const REPORT = 'This is a fault in Nearcast, not something you did. Reload the page; the browser’s console has the details.';

// {device} is replaced by what was being used.
const WORDS = {
  // Reaching the edge and staying there.
  'edge-unreachable': { title: 'The server can’t be reached', text: 'Check your internet connection, then try again. A VPN or firewall may be in the way.' },
  'join-timeout': { title: 'Joining took too long', text: 'The connection is very slow or partly blocked. Try again, or try another network.' },
  'aborted': { title: 'Joining was cancelled', text: 'Nothing was sent.', calm: true },
  'core-load-failed': { title: 'Part of the page didn’t load', text: 'Check your connection and reload. A strict content policy or browser extension can block it, too.' },
  'session-lost': { title: 'The connection was lost', text: 'It was gone for too long to pick up where you were. Join again.' },
  'webrtc-unsupported': { title: 'This browser can’t make calls', text: 'Use a current Chrome, Edge, Firefox or Safari.' },
  'session-unknown': { title: 'The call went on without you', text: 'The connection was gone for too long. Join again.' },
  'transport-failed': { title: 'Sound and picture can’t get through', text: 'This network blocks calls. Try another one, or ask its administrator to allow UDP.' },
  'overloaded': { title: 'The server is busy', text: 'It takes no new calls at the moment. Try again in a minute.' },
  'shutting-down': { title: 'The server is restarting', text: 'Try again in a few seconds.' },
  'elsewhere': { title: 'The call is on another server', text: 'It could not be reached from here. Try again in a few seconds.' },
  'room-locked': { title: 'The room is locked', text: 'Ask a moderator to let you in, then join again.' },
  'room-full': { title: 'The room is full', text: 'Wait until somebody leaves, or agree on another room.' },
  'room-closed': { title: 'The call was ended for everyone', text: 'Start a new one if you still have something to say.' },
  'duplicate-identity': { title: 'You joined from somewhere else', text: 'The same identity entered this room in another tab or on another device, so this one left.' },
  'removed': { title: 'You were removed from the call', text: 'A moderator ended your participation.' },

  // Permission to enter.
  'token-invalid': { title: 'The invitation isn’t valid', text: 'Its token was not signed by this server. Ask for a new link.' },
  'token-expired': { title: 'The invitation has expired', text: 'Its token is too old. Ask for a new link.' },
  'token-not-yet-valid': { title: 'It’s too early', text: 'The invitation isn’t valid yet. Try again later, and check that this device’s clock is right.' },
  'token-key-unknown': { title: 'The invitation isn’t valid any more', text: 'The server’s keys have changed since. Ask for a new link.' },
  'token-wrong-room': { title: 'The invitation is for another room', text: 'Check the room’s name, or ask for a link to this room.' },
  'token-unavailable': { title: 'No token could be fetched', text: 'Check your connection, then try again.' },
  'token-minting-off': { title: 'This server doesn’t hand out tokens', text: 'It runs without --dev. Open the page with a token: add &token=… to its address.' },
  'token-not-minted': { title: 'The server refused a token', text: 'Check name and room, then try again.' },

  // Devices.
  'device-permission-denied': { title: 'No permission to use your {device}', text: 'Allow it with the icon in the address bar, then try again. If the browser isn’t the one blocking, look into the system’s privacy settings.' },
  'device-not-found': { title: 'No {device} found', text: 'Plug one in, or choose another. You can stay in the call without it.' },
  'device-in-use': { title: 'Your {device} is busy', text: 'Another program holds it. Close that program, then try again.' },
  'device-constraints': { title: 'Your {device} can’t do that', text: 'It doesn’t support the setting that was asked for. Choose another device.' },
  'device-unsupported': { title: 'Your {device} can’t be used here', text: 'The browser offers it only on secure pages (https or localhost), or not at all.' },
  'screen-cancelled': { title: 'Nothing is shared', text: 'Choose a window or screen to share it.', calm: true },

  // Media and rights.
  'no-common-codec': { title: 'This browser and the server share no codec', text: 'Update the browser, or try another one.' },
  'bad-sdp': { title: 'The browser’s media offer wasn’t understood', text: UPDATE },
  'publication-unknown': { title: 'That was already gone', text: 'Somebody stopped sharing just now.', calm: true },
  'participant-unknown': { title: 'That person has gone', text: 'They left the call just now.', calm: true },
  'limit-reached': { title: 'That’s more than the server allows', text: 'Stop sharing something else first.' },
  'not-permitted': { title: 'You aren’t allowed to do that', text: 'Your invitation doesn’t include it. Ask the host for one that does.' },
  'play-blocked': { title: 'The browser paused the sound', text: 'Click anywhere in the page to turn it on.' },

  // Using the call.
  'room-left': { title: 'You already left', text: 'Join again to do that.', calm: true },
  'bad-argument': { title: 'That doesn’t work', text: 'Something in the address or the form isn’t valid; check room, name and edge.' },
  'data-too-large': { title: 'The message is too long', text: 'Send it in parts.' },
  'data-not-ready': { title: 'The message wasn’t sent', text: 'The connection is still being set up. Send it again in a moment.' },

  // Our faults.
  'core-panicked': { title: 'The call broke down', text: REPORT },
  'internal': { title: 'Something went wrong', text: REPORT },
  'bad-message': { title: 'Page and server don’t understand each other', text: UPDATE },
  'out-of-order': { title: 'Page and server don’t understand each other', text: UPDATE },
  'unsupported-version': { title: 'Page and server don’t understand each other', text: UPDATE },
} satisfies Record<TokenRouteCode, Words> & Record<string, Words>;

export const KNOWN_CODES: readonly string[] = Object.keys(WORDS);

/** Words for any code; one that is newer than this page gets those of `internal`. */
export function wordsFor(code: string, subject?: Subject): Words {
  const words: Words = Object.hasOwn(WORDS, code) ? WORDS[code as keyof typeof WORDS] : WORDS.internal;
  return { ...words, title: words.title.replace('{device}', subject ?? 'camera or microphone') };
}

/** What getUserMedia and setSinkId throw (Media Capture and Streams §10.2), in the SDK's codes. */
const DOM_CODES: Record<string, string> = {
  AbortError: 'device-in-use',
  NotAllowedError: 'device-permission-denied',
  NotFoundError: 'device-not-found',
  NotReadableError: 'device-in-use',
  OverconstrainedError: 'device-constraints',
  SecurityError: 'device-permission-denied',
  TypeError: 'device-unsupported',
  InvalidStateError: 'device-unsupported',
  NotSupportedError: 'device-unsupported',
};

/** The code of what a device call of the browser itself threw. */
export function deviceErrorCode(error: unknown): string {
  return (error instanceof Error && DOM_CODES[error.name]) || 'internal';
}

/** The code of what the SDK or the token route threw. The SDK may wrap what the page's own token function threw. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'internal';
  if (error.cause instanceof Error && error.cause.name === 'TokenRouteError') return codeOf(error.cause);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name === 'AbortError' ? 'aborted' : 'internal';
}
