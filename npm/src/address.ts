// Where the signalling of an edge is.

import { nearcastError } from './errors.js';

/**
 * The signalling address of an edge: `https://edge`, `wss://edge`, with or without `/v1/signal`.
 *
 * @internal
 */
export function signalAddress(url: string): string {
  let address: URL;
  try {
    address = new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw nearcastError('bad-argument', { message: `'${url}' is not the address of an edge; it looks like https://edge.example.`, cause });
  }
  const protocols: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' };
  const protocol = protocols[address.protocol];
  if (!protocol) throw nearcastError('bad-argument', { message: `'${url}' must begin with https:// or wss://.` });
  const path = address.pathname.replace(/\/+$/, '');
  // Put together by hand: URL does not let a protocol change from https to wss.
  return `${protocol}//${address.host}${path.endsWith('/v1/signal') ? path : `${path}/v1/signal`}`;
}
