// What the page `preflight` can do before a call, as tests call it.

/** As in the SDK. */
export interface CheckFacts {
    name: string;
    status: string;
    value?: number;
    remedy?: string;
}

export interface PreflightPage {
    /** Runs it with devices; what it says, and every state that progress showed: `name status`. */
    run(url: string, token: string): Promise<{ ok: boolean; checks: CheckFacts[]; shown: string[]; ms: number }>;
    /** Ends it after so many milliseconds; what it rejected with, and how many connections are still open. */
    aborted(url: string, token: string, ms: number): Promise<{ reason: string; open: number }>;
    /** The edge that `pickEdge` picks, all of them in its order, and how long it took. */
    pick(url: string, timeoutMs?: number): Promise<{ picked: string | undefined; edges: { id: string | undefined; rttMs: number | undefined }[]; ms: number }>;
    snapshot(): Promise<unknown>;
}
