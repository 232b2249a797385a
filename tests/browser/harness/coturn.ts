// A real TURN server (coturn) beside the edge, with the secret that the edge makes credentials from.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from './processes.ts';
import { FAR } from './link.ts';
import { until } from './wait.ts';

const PORT = 3478;
const TLS_PORT = 5349;
const SECRET = 'of edge and TURN server';
const START_MS = 10_000;

/** Over UDP, over TCP, and over TLS with a certificate that nobody signed. */
export const TURN_UDP = `turn:${FAR}:${PORT}?transport=udp`;
export const TURN_TCP = `turn:${FAR}:${PORT}?transport=tcp`;
export const TURN_TLS = `turns:${FAR}:${TLS_PORT}?transport=tcp`;

/** For an edge that names it. */
export const withTurn = (...addresses: string[]): string[] => ['--turn-servers', addresses.join(','), '--turn-secret', SECRET];

/** Why tests with it can't run here; undefined: they can. */
export const noCoturn = spawnSync('turnserver', ['--version']).error ? 'there is no coturn (apt-get install -y --no-install-recommends coturn)' : undefined;

/** A certificate for the far side's address and its key, as PEM files in `folder`. */
function selfSigned(folder: string): [certificate: string, key: string] {
    const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
    const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=nearcast.test'];
    execFileSync('openssl', [...what, '-addext', `subjectAltName=IP:${FAR}`, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
    return [certificate, key];
}

/** Starts it on the far side of the link; what ends it. */
export async function startCoturn(): Promise<() => Promise<void>> {
    const folder = mkdtempSync(join(tmpdir(), 'nearcast-coturn-'));
    const [certificate, key] = selfSigned(folder);
    const address = ['--listening-ip', FAR, '--relay-ip', FAR, '--listening-port', String(PORT), '--tls-listening-port', String(TLS_PORT)];
    const limits = ['--use-auth-secret', '--static-auth-secret', SECRET, '--realm', 'nearcast.test', '--no-dtls', '--no-cli', '--cert', certificate, '--pkey', key];
    const files = ['--log-file', 'stdout', '--pidfile', join(folder, 'pid'), '--userdb', join(folder, 'users')]; // it looks for secrets there too
    const child = spawn('turnserver', ['-n', ...address, ...limits, ...files], { stdio: 'ignore' });
    endWithUs(child);
    const listens = (): Promise<boolean> =>
        new Promise((resolve) => {
            const socket = createConnection(PORT, FAR, () => resolve(true));
            socket.on('error', () => resolve(false)).on('close', () => resolve(false));
            socket.on('connect', () => socket.destroy());
        });
    await until('coturn to listen', listens, Boolean, START_MS);
    return async () => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
        rmSync(folder, { recursive: true, force: true });
    };
}
