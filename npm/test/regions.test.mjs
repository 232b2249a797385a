// The nearest edge is picked by what is measured, and nothing that fails keeps anybody from calling.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import test from 'node:test';
import { load } from './fakes.mjs';

const { pickEdge, tryEdges } = await load('regions');

/** Edges that answer after so many milliseconds, each with the list of all; null: never. */
async function edges(t, list) {
  const known = [];
  const servers = list.map(({ afterMs }) =>
    createServer((_request, response) => {
      if (afterMs === null) return;
      setTimeout(() => response.end(JSON.stringify({ edges: known })), afterMs);
    }),
  );
  for (const [at, server] of servers.entries()) {
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const { id, region, fullness = 0 } = list[at];
    known.push({ id, region, url: `http://127.0.0.1:${server.address().port}`, fullness });
  }
  t.after(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));
  return known;
}

test('the nearest comes first, and one that never answers last', async (t) => {
  const known = await edges(t, [
    { id: 'dead', region: 'us', afterMs: null },
    { id: 'far', region: 'ap', afterMs: 400 },
    { id: 'near', region: 'eu', afterMs: 0 },
  ]);
  const pick = await pickEdge(known[2].url, { timeoutMs: 2000 });
  assert.deepEqual([pick.id, pick.region, pick.url], ['near', 'eu', known[2].url]);
  assert.deepEqual(pick.edges.map(({ id }) => id), ['near', 'far', 'dead']);
  assert.deepEqual(pick.urls, [known[2].url, known[1].url, known[0].url]);
  assert.equal(pick.edges[2].rttMs, undefined);
  assert.ok(pick.edges[1].rttMs >= 399, String(pick.edges[1].rttMs)); // timers may be a little early
});

test('a full edge comes after all others', async (t) => {
  const known = await edges(t, [
    { id: 'full', region: 'eu', afterMs: 0, fullness: 0.9 },
    { id: 'other', region: 'eu', afterMs: 300 },
  ]);
  assert.equal((await pickEdge(known[0].url, { timeoutMs: 5000 })).id, 'other');
});

test('what nobody answers for is taken as the hint says', async (t) => {
  const known = await edges(t, [{ id: 'list', region: 'us', afterMs: 0 }]);
  known.push({ id: 'hinted', region: 'eu', url: 'http://127.0.0.1:1', fullness: 0 });
  const pick = await pickEdge(known[0].url, { hint: 'eu', timeoutMs: 200 });
  assert.deepEqual(pick.edges.map(({ id }) => id), ['list', 'hinted']);
});

test('a pinned edge is taken without measuring', async (t) => {
  const known = await edges(t, [
    { id: 'near', region: 'eu', afterMs: 0 },
    { id: 'pinned', region: 'us', afterMs: null },
  ]);
  for (const pin of ['pinned', known[1].url, known[1].url.replace('http', 'ws')]) {
    const pick = await pickEdge(known[0].url, { pin });
    assert.deepEqual([pick.id, pick.rttMs, pick.urls[1]], ['pinned', undefined, known[0].url]);
  }
});

test('an edge that knows of no others, or is gone, is its own answer', async (t) => {
  const gone = await pickEdge('http://127.0.0.1:1');
  assert.deepEqual([gone.url, gone.urls], ['http://127.0.0.1:1', ['http://127.0.0.1:1']]);
  const known = await edges(t, [{ id: 'alone', region: 'default', afterMs: 0 }]);
  const { url } = known[0];
  known[0].url = null;
  assert.deepEqual((await pickEdge(url)).urls, [url]);
});

test('what is no address is refused', async () => {
  await assert.rejects(pickEdge('edge.example'), { code: 'bad-argument' });
});

test('the next address is tried when one can not be had, and not when it would be as bad', async () => {
  const failing = (...failures) => {
    const tried = [];
    const attempt = async (url) => {
      tried.push(url);
      const failure = failures[tried.length - 1];
      if (failure) throw Object.assign(new Error(failure.code), failure);
      return `room at ${url}`;
    };
    return { tried, result: tryEdges(['a', 'b', 'c'], attempt) };
  };
  const [gone, refused, aborted] = [['edge-unreachable', true], ['token-invalid', false], ['aborted', true]].map(([code, retryable]) => ({ code, retryable }));
  assert.equal(await failing(gone).result, 'room at b');
  for (const [failures, count, code] of [[[gone, gone, gone], 3, 'edge-unreachable'], [[refused], 1, 'token-invalid'], [[gone, aborted], 2, 'aborted']]) {
    const { tried, result } = failing(...failures);
    await assert.rejects(result, { code });
    assert.equal(tried.length, count);
  }
});
