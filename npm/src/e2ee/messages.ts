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

/** A message to somebody, plain or sealed, to be made the other. */
export interface DataMessage {
  type: 'seal' | 'open';
  id: number;
  data: Uint8Array<ArrayBuffer>;
}

export type ToWorker = KeyMessage | StreamsMessage | DataMessage;

/** A frame came whose key isn't here, or a kind of frame that can't be sealed was about to leave. */
export type FromWorker =
  | { type: 'needed'; kid: bigint }
  | { type: 'refused'; codec: string }
  /** What became of a `DataMessage`; nothing: there is no key, or it isn't authentic. `kid`: whose, of one that was opened. */
  | { type: 'data'; id: number; data?: Uint8Array<ArrayBuffer>; kid?: bigint };

/** What a transform is made with. */
export interface TransformOptions {
  side: 'send' | 'receive';
  video: boolean;
}
