// Every failure an app can see: a NearcastError with a code for programs, a sentence that names the remedy for people,
// and whether the same call may succeed later. The codes are listed in docs/sdk.md; a test holds the two lists together.

/** The codes that this version knows, by the class of their error. */
export type KnownErrorCode =
  // ConnectError
  | 'edge-unreachable' | 'join-timeout' | 'aborted' | 'webrtc-unsupported' | 'core-load-failed' | 'session-lost' | 'session-unknown' | 'transport-failed'
  | 'overloaded' | 'shutting-down' | 'elsewhere' | 'room-full' | 'room-locked' | 'room-closed' | 'duplicate-identity' | 'removed'
  // TokenError
  | 'token-invalid' | 'token-expired' | 'token-not-yet-valid' | 'token-key-unknown' | 'token-wrong-room' | 'token-unavailable'
  // DeviceError
  | 'device-permission-denied' | 'device-not-found' | 'device-in-use' | 'device-constraints' | 'device-unsupported' | 'screen-cancelled'
  // MediaError
  | 'no-common-codec' | 'bad-sdp' | 'publication-unknown' | 'participant-unknown' | 'limit-reached' | 'not-permitted' | 'play-blocked'
  // UsageError
  | 'room-left' | 'bad-argument' | 'data-too-large' | 'data-not-ready'
  // InternalError
  | 'core-panicked' | 'internal' | 'bad-message' | 'unsupported-version' | 'out-of-order';

/** Why something failed. Known codes complete in an editor; a newer edge may send one that this version doesn't know. */
export type ErrorCode = KnownErrorCode | (string & {});

/** What `NearcastError` takes besides code and message. */
export interface NearcastErrorOptions {
  /** The same call, unchanged, may succeed later. */
  retryable: boolean;
  /** With `retryable`: not before this many milliseconds. */
  retryAfterMs?: number | undefined;
  /** What the browser or the app's own code threw. */
  cause?: unknown;
}

/** Base of all errors of this package: catch this one, then look at `code`. */
export class NearcastError extends Error {
  /** The name of its class, for logs. */
  override readonly name: string = 'NearcastError';
  /** For programs; stable across versions. */
  readonly code: ErrorCode;
  /** The same call, unchanged, may succeed later. When false, the message says what must change first. */
  readonly retryable: boolean;
  /** With `retryable`: the edge asks not to be tried again before this many milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What the browser or the app's own code threw, if that was the reason. */
  declare readonly cause?: unknown; // declared only: a field of its own would hide what Error's constructor sets

