// Why a picture is no better, or paused, in words.
import type { Layer, LayerReason } from 'nearcast';

const WORDS: Readonly<Record<LayerReason, string>> = {
  best: 'it is the best there is',
  wished: 'it fits the tile',
  hidden: 'nobody can see it',
  bandwidth: 'your connection carries no more',
  priority: 'your connection is needed for other pictures',
  'hold-down': 'more failed a moment ago',
  publisher: 'no better is sent',
  muted: 'it is muted',
  'not-among-loudest': 'others are louder',
};

export function reasonInWords(reason: LayerReason): string {
  return WORDS[reason];
}

/** What a tile says over a picture that stands still; none when it moves, or when nobody would miss it. */
export function pausedInWords({ paused, reason }: Layer): string | undefined {
  return paused && reason !== 'hidden' && reason !== 'muted' ? `Paused: ${reasonInWords(reason)}` : undefined;
}
