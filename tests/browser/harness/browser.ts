// Starts Chromium and Firefox, and opens pages in them.

import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import puppeteer, { type Browser, type BrowserContext, type Page } from 'puppeteer-core';
import { endWithUs } from './processes.ts';

export type Kind = 'chromium' | 'firefox';

/** Why each: docs/dev-guide/browser-tests.md. */
const CHROMIUM_FLAGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    // Several pages encode and decode at once; none of them may be slowed down for being behind another.
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    '--js-flags=--expose-gc',
];

/** What Firefox's fake microphone hums: there an AudioContext needs a sound device, which test machines lack. */
export const FIREFOX_MICROPHONE_HZ = 1130;

const FIREFOX_PREFERENCES = {
    'media.navigator.audio.fake_frequency': FIREFOX_MICROPHONE_HZ,
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.autoplay.default': 0,
    'media.autoplay.blocking_policy': 0,
    'media.autoplay.block-webaudio': false,
    // Timers of pages in the background keep their pace.
    'dom.min_background_timeout_value': 4,
    'dom.timeout.enable_budget_timer_throttling': false,
    // No calls home, no first-run pages.
    'datareporting.policy.dataSubmissionEnabled': false,
    'app.update.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
};

const CANDIDATES: Record<Kind, { variable: string; names: string[]; package: string }> = {
    chromium: { variable: 'NEARCAST_CHROMIUM', names: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium' },
    firefox: { variable: 'NEARCAST_FIREFOX', names: ['firefox-esr', 'firefox'], package: 'firefox-esr' },
};

/** Path of the browser's program; throws with the remedy when there is none. */
function executableOf(kind: Kind): string {
    const { variable, names, package: debian } = CANDIDATES[kind];
    const given = process.env[variable];
    const folders = (process.env.PATH ?? '').split(delimiter);
    for (const path of given ? [given] : names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
        try {
            accessSync(path, constants.X_OK);
            return path;
        } catch {
            continue; // not here: the next folder may have it
        }
    }
    throw new Error(
        `${given ? `${variable}=${given} is no program` : `none of ${names.join(', ')} is on the PATH`}. ` +
            `Remedy: apt-get install -y --no-install-recommends ${debian}, or set ${variable} to the program's path.`,
    );
}

/** Where a browser runs, when not among everybody else. */
export interface Surroundings {
    /** The network namespace of this process. */
    network?: number;
    /** The `cgroup.procs` of a control group. */
    group?: string;
}

export interface LaunchOptions extends Surroundings {
    windowSize?: [number, number];
    flags?: readonly string[];
}

export async function launch(kind: Kind, options: LaunchOptions = {}): Promise<Browser> {
    const inside = enclosed(executableOf(kind), options);
    try {
        const browser = await start(kind, inside.program, options);
        browser.once('disconnected', inside.remove);
        return browser;
    } catch (error) {
        inside.remove();
        throw error;
    }
}

/** The program itself, or a script that takes its place elsewhere: the browser keeps the script's process id. */
function enclosed(program: string, { network, group }: Surroundings): { program: string; remove: () => void } {
    if (network === undefined && group === undefined) return { program, remove: () => undefined };
    const folder = mkdtempSync(join(tmpdir(), 'nearcast-browser-'));
    const script = join(folder, 'start.sh');
    const lines = [
        '#!/bin/sh',
        ...(group === undefined ? [] : [`echo $$ > '${group}'`]),
        `exec ${network === undefined ? '' : `nsenter --net=/proc/${network}/ns/net `}'${program}' "$@"`,
    ];
    writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o700 });
    return { program: script, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function start(kind: Kind, executablePath: string, options: LaunchOptions): Promise<Browser> {
    const [width, height] = options.windowSize ?? [800, 600];
    const common = { executablePath, headless: true, timeout: 30_000, protocolTimeout: ANSWER_MS, defaultViewport: { width, height } };
    // Of a flag that is given twice Chromium takes the last.
    const args = [...CHROMIUM_FLAGS, `--window-size=${width},${height}`, ...(options.flags ?? [])];
    const browser =
        kind === 'chromium'
            ? await puppeteer.launch({ ...common, browser: 'chrome', pipe: true, args })
            : await puppeteer.launch({ ...common, browser: 'firefox', extraPrefsFirefox: FIREFOX_PREFERENCES });
    const child = browser.process();
    if (child) endWithUs(child);
    return browser;
}

/** A page that waits for something says itself when it was in vain; this catches one that hangs. Longer than the longest wait of a test, by what
 * a browser that is starved of its processor takes to answer. */
const ANSWER_MS = 180_000;

/** One page with a cookie jar of its own, and what it said on its console. */
export class Tab {
    readonly page: Page;
    readonly #context: BrowserContext;
    readonly #console: string[];

    private constructor(context: BrowserContext, page: Page, log: string[]) {
        this.#context = context;
        this.page = page;
        this.#console = log;
    }

    static async open(browser: Browser, url: string): Promise<Tab> {
        const context = await browser.createBrowserContext();
        const page = await context.newPage();
        const log: string[] = [];
        const note = (line: string): void => {
            log.push(line);
            if (log.length > CONSOLE_LINES) log.shift();
        };
        page.on('console', (message) => note(`${message.type()}: ${message.text()}`));
        page.on('pageerror', (error) => note(`uncaught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`));
        page.on('requestfailed', (request) => note(`request failed: ${request.url()} ${request.failure()?.errorText ?? ''}`));
        await page.goto(url, { waitUntil: 'load', timeout: 20_000 });
        return new Tab(context, page, log);
    }

    get console(): readonly string[] {
        return this.#console;
    }

    async close(): Promise<void> {
        await this.#context.close();
    }
}

/** The end of a page's console is what a failure needs. */
const CONSOLE_LINES = 200;
