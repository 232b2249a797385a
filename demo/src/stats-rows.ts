// Statistics as short rows of text. Pure, so that it can be tested.
import type { Layer, Path, TrackStats } from 'nearcast';
import { reasonInWords } from './layer-words.ts';

export type StatsRow = readonly [label: string, value: string];

/**
 * Rows for one tile: its picture, its sound, whether it comes directly, the way to the edge, which all tiles share, and what the edge sends of the
 * picture.
 */
export function statsRows(video: TrackStats | undefined, audio: TrackStats | undefined, rttMs: number | undefined, layer?: Layer, path?: Path): StatsRow[] {
  const rows: StatsRow[] = [];
  const add = (label: string, value: string | undefined): void => {
    if (value) rows.push([label, value]);
  };
  add('Video', video && join(size(video), rate(video.framesPerSecond, 'fps')));
  add('Bitrate', bitrate(video?.bitrate));
  add('Codec', join(video?.codec?.toUpperCase(), audio?.codec));
  add('Loss', percent(video?.lossRatio ?? audio?.lossRatio));
  add('Path', path);
  add('RTT', rate(rttMs, 'ms'));
  add('Audio', join(bitrate(audio?.bitrate), audio?.jitterMs === undefined ? undefined : `±${rate(audio.jitterMs, 'ms')}`));
  if (path === 'direct') layer = undefined;
  if (layer) add('Layer', layer.paused ? 'paused' : join(size(layer), rate(layer.framesPerSecond || undefined, 'fps'), bitrate(layer.bitrate || undefined)));
  add('Because', layer && reasonInWords(layer.reason));
  const limit = video?.qualityLimitationReason;
  add('Limited by', limit === 'none' ? undefined : limit);
  add('Freezes', video?.freezeCount ? String(video.freezeCount) : undefined);
  return rows;
}

/** Bits per second. */
export function bitrate(bps: number | undefined): string | undefined {
  if (bps === undefined) return undefined;
  if (bps >= 999_500) return `${(bps / 1_000_000).toFixed(1)} Mb/s`;
  return `${Math.round(bps / 1000)} kb/s`;
}

function size({ width, height }: TrackStats | Layer): string | undefined {
  return width && height ? `${width}×${height}` : undefined;
}

function rate(value: number | undefined, unit: string): string | undefined {
  return value === undefined ? undefined : `${Math.round(value)} ${unit}`;
}

/** A ratio from 0 to 1. */
function percent(ratio: number | undefined): string | undefined {
  return ratio === undefined ? undefined : `${(ratio * 100).toFixed(1)} %`;
}

function join(...parts: (string | undefined)[]): string | undefined {
  return parts.filter(Boolean).join(' · ') || undefined;
}
