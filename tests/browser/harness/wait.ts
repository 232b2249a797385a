// Every wait has a bound and says what it waited for.

export class WaitedInVain extends Error {}

/** Rejects when `promise` takes longer than `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new WaitedInVain(`not within ${ms} ms: ${what}`)), ms);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

/**
 * Asks again and again until `holds` is true of the answer: for state that tells nobody when it changes, such as the
 * edge's tables. The last answer is part of the error.
 */
export async function until<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean, ms = 30_000): Promise<T> {
    const deadline = Date.now() + ms;
    for (;;) {
        const answer = await ask();
        if (holds(answer)) return answer;
        if (Date.now() > deadline) throw new WaitedInVain(`not within ${ms} ms: ${what}; last seen: ${JSON.stringify(answer)}`);
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
}

/** Often enough for figures to the tenth of a second, seldom enough to cost nothing beside three encoding pages. */
const ASK_AGAIN_MS = 100;
