// Decisions in words: what was decided, and why. Pure, so that it can be tested.
import type { Layer, Path, PathReason } from 'nearcast';
import { reasonInWords } from './layer-words.ts';
import { bitrate } from './stats-rows.ts';

type Words = { what: string; why: string };

const STATES: Readonly<Record<string, string>> = {
  connected: 'Connected',
  reconnecting: 'Connection interrupted',
  disconnected: 'Call over',
};

const REASONS: Readonly<Record<string, string>> = {
  joined: 'the edge let us in',
  resumed: 'the same session goes on',
  'socket-closed': 'the WebSocket was closed',
  'no-pong': 'the edge did not answer a ping',
  'bad-message': 'the edge sent something unreadable',
  left: 'you left',
};

/** A change of state, and the reason that the SDK gives. */
export function stateInWords(state: string, reason: string): Words {
  return { what: STATES[state] ?? state, why: REASONS[reason] ?? reason };
}

const PATHS: Readonly<Record<PathReason, string>> = {
  'room-mode': 'as many are in the room',
  'no-media': 'nothing came through the edge',
  'media-back': 'it comes through the edge again',
  lost: 'the direct connection broke',
};

/** Which way somebody's media takes from now on. */
export function pathInWords(whose: string, path: Path, reason: PathReason): Words {
  return { what: `${whose}: ${path === 'direct' ? 'directly' : 'through the edge'}`, why: PATHS[reason] };
}

/** What the edge sends of somebody's picture or sound from now on. */
export function layerInWords(whose: string, layer: Layer): Words {
  const size = layer.height > 0 ? `${layer.width}×${layer.height}` : 'what there is';
  const cost = bitrate(layer.bitrate || undefined);
  return { what: `${whose}: ${layer.paused ? 'paused' : [size, cost].filter(Boolean).join(', ')}`, why: reasonInWords(layer.reason) };
}

/** The detail of an event that an SDK may or may not have: no more is taken for granted than is looked at. */
export function otherInWords(type: string, whose: string, detail: unknown): Words {
  const part = (name: string): string | undefined => {
    const value = detail !== null && typeof detail === 'object' ? (detail as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? String(value).replaceAll('-', ' ') : undefined;
  };
  const what = [part('level'), part('step') ?? part('action'), part('score') && `score ${part('score')}`].filter((one) => one && one !== 'none');
  return { what: [whose, what.join(', ') || type].filter(Boolean).join(': '), why: part('cause') ?? part('reason') ?? '' };
}
