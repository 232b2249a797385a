// What the development route answers, as a token or as an error the page has words for. The route itself is a real HTTP server here.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { mintToken } from '../src/token.ts';

const request = { room: 'r', identity: 'ana-1', name: 'Ana' };

/** Runs `use` while a server answers /v1/token. */
async function withRoute(status: number, answer: string, use: (received: () => unknown) => Promise<void>): Promise<void> {
  let body = '';
  const server = createServer((incoming, response) => {
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(answer));
  });
  const port = await listen(server);
  try {
    await fromPage(port, () => use(() => JSON.parse(body)));
  } finally {
    await close(server);
  }
}

/** Node has no page for the address to be relative to: it becomes one of this port. */
async function fromPage(port: number, use: () => Promise<void>): Promise<void> {
  const fetchAnything = globalThis.fetch;
  globalThis.fetch = (path, init) => fetchAnything(new URL(String(path), `http://127.0.0.1:${port}`), init);
  try {
    await use();
  } finally {
    globalThis.fetch = fetchAnything;
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

test('a token for room, identity and name', () =>
  withRoute(200, '{"token":"a.b.c"}', async (received) => {
    assert.equal(await mintToken(request), 'a.b.c');
    assert.deepEqual(received(), request);
  }));

test('404: the edge does not run in development mode', () =>
  withRoute(404, 'not found', () => assert.rejects(mintToken(request), { code: 'token-minting-off' })));

test('a refusal, and an answer that is none', async () => {
  await withRoute(400, '{"error":"room"}', () => assert.rejects(mintToken(request), { code: 'token-not-minted' }));
  await withRoute(200, '<html>', () => assert.rejects(mintToken(request), { code: 'token-not-minted' }));
});

test('nobody answers', async () => {
  const server = createServer();
  const port = await listen(server);
  await close(server);
  await fromPage(port, () => assert.rejects(mintToken(request), { code: 'edge-unreachable' }));
});

test('given up by the person: no error of the route', () =>
  withRoute(200, '{"token":"a.b.c"}', () => assert.rejects(mintToken(request, AbortSignal.abort()), { name: 'AbortError' })));
