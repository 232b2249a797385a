// Processes that the tests started are ended with them, by their own pid, however the tests end.

import type { ChildProcess } from 'node:child_process';

const running = new Map<ChildProcess, NodeJS.Signals>();

/** Ends `child` when this process exits before it. One that has children of its own to end needs a signal that it can hear. */
export function endWithUs(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
    running.set(child, signal);
    child.once('exit', () => running.delete(child));
}

process.once('exit', () => {
    for (const [child, signal] of running) child.kill(signal);
});
// Without a listener these would end the process with no 'exit' event. Puppeteer listens for its browsers itself.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
