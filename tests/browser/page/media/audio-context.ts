// One AudioContext per page: browsers bound their number, and starting one takes a while.

let shared: AudioContext | undefined;
let running: Promise<boolean> | undefined;

/** A healthy one runs within 0.1 s. */
const START_MS = 2000;

export function audioContext(): AudioContext {
    // 48 kHz is what Opus decodes to: no resampling between the codec and the analyser.
    shared ??= new AudioContext({ sampleRate: 48_000, latencyHint: 'interactive' });
    return shared;
}

/** Whether Web Audio works here at all: on a machine without a sound device, Firefox's never starts. */
export function webAudioRuns(): Promise<boolean> {
    running ??= Promise.race([
        audioContext().resume().then(() => true),
        new Promise<boolean>((resolve) => window.setTimeout(() => resolve(false), START_MS)),
    ]);
    return running;
}
