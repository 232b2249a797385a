// `?preflight=1`: tries what a call needs, shows how far it is, and says what to do about what fails.
import { preflight, type PreflightCheck, type PreflightCheckName } from 'nearcast/preflight';
import { find } from './dom.ts';
import { codeOf, wordsFor } from './errors.ts';
import { setError, showView } from './page.ts';
import { mintToken } from './token.ts';
import type { PageOptions } from './url.ts';

const titles: Readonly<Record<PreflightCheckName, string>> = {
  websocket: 'The edge is reached',
  token: 'It lets you in',
  udp: 'Media passes directly',
  tcp: 'Relay over TCP or TLS',
  turn: 'Relay over UDP',
  loss: 'Little is lost',
  rtt: 'The way is short',
  throughput: 'The way up is wide',
  microphone: 'Microphone',
  camera: 'Camera',
};

const units: Readonly<Partial<Record<PreflightCheckName, (value: number) => string>>> = {
  loss: (value) => `${(value * 100).toFixed(0)} %`,
  rtt: (value) => `${value.toFixed(0)} ms`,
  throughput: (value) => `${(value / 1e6).toFixed(1)} Mbit/s and more`,
};

/** Runs it in a room of its own, so that nobody sees the test come and go. */
export async function showPreflight({ token, edge, audio, video }: PageOptions): Promise<void> {
  showView('preflight');
  const verdict = find('#preflight-verdict', HTMLElement);
  try {
    const id = crypto.getRandomValues(new Uint32Array(1)).join();
    const known = token ?? (await mintToken({ room: `preflight-${id}`, identity: `preflight-${id}`, name: 'Connection check' }));
    const { ok } = await preflight(edge ?? location.origin, known, { onProgress: show, devices: audio && video });
    verdict.textContent = ok ? 'Ready for calls.' : 'A call would not work well from here.';
    document.body.dataset.preflight = ok ? 'passed' : 'failed';
  } catch (error) {
    setError(codeOf(error));
    verdict.textContent = wordsFor(codeOf(error)).text;
    document.body.dataset.preflight = 'failed';
  }
}

function show(checks: readonly PreflightCheck[]): void {
  const rows = checks.map(({ name, status, value, remedy }) => {
    const row = document.createElement('li');
    row.dataset.check = name;
    row.dataset.status = status;
    const measured = value === undefined ? '' : (units[name]?.(value) ?? '');
    for (const text of [titles[name], measured || status, remedy ?? '']) row.append(Object.assign(document.createElement('span'), { textContent: text }));
    return row;
  });
  find('#preflight-list', HTMLElement).replaceChildren(...rows);
}
