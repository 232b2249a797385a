// A call under test: one edge, the browsers, and the participants in one room. Whatever fails in it is reported with the
// state of everything that took part.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { Browser } from 'puppeteer-core';
import type { ParticipantPage } from '../page/contract.ts';
import { launch, Tab, type Kind, type LaunchOptions, type Surroundings } from './browser.ts';
import { CpuShare } from './cpu.ts';
import { Edge, type EdgeOptions } from './edge.ts';
import type { Link } from './link.ts';
import { servePages, type PageName, type PageServer } from './pages.ts';
import { Proxy } from './proxy.ts';
import { remote, type Methods } from './remote.ts';
import { within } from './wait.ts';

/** A participant: the methods of its page, and what the test may do to it from outside. */
export interface Person extends ParticipantPage {
    readonly identity: string;
    /** Given by the edge. */
    readonly id: string;
    /** How long `connect` took. */
    readonly joinMs: number;
    readonly tab: Tab;
    readonly browser: Browser;
    /** Between this page's HTTP and the edge. */
    readonly proxy: Proxy;
}

export interface EnterOptions {
    /** At this edge instead of the call's own. */
    edge?: Edge;
    /** Whose browser; pages of one kind share one unless `ownBrowser`. Default chromium. */
    kind?: Kind;
    ownBrowser?: boolean;
    /** In this browser, whatever else is said. */
    browser?: Browser;
    /** Further flags for Chromium, which then is one of its own. */
    flags?: readonly string[];
    /** In a browser of its own on the near side of this link. */
    behind?: Link;
    /** In a browser of its own with this share of the processor. */
    cpu?: CpuShare;
    autoSubscribe?: boolean;
    /** Receive what the page shows. Default false: most tests say themselves what they want. */
    adaptiveStream?: boolean;
    /** Let quality give way on a machine that is busy with tests. Default false. */
    adaptation?: boolean;
    /** Load the core before joining, as pages with a lobby do. Default false. */
    prepared?: boolean;
    /** Talk directly where the room allows it. Default true, as in the SDK. */
    direct?: boolean;
    /** End-to-end encryption with this passphrase. */
    passphrase?: string;
    /** Use nothing but TURN servers. Default false. */
    relayOnly?: boolean;
    /** Further grants for the token. */
    grants?: Record<string, unknown>;
}

export class Call {
    /** Random, so that nothing of another test can be in it. */
    readonly room = `test-${randomBytes(4).toString('hex')}`;
    edge: Edge;
    readonly pages: PageServer;
    readonly #context: TestContext;
    readonly #options: EdgeOptions;
    readonly #witnesses: { label: string; tab: Tab }[] = [];
    readonly #browsers = new Map<Kind, Browser>();
    readonly #closers: (() => Promise<unknown>)[] = [];

    constructor(edge: Edge, pages: PageServer, context: TestContext, options: EdgeOptions) {
        this.#options = options;
        this.edge = edge;
        this.pages = pages;
        this.#context = context;
    }

    /** Prints one line of results. */
    figure(line: string): void {
        this.#context.diagnostic(line);
    }

    /**
     * Tells how long something took, in ms, and whether that is within its target. What fails the test is `atWorst` alone, which no busy machine
     * excuses: targets are held by `make bench-client`, on a machine that does nothing else.
     */
    took(what: string, ms: number, { target, atWorst }: { target: number; atWorst: number }): void {
        this.figure(`${what}: ${ms.toFixed(0)} ms (<= ${target}: ${ms <= target ? 'met' : 'NOT MET'})`);
        assert.ok(ms <= atWorst, `${what}: ${ms} ms, and ${atWorst} is a fault`);
    }

