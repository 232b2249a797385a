// What a call does about a processor or a path that is short, in the words of client-core/src/session/adapt.rs.

/** Something that gives way because the processor or the path is short, or that is back. */
export interface Adaptation {
  /** What is short: the processor, the way to the edge, or the way from it. */
  readonly what: 'cpu' | 'uplink' | 'downlink';
  /**
   * What gives way. For the processor one step after the other: frames ('frame-rate-20', 'frame-rate-15'), the largest picture of cameras ('top-layer'),
   * VP8 instead of VP9 and AV1 ('codec'; in browsers that can change a codec during a call), what is received ('receive-360', 'receive-180'); of a path
   * all pictures ('video'): voices only. 'red' gives nothing away: microphones send each frame twice, for as long as the way up loses packets.
   */
  readonly step: 'frame-rate-20' | 'frame-rate-15' | 'top-layer' | 'codec' | 'receive-360' | 'receive-180' | 'video' | 'red';
  /** It gives way from now on. False: it is back. */
  readonly active: boolean;
  /** Why. */
  readonly reason: AdaptationReason;
}

/** Why something gives way, or is back. */
export type AdaptationReason =
  /** An encoder says that the processor limits it. */
  | 'encoder-limited'
  /** Encoding takes nearly all the time there is. */
  | 'encode-time'
  /** An encoder misses frames. */
  | 'frames-missed'
  /** Decoding takes nearly all the time there is. */
  | 'decode-time'
  /** A decoder drops frames. */
  | 'frames-dropped'
  /** The path carries less than the smallest picture takes. */
  | 'bandwidth'
  /** Too much is lost. */
  | 'loss'
  /** Pictures stand still. */
  | 'frozen'
  /** What was short no longer is. */
  | 'recovered'
  /** The path is calm: perhaps it carries pictures again. */
  | 'retry';
