// Who speaks while voices come directly: the edge, which tells otherwise, doesn't hear them. By the levels that senders write into their packets
// and browsers count of one's own track.

import type { Participant } from './participant.js';
import type { Room } from './room.js';

/** As often as the edge looks. */
const EVERY_MS = 200;

/** Above it somebody speaks: about -36 dB. Guess: a quiet room is at -50. */
const LOUD = 0.016;

/** Who was loud speaks for so long. Guess: a pause between words. */
const HOLD_MS = 600;

/** @internal */
export class Voices {
  #connections: () => RTCPeerConnection[];
  #tell: (heard: [Participant, number][]) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Level and when it was reached. */
  #loud = new Map<Participant, [level: number, at: number]>();
  #told = '';

  constructor(connections: () => RTCPeerConnection[], tell: (heard: [Participant, number][]) => void) {
    this.#connections = connections;
    this.#tell = tell;
  }

  /** Whether it is at work. */
  get listen(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins, or ends, as somebody's media comes directly or nobody's does any more. */
  update(room: Room): void {
    const direct = [...room.participants.values()].some(({ path }) => path === 'direct');
    if (!direct) this.stop();
    else this.#timer ??= setInterval(() => void this.#look(room), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#loud.clear();
    this.#told = '';
  }

  async #look(room: Room): Promise<void> {
    const now = performance.now();
    const hear = (participant: Participant, level = 0): void => {
      if (level > LOUD) this.#loud.set(participant, [level, now]);
    };
    const receivers = this.#connections().flatMap((connection) => connection.getReceivers());
    for (const participant of room.participants.values()) {
      for (const { kind, track } of participant.publications.values()) {
        const receiver = kind === 'audio' && receivers.find((one) => one.track === track?.mediaStreamTrack);
        if (receiver) hear(participant, receiver.getSynchronizationSources()[0]?.audioLevel);
      }
    }
    const senders = this.#connections().flatMap((connection) => connection.getSenders());
    for (const { kind, track, muted } of room.local.publications.values()) {
      if (kind !== 'audio' || muted) continue;
      // Of one that is held nothing is counted.
      for (const sender of senders.filter((one) => one.track === track.mediaStreamTrack)) {
        const reports = await sender.getStats().catch(() => undefined);
        reports?.forEach((report: { type: string; audioLevel?: number }) => report.type === 'media-source' && hear(room.local, report.audioLevel));
      }
    }
    if (!this.listen) return;
    for (const [participant, [, at]] of this.#loud) if (now - at > HOLD_MS) this.#loud.delete(participant);
    const heard = [...this.#loud].map(([participant, [level]]): [Participant, number] => [participant, level]).sort((a, b) => b[1] - a[1]);
    const said = heard.map(([{ id }]) => id).sort().join();
    if (said === this.#told) return;
    this.#told = said;
    this.#tell(heard);
  }
}
