// How good the call is, in words: the core judges (client-core/src/quality.rs) and tells numbers. docs/quality.md explains them.

import { type LayerReason, layerReasons } from './layers.js';

/**
 * A score in words: 'excellent' flaws can't be noticed, 'good' they can, 'poor' a conversation is hard work, 'lost' nothing arrives.
 * 'unknown': not measured, because nothing flows or it is too early to tell.
 */
export type QualityLevel = 'unknown' | 'lost' | 'poor' | 'good' | 'excellent';

/** What takes the most points; 'unknown' also where nothing takes many. What each means and what helps: docs/quality.md. */
export type QualityCause =
  | 'unknown'
  | 'uplink-loss'
  | 'downlink-loss'
  | 'delay'
  | 'jitter'
  | 'bandwidth'
  | 'cpu'
  /** The edge sends a smaller picture than was asked for; `layerReason` says why. */
  | 'layer-held'
  | 'server'
  | 'camera';

/** What the person or the app may do; `qualityAdvice` has words for it. */
export type QualityAction = 'none' | 'check-network' | 'shorten-path' | 'reduce-video' | 'reduce-load' | 'raise-priority' | 'wait' | 'check-camera';

/** Where points go. */
export type QualityTerm = 'loss' | 'delay' | 'jitter' | 'freeze' | 'frameRate' | 'resolution' | 'sharpness' | 'silence';

/** What was measured over the last second. What isn't known is missing. */
export interface QualityEvidence {
  /** Round trip to the edge. */
  rttMs?: number;
  /** Variation of arrival. */
  jitterMs?: number;
  /** How long packets wait for late ones before they are played. */
  bufferMs?: number;
  /** Share of packets lost before repair, 0 to 1. */
  lossRatio?: number;
  /** How much longer runs of lost packets are than at random, 1 and up. */
  burstRatio?: number;
  /** Share of the sound that had to be made up after repair, 0 to 1. */
  concealedRatio?: number;
  /** Share of the time that the picture stood still, 0 to 1. */
  frozenRatio?: number;
  /** Sent or shown. */
  framesPerSecond?: number;
  /** Asked for. */
  framesPerSecondAsked?: number;
  /** The picture's shorter side, in pixels. */
  lines?: number;
  /** Asked for. */
  linesAsked?: number;
  /** Mean quantiser, on the codec's own scale. */
  quantiser?: number;
  /** Share of the time that coding takes: from 1 on the device falls behind. */
  codingLoad?: number;
  /** Mean opinion score of sound, 1 to 4.41 (ITU-T G.107). */
  meanOpinionScore?: number;
}

/** How good something is, and why. */
export interface Quality {
  /** 0 (nothing arrives) to 100 (nothing to wish for). */
  readonly score: number;
  /** The score in words, with hysteresis. */
  readonly level: QualityLevel;
  /** What takes the most points. */
  readonly cause: QualityCause;
  /** What may help. */
  readonly action: QualityAction;
  /** Why the edge sends no better layer, where that matters. */
  readonly layerReason?: LayerReason;
  /** Points lost by term; with the score they make 100. Empty for other participants: the edge judges them. */
  readonly contributions: Readonly<Partial<Record<QualityTerm, number>>>;
  /** The numbers behind it. Of a connection: those of the track that lost most. */
  readonly evidence: Readonly<QualityEvidence>;
}

/** Both directions of one's own connection; as a whole it is as good as the worse of them. */
export interface ConnectionQuality extends Quality {
  /** What one sends. */
  readonly uplink: Quality;
  /** What one receives. */
  readonly downlink: Quality;
}

/** By the numbers of client-core. */
const levels = 'unknown,lost,poor,good,excellent'.split(',') as QualityLevel[];
const causes = 'unknown,uplink-loss,downlink-loss,delay,jitter,bandwidth,cpu,layer-held,server,camera'.split(',') as QualityCause[];
const actions = 'none,check-network,shorten-path,reduce-video,reduce-load,raise-priority,wait,check-camera'.split(',') as QualityAction[];
const terms = 'loss,delay,jitter,freeze,frameRate,resolution,sharpness,silence'.split(',');
const evidence =
  'rttMs,jitterMs,bufferMs,lossRatio,burstRatio,concealedRatio,frozenRatio,framesPerSecond,framesPerSecondAsked,lines,linesAsked,quantiser,codingLoad,meanOpinionScore'.split(',');

/** Numbers of one judgement: subject (4 more when it is no news: only the numbers are newer), score, level, cause, action, layer's reason, then points and evidence. @internal */
export const JUDGEMENT = 28;

/** Reads the judgement that begins with `numbers`. @internal */
export function readQuality(numbers: ArrayLike<number>): Quality {
  const [, score = 0, level = 0, cause = 0, action = 0, layer = NaN] = Array.from(numbers);
  const named = (names: readonly string[], start: number, keep: (value: number) => boolean): Record<string, number> =>
    Object.fromEntries(names.map((name, at) => [name, numbers[start + at] ?? NaN] as const).filter(([, value]) => keep(value)));
  const layerReason = layerReasons[layer];
  return {
    score,
    level: levels[level] ?? 'unknown',
    cause: causes[cause] ?? 'unknown',
    action: actions[action] ?? 'none',
    ...(layerReason && { layerReason }),
    contributions: named(terms, 6, (value) => value > 0),
    evidence: named(evidence, 14, (value) => !Number.isNaN(value)),
  };
}

const advice: Readonly<Record<QualityAction, string>> = {
  none: '',
  'check-network': 'Go nearer to the access point or use a cable, and end other transfers.',
  'shorten-path': 'Leave the VPN, or use an edge that is nearer.',
  'reduce-video': 'Send or show fewer or smaller pictures.',
  'reduce-load': 'Close other programs, or send and show fewer pictures.',
  'raise-priority': 'Show it larger or give it priority, if it matters.',
  wait: 'It passes, or is for the operator to repair.',
  'check-camera': 'Give the camera more light, and end other programs that use it.',
};

/** English words for what may be done; empty when nothing has to. */
export function qualityAdvice({ action }: Pick<Quality, 'action'>): string {
  return advice[action];
}
