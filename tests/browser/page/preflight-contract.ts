// What the page `preflight` can do, as tests call it.

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
    snapshot(): Promise<unknown>;
}
