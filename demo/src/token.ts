// Gets a token from the edge's development route. An application of yours asks its own server instead, which knows who the
// person is and signs the token with the edge's key; see docs/demo.md.

export type TokenRouteCode = 'edge-unreachable' | 'token-minting-off' | 'token-not-minted';

/** The page's own failures; the SDK's are `NearcastError`. Both carry a `code`. */
export class TokenRouteError extends Error {
  readonly code: TokenRouteCode;

  constructor(code: TokenRouteCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TokenRouteError';
    this.code = code;
  }
}

export interface TokenRequest {
  room: string;
  identity: string;
  name: string;
  can_moderate?: true;
}

export async function mintToken(request: TokenRequest, signal?: AbortSignal): Promise<string> {
  let response: Response;
  try {
    response = await fetch('/v1/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new TokenRouteError('edge-unreachable', 'the token route did not answer', { cause });
  }
  if (response.status === 404) {
    throw new TokenRouteError('token-minting-off', 'the edge runs without --dev: pass a token as ?token=…');
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string') {
    return body.token;
  }
  throw new TokenRouteError('token-not-minted', `the token route answered ${response.status}`, { cause: body });
}
