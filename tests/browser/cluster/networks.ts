// Networks for edges that are far from each other: one each, joined by links with delays to a hub, which this machine reaches too.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../harness/processes.ts';
import { within } from '../harness/wait.ts';

const START_MS = 10_000;
/** Longer than anybody watches; the networks must not outlive a crash by more. */
const HELD_FOR_S = 86_400;
const OURS = 'nearcast-hub';

export interface Place {
    /** Whoever holds its network. */
    network: number;
    address: string;
}

export class Networks {
    readonly #running: ChildProcess[] = [];
    #hub = 0;

    static async raise(): Promise<Networks> {
        const networks = new Networks();
        networks.#hub = await networks.#hold();
        run('ip', 'link', 'add', OURS, 'type', 'veth', 'peer', 'name', 'out', 'netns', String(networks.#hub));
        run('ip', 'address', 'add', '10.79.0.1/24', 'dev', OURS);
        run('ip', 'link', 'set', OURS, 'up');
        run('ip', 'route', 'add', '10.79.0.0/16', 'via', '10.79.0.2');
        inside(networks.#hub, 'ip', 'address', 'add', '10.79.0.2/24', 'dev', 'out');
        inside(networks.#hub, 'ip', 'link', 'set', 'out', 'up');
        // Firefox sends from the address of the default route.
        inside(networks.#hub, 'ip', 'route', 'add', 'default', 'via', '10.79.0.1');
        inside(networks.#hub, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
        return networks;
    }

    /** One more, so many milliseconds from the hub. */
    async place(number: number, delayMs: number): Promise<Place> {
        const network = await this.#hold();
        const [address, hub] = [`10.79.${number}.2`, `10.79.${number}.1`];
        const program = fileURLToPath(new URL('../../../target/debug/nearcast-link', import.meta.url));
        const flags = ['--near', `pid:${network}`, '--far', `pid:${this.#hub}`, '--near-address', `${address}/24`, '--far-address', `${hub}/24`];
        const link = spawn(program, [...flags, '--device', `place${number}`], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.#keep(link);
        const lines = createInterface({ input: link.stdout });
        await within(START_MS, 'the link to be ready', new Promise((resolve) => lines.once('line', resolve)));
        const set = new Promise((resolve) => lines.once('line', resolve));
        link.stdin.write(`${JSON.stringify({ both: { delay_ms: delayMs } })}\n`);
        await within(START_MS, 'the link to take its delay', set);
        inside(network, 'ip', 'link', 'set', 'lo', 'up');
        inside(network, 'ip', 'route', 'add', 'default', 'via', hub);
        return { network, address };
    }

    close(): void {
        for (const child of this.#running) child.kill('SIGKILL');
        run('ip', 'link', 'del', OURS); // its route goes with it
    }

    async #hold(): Promise<number> {
        const holder = spawn('unshare', ['--net', 'sh', '-c', `echo made; exec sleep ${HELD_FOR_S}`], { stdio: ['ignore', 'pipe', 'inherit'] });
        this.#keep(holder);
        await within(START_MS, 'a network namespace', new Promise((resolve) => createInterface({ input: holder.stdout }).once('line', resolve)));
        if (holder.pid === undefined) throw new Error('the namespace has no process');
        return holder.pid;
    }

    #keep(child: ChildProcess): void {
        endWithUs(child);
        this.#running.push(child);
    }
}

function run(name: string, ...words: string[]): void {
    execFileSync(name, words, { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }, stdio: 'pipe' });
}

const inside = (network: number, ...command: string[]): void => run('nsenter', `--net=/proc/${network}/ns/net`, ...command);
