// Bundles the test pages and serves them: on 127.0.0.1, which browsers treat as a secure context, or on an address that a flag makes one.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export type PageName = 'loopback' | 'participant' | 'leak' | 'foreign' | 'whip' | 'preflight';

export interface PageServer {
    /** Such as `http://127.0.0.1:1234`. */
    readonly origin: string;
    /** The address of a page. */
    url(name: PageName): string;
    close(): Promise<void>;
}

export async function servePages(names: readonly PageName[], host = '127.0.0.1'): Promise<PageServer> {
    const scripts = new Map<string, string>();
    for (const name of names) scripts.set(`/${name}.js`, await bundle(name));
    const server = createServer((request, response) => {
        const script = scripts.get(request.url ?? '');
        const page = /^\/(\w+)\.html$/.exec(request.url ?? '')?.[1];
        if (script !== undefined) response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
        else if (page !== undefined) response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html(page));
        else response.writeHead(204).end(); // favicon and such
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
    const { port } = server.address() as AddressInfo;
    const origin = `http://${host}:${port}`;
    return {
        origin,
        url: (name) => `${origin}/${name}.html`,
        close: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
            }),
    };
}

const html = (name: string): string => `<!doctype html><meta charset="utf-8"><title>${name}</title><body><script src="/${name}.js"></script></body>`;

async function bundle(name: PageName): Promise<string> {
    const sdk = process.env.NEARCAST_SDK ?? here('../../../npm/dist/index.js');
    if ((name === 'participant' || name === 'leak' || name === 'preflight') && !existsSync(sdk)) {
        throw new Error(`The SDK is not built: ${sdk} is missing. Remedy: run \`make build\` first, or set NEARCAST_SDK.`);
    }
    const { outputFiles } = await build({
        entryPoints: [here(`../page/${name}.ts`)],
        bundle: true,
        alias: process.env.NEARCAST_SDK === undefined ? {} : { nearcast: sdk },
        write: false,
        format: 'iife',
        target: 'es2022',
        sourcemap: 'inline',
        logLevel: 'silent',
    });
    const [script] = outputFiles;
    if (!script) throw new Error(`esbuild gave no output for ${name}`);
    return script.text;
}
