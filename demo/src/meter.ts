// Shows how loud a microphone is, so that people see that it works before they join.

/** What quiet speech reaches close to the microphone, and what shouting does; between them lies the scale. Guess, dB full scale. */
const QUIET_DB = -60;
const LOUD_DB = -12;
/** Screen readers and the eye need no more. */
const ANNOUNCE_EVERY_MS = 250;

/** Follows a microphone until the signal aborts. */
export function showLevel(track: MediaStreamTrack, meter: HTMLElement, signal: AbortSignal): void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = 0;
  let announced = 0;

  const show = (time: number): void => {
    analyser.getFloatTimeDomainData(samples);
    const level = scaleLevel(rootMeanSquare(samples));
    meter.style.setProperty('--level', level.toFixed(3));
    if (time - announced > ANNOUNCE_EVERY_MS) {
      announced = time;
      meter.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    }
    frame = requestAnimationFrame(show);
  };
  frame = requestAnimationFrame(show);
  // A page that was not clicked yet may have to wait with its audio graph.
  const resume = (): void => void context.resume();
  document.addEventListener('pointerdown', resume, { signal });

  signal.addEventListener('abort', () => {
    cancelAnimationFrame(frame);
    meter.style.setProperty('--level', '0');
    meter.setAttribute('aria-valuenow', '0');
    void context.close();
  });
}

function rootMeanSquare(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** 0 to 1 on a logarithmic scale, as ears hear. */
export function scaleLevel(amplitude: number): number {
  const decibel = 20 * Math.log10(Math.max(amplitude, 1e-6));
  return Math.min(1, Math.max(0, (decibel - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}
