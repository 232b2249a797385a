// Which loudspeaker plays the others. Browsers set it on each audio element, so this keeps the set of them.
import { deviceErrorCode } from './errors.ts';
import { showErrorCode } from './toasts.ts';

export const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

const outputs = new Set<HTMLAudioElement>();
/** Device id of an `audiooutput`; empty: the system's own choice. */
let speaker = '';

export function addOutput(element: HTMLAudioElement): void {
  outputs.add(element);
  // It was unplugged since, or is not permitted yet: then the default speaks, and the person can choose again.
  if (speaker && canChooseSpeaker) element.setSinkId(speaker).catch((error: unknown) => console.debug('nearcast demo:', error));
}

export function removeOutput(element: HTMLAudioElement): void {
  outputs.delete(element);
}

/** The choice of last time, for the outputs to come. */
export function restoreSpeaker(deviceId: string): void {
  speaker = deviceId;
}

/** What the person chooses now: everybody moves there, or a notice says why not. */
export async function chooseSpeaker(deviceId: string): Promise<void> {
  speaker = deviceId;
  try {
    await Promise.all([...outputs].map((element) => element.setSinkId(deviceId)));
  } catch (error) {
    console.warn('nearcast demo:', error);
    showErrorCode(deviceErrorCode(error), 'speaker');
  }
}
