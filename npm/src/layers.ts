// What one gets of somebody's publication, and what one wishes to get.

/** Why one gets this much of a publication and no more. */
export type LayerReason =
  /** It is the best there is. */
  | 'best'
  /** It is all that the preferences (size, frame rate) can use. */
  | 'wished'
  /** Nobody can see it. */
  | 'hidden'
  /** The connection to the edge carries no more. */
  | 'bandwidth'
  /** Others come first, and what is left is not enough for more. */
  | 'priority'
  /** More failed a moment ago; it is tried again soon. */
  | 'hold-down'
  /** The publisher sends no better now. */
  | 'publisher'
  /** The publisher muted it. */
  | 'muted'
  /** Sound of somebody who is not among the loudest. */
  | 'not-among-loudest';

/** By the numbers of protocol/src/layers.rs. @internal */
export const layerReasons: readonly LayerReason[] = [
  'best',
  'wished',
  'hidden',
  'bandwidth',
  'priority',
  'hold-down',
  'publisher',
  'muted',
  'not-among-loudest',
];

/** What the edge sends of a publication now. Zeros: paused, or not known. */
export interface Layer {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Frames per second. */
  readonly framesPerSecond: number;
  /** What it costs, in bits per second. */
  readonly bitrate: number;
  /** Nothing is sent. */
  readonly paused: boolean;
  /** Why not more. */
  readonly reason: LayerReason;
}

/** How a picture is shown, so that no more is sent than is seen. What is undefined is measured, or has its default. */
export interface VideoPreferences {
  /** Pixels of the screen: CSS pixels × `devicePixelRatio`. 0: not known. */
  width?: number | undefined;
  /** Pixels of the screen. 0: not known. */
  height?: number | undefined;
  /** False: nobody can see it, so nothing is sent. Default true. */
  visible?: boolean | undefined;
  /** Frames per second that are worth sending. 0: no limit. */
  maxFramerate?: number | undefined;
  /**
   * Who comes first when the connection is short. Default 'auto': a screen as if on stage, a camera as a thumbnail, or as the speaker while it is
   * that.
   */
  priority?: VideoPriority | undefined;
}

/** From last to first: 'thumbnail', 'speaker', 'on-stage'. */
export type VideoPriority = 'auto' | 'thumbnail' | 'speaker' | 'on-stage';

/** By the numbers of protocol/src/layers.rs. @internal */
export const videoPriorities: readonly VideoPriority[] = ['auto', 'thumbnail', 'speaker', 'on-stage'];
