// Puts a page's methods where the tests find them.

type Method = (...args: never[]) => Promise<unknown>;

/** What crosses to the tests of an error is its message: code and causes go into it. */
export function expose<T extends { [K in keyof T]: Method }>(page: T): void {
    const told = Object.entries<Method>(page).map(([name, method]) => [
        name,
        (...args: never[]) => method(...args).catch((error: unknown) => Promise.reject(new Error(`${name}: ${inWords(error)}`))),
    ]);
    Object.assign(globalThis, { testPage: Object.fromEntries(told) });
}

function inWords(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const code = 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : '';
    const cause = error.cause === undefined ? '' : `; because of ${inWords(error.cause)}`;
    return `${error.name}${code}: ${error.message}${cause}`;
}
