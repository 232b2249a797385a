// A call over an emulated network: the edge and everybody else on one side, and on the other, behind the link, whoever enters with `behind: link`.

import { inOwnNetwork } from './own-network.ts';
import { callTest, type Call, type CallOptions } from './call.ts';
import { isBench, keep, row, type Row, type Target } from './figures.ts';
import { FAR, Link, type Conditions } from './link.ts';

export interface Emulated {
    call: Call;
    link: Link;
    /** Tells a figure; with a target it also says whether that is met. Never fails a test: what a test asserts is behaviour. */
    figure(metric: string, value: number, target?: Target): void;
}

export interface ScenarioOptions extends CallOptions {
    /** How the link is from the start. Default: a round trip of 50 ms. */
    network?: Conditions;
    seed?: number;
}

/** A round trip of 50 ms. */
export const FIFTY_MS: Conditions = { both: { delay_ms: 25 } };

/**
 * One scenario, a test. `scenario` is its name in the table of figures.
 *
 *     await scenario(import.meta.url, 'outage 5 s', 'media comes back', {}, async ({ call, link }) => { … });
 */
export async function scenario(file: string, name: string, promise: string, options: ScenarioOptions, body: (emulated: Emulated) => Promise<void>): Promise<void> {
    await scenarios(file, [{ name, promise, options, body }]);
}

export interface Scenario {
    name: string;
    promise: string;
    options: ScenarioOptions;
    body: (emulated: Emulated) => Promise<void>;
}

/** Several in one file. */
export async function scenarios(file: string, all: readonly Scenario[]): Promise<void> {
    await inOwnNetwork(file, () => {
        for (const { name, promise, options, body } of all) declare(name, promise, options, body);
    });
}

function declare(name: string, promise: string, options: ScenarioOptions, body: (emulated: Emulated) => Promise<void>): void {
    // The link is up before the edge is: its address is the one that the edge listens on.
    let link: Link | undefined;
    const raise = async (): Promise<void> => {
        link = await Link.raise(options.seed);
        await link.set(options.network ?? FIFTY_MS);
    };
    const drop = async (): Promise<void> => link?.close();
    callTest(`${name}: ${promise}`, { timeoutMs: 120_000, host: FAR, ...options, before: raise, after: drop }, async (call) => {
        if (!link) throw new Error('there is no link');
        const rows: Row[] = [];
        const figure = (metric: string, value: number, target?: Target): void => {
            const one = row(name, metric, value, target);
            rows.push(one);
            const verdict = one.target === null ? '' : ` (${one.target}: ${one.ok ? 'met' : 'NOT MET'})`;
            call.figure(`${metric} ${one.value}${verdict}`);
        };
        let behaves = 0;
        try {
            await body({ call, link, figure });
            behaves = 1;
        } finally {
            // What was measured before something went wrong counts too, and that it did.
            if (isBench) keep([...rows, row(name, 'behaves as it should', behaves, { atLeast: 1 })]);
        }
    });
}