  constructor(code: ErrorCode, message: string, options: NearcastErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The call could not be set up, or ended. */
export class ConnectError extends NearcastError {
  override readonly name = 'ConnectError';
}

/** The token was refused: fetch another one. */
export class TokenError extends NearcastError {
  override readonly name = 'TokenError';
}

/** A camera, microphone or screen could not be opened. */
export class DeviceError extends NearcastError {
  override readonly name = 'DeviceError';
}

/** A track could not be published, subscribed to or played. */
export class MediaError extends NearcastError {
  override readonly name = 'MediaError';
}

/** The call was made at the wrong time or with the wrong arguments. */
export class UsageError extends NearcastError {
  override readonly name = 'UsageError';
}

/** A fault of Nearcast: please report it. */
export class InternalError extends NearcastError {
  override readonly name = 'InternalError';
}

type ErrorClass = new (code: ErrorCode, message: string, options: NearcastErrorOptions) => NearcastError;

// code: class, retryable, what to do about it. No text for what the edge alone says: it has one that knows more.
const table: Readonly<Record<KnownErrorCode, readonly [ErrorClass, boolean, string?]>> = {
  'edge-unreachable': [ConnectError, true, 'The edge could not be reached. Check its address and the network, then connect again.'],
  'join-timeout': [ConnectError, true, 'The edge did not let us in in time. Connect again, or raise joinTimeoutMs.'],
  aborted: [ConnectError, true, 'Cancelled by its AbortSignal.'],
  'webrtc-unsupported': [ConnectError, false, 'There is no WebRTC here: connect() runs in browsers.'],
  'core-load-failed': [ConnectError, true, "The media core did not load. Check the network, and that Content-Security-Policy has 'wasm-unsafe-eval'."],
  'session-lost': [ConnectError, true, 'The connection was lost for too long. Connect again.'],
  'session-unknown': [ConnectError, true, 'The edge does not know this session. Connect again.'],
  'transport-failed': [ConnectError, true, 'No media path to the edge: its UDP port may be blocked. Try another network, or connect again.'],
  overloaded: [ConnectError, true],
  'shutting-down': [ConnectError, true],
  elsewhere: [ConnectError, true],
  'room-full': [ConnectError, true],
  'room-locked': [ConnectError, true],
  'room-closed': [ConnectError, false, 'The room was closed.'],
  'duplicate-identity': [ConnectError, false, 'The same identity joined from elsewhere.'],
  removed: [ConnectError, false, 'You were removed from the room.'],

  'token-invalid': [TokenError, false],
  'token-expired': [TokenError, false, 'The token has expired. Fetch a new one; a token function does that by itself.'],
  'token-not-yet-valid': [TokenError, true],
  'token-key-unknown': [TokenError, false],
  'token-wrong-room': [TokenError, false],
  'token-unavailable': [TokenError, true, 'Your token function failed; its error is the cause.'],

  'device-permission-denied': [DeviceError, false, "Access was refused. Allow it in the address bar or the system's settings."],
  'device-not-found': [DeviceError, false, 'There is no such device. Choose another.'],
  'device-in-use': [DeviceError, true, 'Another program uses the device. Close it first.'],
  'device-constraints': [DeviceError, false, 'No device can do what was asked. Ask for less.'],
  'device-unsupported': [DeviceError, false, 'Devices need https (or localhost), and a browser that opens them.'],
  'screen-cancelled': [DeviceError, true, 'Screen sharing was cancelled.'],

  'no-common-codec': [MediaError, false],
  'bad-sdp': [MediaError, false, 'The session description could not be used.'],
  'publication-unknown': [MediaError, false, 'There is no such publication any more.'],
  'participant-unknown': [MediaError, false],
  'limit-reached': [MediaError, false, 'The edge allows no more of these.'],
  'not-permitted': [MediaError, false, 'The token does not permit this. Mint one with the grant.'],
  'play-blocked': [MediaError, true, 'No sound before a click. Call room.resumeAudio() from one.'],

  'room-left': [UsageError, false, 'The room was left. Connect again first.'],
  'bad-argument': [UsageError, false, 'An argument is not what this call takes.'],
  'data-too-large': [UsageError, false, 'Data messages hold at most 60 KiB, topics 128 bytes.'],
  'data-not-ready': [UsageError, true, 'The data channel is not open yet, or full. Try again.'],

  'core-panicked': [InternalError, true, 'The core failed. Connect again; please report this.'],
  internal: [InternalError, true, 'A fault of Nearcast. Please report this.'],
  'bad-message': [InternalError, false, 'SDK and edge disagree. Update the older one.'],
  'unsupported-version': [InternalError, false, 'SDK and edge share no version. Update the older one.'],
  'out-of-order': [InternalError, false, 'SDK and edge disagree. Please report this.'],
};

const rows: ReadonlyMap<string, readonly [ErrorClass, boolean, string?]> = /* @__PURE__ */ new Map(Object.entries(table));

/**
 * Builds the error of the class that belongs to `code`.
 *
 * @internal
 */
export function nearcastError(
  code: ErrorCode,
  options: { message?: string | undefined; retryable?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
): NearcastError {
  const [Class, retryable, message = `The edge refused with '${code}'.`] = rows.get(code) ?? [InternalError, false];
  const { retryAfterMs, cause } = options;
  return new Class(code, options.message || message, { retryable: options.retryable ?? retryable, retryAfterMs, cause });
}

/** For tests and documentation. @internal */
export const knownCodes: readonly string[] = /* @__PURE__ */ Object.keys(table);

const domExceptions: Readonly<Record<string, ErrorCode>> = {
  NotAllowedError: 'device-permission-denied',
  SecurityError: 'device-permission-denied',
  NotFoundError: 'device-not-found',
  NotReadableError: 'device-in-use',
  AbortError: 'device-in-use', // "some problem that prevented the device from being used", in the words of the specification
  OverconstrainedError: 'device-constraints',
  TypeError: 'device-unsupported', // no constraints at all, or an insecure page
  InvalidStateError: 'device-unsupported', // the document is not active
  NotSupportedError: 'device-unsupported',
};

/**
 * What getUserMedia or getDisplayMedia threw, as a DeviceError with the same meaning.
 *
 * @internal
 */
export function deviceError(cause: unknown, what: 'camera' | 'microphone' | 'screen'): NearcastError {
  const name = cause instanceof Error ? cause.name : '';
  // A person who closes the picker and a system that forbids it look alike, except that Chromium says "denied by system".
  if (what === 'screen' && name === 'NotAllowedError' && !/system/i.test((cause as Error).message)) {
    return nearcastError('screen-cancelled', { cause });
  }
  const code = domExceptions[name] ?? 'device-in-use';
  const [, , text] = rows.get(code) ?? [undefined, undefined, ''];
  return nearcastError(code, { message: `${what[0]?.toUpperCase()}${what.slice(1)}: ${text}`, cause });
}
