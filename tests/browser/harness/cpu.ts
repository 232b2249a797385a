// A share of the processor for one browser and everything it starts: a control group of the kernel's `cpu` controller. The
// throttling of DevTools reaches a page's main thread only, and pictures are encoded elsewhere.

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

const PERIOD_US = 50_000;

export class CpuShare {
    /** Whoever writes its process id to this file belongs to the group, and so do the children it starts then. */
    readonly procs: string;
    readonly #folder: string;
    readonly #isUnified: boolean;

    private constructor(folder: string, isUnified: boolean) {
        this.#folder = folder;
        this.#isUnified = isUnified;
        this.procs = join(folder, 'cgroup.procs');
    }

    /** A group without a limit, yet. Throws with the remedy where none can be made. */
    static make(): CpuShare {
        const name = `nearcast-test-${randomBytes(4).toString('hex')}`;
        // Version 2 has one hierarchy, version 1 one for each controller.
        for (const [root, file, isUnified] of [['/sys/fs/cgroup', 'cpu.max', true], ['/sys/fs/cgroup/cpu', 'cpu.cfs_quota_us', false]] as const) {
            const folder = join(root, name);
            try {
                mkdirSync(folder);
            } catch {
                continue; // not this version, or not ours to write: the next may be
            }
            if (existsSync(join(folder, file))) return new CpuShare(folder, isUnified);
            rmdirSync(folder);
        }
        throw new Error('No control group for the cpu can be made. Remedy: run as root with /sys/fs/cgroup mounted writable and its cpu controller enabled.');
    }

    /** Limits all of it together to so many cores, such as 0.3; undefined takes the limit away. */
    limit(cores: number | undefined): void {
        const quota = cores === undefined ? undefined : Math.round(cores * PERIOD_US);
        if (this.#isUnified) {
            writeFileSync(join(this.#folder, 'cpu.max'), `${quota ?? 'max'} ${PERIOD_US}`);
        } else {
            writeFileSync(join(this.#folder, 'cpu.cfs_period_us'), String(PERIOD_US));
            writeFileSync(join(this.#folder, 'cpu.cfs_quota_us'), String(quota ?? -1));
        }
    }

    /** The group goes; its processes must have ended. */
    async remove(): Promise<void> {
        for (let left = REMOVE_TRIES; ; left -= 1) {
            try {
                rmdirSync(this.#folder);
                return;
            } catch (error) {
                // The last of a browser's processes end a moment after it.
                if (left === 0) throw error;
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        }
    }
}

const REMOVE_TRIES = 50;