    /** A browser of this kind: the shared one, or a new one. */
    async browser(kind: Kind = 'chromium', options: { own?: boolean } & LaunchOptions = {}): Promise<Browser> {
        const shared = this.#browsers.get(kind);
        if (shared && !options.own) return shared;
        const browser = await launch(kind, { ...options, flags: [...this.#originFlags(), ...(options.flags ?? [])] });
        this.#closers.push(() => browser.close());
        if (!options.own) this.#browsers.set(kind, browser);
        return browser;
    }

    /** Opens one of the test pages, without joining. */
    async open<T extends Methods<T>>(page: PageName, label: string, browser?: Browser): Promise<T & { readonly tab: Tab }> {
        const tab = await Tab.open(browser ?? (await this.browser()), this.pages.url(page));
        this.#witnesses.push({ label, tab });
        return Object.assign(remote<T>(tab.page), { tab });
    }

    /** Opens a page and joins the room. */
    async enter(identity: string, options: EnterOptions = {}): Promise<Person> {
        const { behind, cpu, flags = [] } = options;
        const surroundings: Surroundings = { ...(behind && { network: behind.near }), ...(cpu && { group: cpu.procs }) };
        const own = options.ownBrowser ?? Boolean(options.flags ?? behind ?? cpu);
        const browser = options.browser ?? (await this.browser(options.kind, { own, flags, ...surroundings }));
        const edge = options.edge ?? this.edge;
        const proxy = await Proxy.to(edge.http, this.#options.host);
        this.#closers.push(() => proxy.close());
        const page = await this.open<ParticipantPage>('participant', identity, browser);
        const token = await edge.token(this.room, identity, options.grants);
        if (options.prepared) await page.prepare();
        const { id, ms } = await page.join(proxy.url, token, {
            autoSubscribe: options.autoSubscribe ?? true,
            adaptiveStream: options.adaptiveStream ?? false,
            adaptation: options.adaptation ?? false,
            direct: options.direct ?? true,
            ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
            ...(options.relayOnly && { rtcConfiguration: { iceTransportPolicy: 'relay' } }),
        });
        return Object.assign(page, { identity, browser, proxy, id, joinMs: ms });
    }

    /** Another edge, which ends with the call. */
    async anotherEdge(options: EdgeOptions): Promise<Edge> {
        const edge = await Edge.start(options);
        this.#closers.push(() => edge.stop());
        return edge;
    }

    /** A share of the processor for browsers to be in. */
    cpuShare(): CpuShare {
        const share = CpuShare.make();
        this.#closers.push(() => share.remove()); // waits for the browsers, which end at the same time
        return share;
    }

    /** Ends the edge as a crash would, and starts another one on the same ports. */
    async replaceEdge(): Promise<void> {
        this.edge = await this.edge.replace(this.#options);
    }

    /** A page needs a secure context; one that doesn't come from this machine itself is given it. */
    #originFlags(): string[] {
        return this.#options.host === undefined ? [] : [`--unsafely-treat-insecure-origin-as-secure=${this.pages.origin}`];
    }

    /** Everything that may explain a failure. */
    async describe(): Promise<string> {
        const parts = await Promise.all(
            this.#witnesses.map(async ({ label, tab }) => {
                const { snapshot } = remote<{ snapshot(): Promise<unknown> }>(tab.page);
                const state = await within(3000, 'the page to answer', snapshot()).catch(String);
                return `--- ${label}: ${JSON.stringify(state, undefined, 1)}\nconsole:\n${tab.console.join('\n')}`;
            }),
        );
        const stats = await this.edge.stats().catch(String);
        const numbers = JSON.stringify(typeof stats === 'string' ? stats : stats.total);
        return [...parts, `--- edge: ${numbers}`, ...this.edge.log.slice(-60)].join('\n');
    }

    async close(): Promise<void> {
        const ends = await Promise.allSettled(this.#closers.map((close) => close()));
        await this.pages.close();
        await this.edge.stop();
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
    }
}

export interface CallOptions extends EdgeOptions {
    /** The whole test, browsers' start included. Default 120 s. */
    timeoutMs?: number;
    /** Why it can't run here; undefined: it can. */
    skip?: string | undefined;
    /** What has to be there before the edge is, and what ends it after everything else has ended. */
    before?: () => Promise<void>;
    after?: () => Promise<void>;
}

/** A test with a call in it. Fails with the call's state, and leaves nothing running. */
export function callTest(name: string, options: CallOptions, body: (call: Call) => Promise<void>): void {
    const limit = options.timeoutMs ?? 120_000;
    // The runner's own limit would cut off the report: it only catches what hangs while being reported.
    test(name, { timeout: limit + 20_000, skip: options.skip ?? false }, async (context) => {
        // Undone in reverse.
        const undo: (() => Promise<void>)[] = [async () => options.after?.()];
        let call: Call;
        try {
            await options.before?.();
            const pages = await servePages(['participant', 'leak', 'foreign', 'whip', 'preflight'], options.host);
            undo.unshift(() => pages.close());
            call = new Call(await Edge.start(options), pages, context, options);
        } catch (error) {
            for (const step of undo) await step();
            throw error;
        }
        let failure: Error | undefined;
        try {
            await within(limit, 'the end of the test', body(call));
        } catch (error) {
            failure = error instanceof Error ? error : new Error(String(error));
            // The runner prints the stack, and a cause once more: so the report goes into the stack.
            failure.stack = `${failure.stack ?? failure.message}\n${await call.describe()}`;
        }
        // A failure of the test comes before a failure of its clean-up.
        await call.close().catch((error: unknown) => (failure ??= error as Error));
        await options.after?.().catch((error: unknown) => (failure ??= error as Error));
        if (failure) throw failure;
    });
}
