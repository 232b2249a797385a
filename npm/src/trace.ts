// A call on paper: what `room.exportTrace()` gives. The core writes its own bytes, already without secrets; here they get a wrapping that says
// what wrote them, where and when.

/** What a call was told and decided. Save it as JSON: docs/journal.md says how to read and replay it. */
export interface Trace {
  /** Always this: tells such files from others. */
  kind: 'nearcast-trace';
  /** Version of the SDK. Replay with the same one. */
  sdk: string;
  /** `navigator.userAgent`; empty where there is none. */
  userAgent: string;
  /** When it was exported, ISO 8601. */
  exportedAt: string;
  /** The journal, base64. */
  core: string;
}

/** Bytes that become text at once: so many arguments every engine takes. */
const CHUNK = 0x2000;

/** @internal */
export function makeTrace(core: Uint8Array, sdk: string): Trace {
  let binary = '';
  for (let start = 0; start < core.length; start += CHUNK) binary += String.fromCharCode(...core.subarray(start, start + CHUNK));
  return {
    kind: 'nearcast-trace',
    sdk,
    userAgent: globalThis.navigator?.userAgent ?? '',
    exportedAt: new Date().toISOString(),
    core: btoa(binary),
  };
}
