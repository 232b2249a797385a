// Calls the methods that a page exposed (page/expose.ts) as if they were here.

import type { Page } from 'puppeteer-core';

type Method = (...args: never[]) => Promise<unknown>;
/** The interface of a page: methods that answer later, and nothing else. */
export type Methods<T> = { [K in keyof T]: Method };

/** `T`'s methods, run in `page`; arguments and results cross as JSON. What is assigned to the result stays here. */
export function remote<T extends Methods<T>>(page: Page): T {
    return new Proxy({} as T, {
        get(here, method) {
            if (method in here) return Reflect.get(here, method) as unknown;
            // A proxy that answers to `then` would be taken for a promise by `await`.
            if (typeof method !== 'string' || method === 'then') return undefined;
            // As text, because a function would arrive with whatever the TypeScript loader put into it.
            return (...args: unknown[]) => page.evaluate(`testPage.${method}(${args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ')})`);
        },
    });
}
