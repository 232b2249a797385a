// What page and worker say to each other.

/** A base key for frames of this key id. */
export interface KeyMessage {
  type: 'send' | 'receive';
  kid: bigint;
  baseKey: Uint8Array;
}

/** Streams of a browser without RTCRtpScriptTransform. */
export interface StreamsMessage {
  type: 'streams';
  options: TransformOptions;
  readable: ReadableStream;
  writable: WritableStream;
}

export type ToWorker = KeyMessage | StreamsMessage;

/** A frame came whose key isn't here, or a kind of frame that can't be sealed was about to leave. */
export type FromWorker = { type: 'needed'; kid: bigint } | { type: 'refused'; codec: string };

/** What a transform is made with. */
export interface TransformOptions {
  side: 'send' | 'receive';
  video: boolean;
}
