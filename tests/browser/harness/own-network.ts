// A network of the test's own, for Firefox: it never offers 127.0.0.1 as a candidate, so the edge has to announce another
// address, and that address should not depend on the machine's network, nor be reachable from it.
//
// The whole test file runs a second time inside an anonymous network namespace (`unshare --net`) with a veth pair in it:
// the browsers, the edge and the tests themselves are all inside, so nothing has to be forwarded into it. The kernel
// removes the namespace and the pair together with the last process, so there is nothing to clean up, even after a crash.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './processes.ts';

const INSIDE = 'NEARCAST_TEST_OWN_NETWORK';

export interface OwnNetwork {
    /** The address that the edge announces. */
    announce: string;
    /** Adds an IPv6 address, unique local (RFC 4193), and a default route; the address in brackets. */
    raiseIpv6(): string;
    /** From now on, what goes to this UDP port queues for a line of so many bits per second, for 300 ms at most. */
    slowDown(port: number, bitsPerSecond: number): void;
    /** From now on nothing goes over UDP, whoever sends it, and TCP as before; until `mendUdp`. */
    cutUdp(): void;
    mendUdp(): void;
}

/**
 * `tests` run inside; outside, this starts the file again inside and passes its outcome on. The test runner reads the
 * results of a file from its standard output, which the inner process inherits: to the runner there is one file.
 *
 *     await inOwnNetwork(import.meta.url, (network) => { test(…); });
 */
export async function inOwnNetwork(file: string, tests: (network: OwnNetwork) => void): Promise<void> {
    if (process.env[INSIDE] === undefined) process.exitCode = await runInside(fileURLToPath(file));
    else tests(raise());
}

function runInside(file: string): Promise<number> {
    // Root needs no user namespace; anybody else may make a network in one, where the system lets them.
    const flags = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
    const attempt = spawnSync('unshare', [...flags, 'true'], { encoding: 'utf8' });
    if (attempt.error) throw new Error('`unshare` did not start. Remedy: apt-get install -y util-linux.', { cause: attempt.error });
    if (attempt.status !== 0) throw new Error(`A network of the test's own is not allowed here: ${attempt.stderr.trim()}. ${RIGHTS}`);
    return new Promise((resolve, reject) => {
        const inner = spawn('unshare', [...flags, process.execPath, ...process.execArgv, file], {
            stdio: 'inherit',
            env: { ...process.env, [INSIDE]: '1' },
        });
        endWithUs(inner, 'SIGTERM');
        inner.once('error', reject);
        inner.once('exit', (code) => resolve(code ?? 1));
    });
}

const RIGHTS =
    'Remedy: run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN (in a container: --cap-add NET_ADMIN --cap-add SYS_ADMIN), ' +
    'or let users make namespaces (sysctl kernel.unprivileged_userns_clone=1).';

function raise(): OwnNetwork {
    const id = randomBytes(3).toString('hex'); // an interface name has 15 characters at most
    const [near, far] = [`ncn${id}`, `ncf${id}`];
    const announce = '10.213.0.1';
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    ip('address', 'add', `${announce}/24`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('link', 'set', far, 'up');
    // Firefox offers the address that the default route would use, so there has to be one.
    ip('route', 'add', 'default', 'via', '10.213.0.2');
    const raiseIpv6 = (): string => {
        ip('-6', 'address', 'add', 'fd6e:6361:7374::1/64', 'dev', near, 'nodad'); // usable at once: nobody else can have it
        ip('-6', 'route', 'add', 'default', 'via', 'fd6e:6361:7374::2', 'dev', near);
        return '[fd6e:6361:7374::1]';
    };
    // Everything inside travels over `lo`, so that is where a line can be narrow: for one receiver, known by its port.
    let lines = 0;
    const slowDown = (port: number, bitsPerSecond: number): void => {
        if (lines === 0) tc('qdisc add dev lo root handle 1: htb');
        lines += 1;
        tc(`class add dev lo parent 1: classid 1:${lines} htb rate 10gbit quantum 60000`);
        // The bucket holds one packet: runs that were sent as one are queued packet by packet, as on a real line.
        tc(`qdisc add dev lo parent 1:${lines} tbf rate ${bitsPerSecond} burst 1600 latency 300ms`);
        tc(`filter add dev lo parent 1: protocol ip u32 match ip protocol 17 0xff match ip dport ${port} 0xffff flowid 1:${lines}`);
    };
    const cutUdp = (): void => {
        tc('qdisc add dev lo root handle 1: htb');
        tc('class add dev lo parent 1: classid 1:1 htb rate 10gbit quantum 60000');
        // No packet fits into a bucket of ten bytes: all are dropped.
        tc('qdisc add dev lo parent 1:1 tbf rate 8kbit burst 10 limit 10');
        tc('filter add dev lo parent 1: protocol ip u32 match ip protocol 17 0xff flowid 1:1');
    };
    const mendUdp = (): void => tc('qdisc del dev lo root');
    return { announce, raiseIpv6, slowDown, cutUdp, mendUdp };
}

/** Runs `ip` in this network. */
export const ip = (...words: string[]): void => tool('ip', words);
const tc = (line: string): void => tool('tc', line.split(' '));

function tool(name: string, words: string[]): void {
    try {
        // Debian keeps them in sbin, which not everybody has on their PATH.
        execFileSync(name, words, { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }, stdio: 'pipe' });
    } catch (cause) {
        const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
        throw new Error(
            missing
                ? `\`${name}\` is missing. Remedy: apt-get install -y --no-install-recommends iproute2.`
                : `\`${name} ${words.join(' ')}\` failed. ${RIGHTS}`,
            { cause },
        );
    }
}
