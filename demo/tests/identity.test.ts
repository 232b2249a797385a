// Two tabs of one person are two participants; a reload is the same one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tabIdentity } from '../src/identity.ts';
import type { Store } from '../src/storage.ts';

function memory(): Store {
  const values = new Map<string, string>();
  return { recall: (key) => values.get(key), remember: (key, value) => void values.set(key, value) };
}

test('the same tab keeps its identity', () => {
  const tab = memory();
  assert.match(tabIdentity('Ana', tab), /^Ana-[0-9a-f]{8}$/);
  assert.equal(tabIdentity('Ana', tab), tabIdentity('Ana', tab));
});

test('another tab is somebody else', () => {
  assert.notEqual(tabIdentity('Ana', memory()), tabIdentity('Ana', memory()));
});

test('a tab that may not remember still gets one', () => {
  const forgetful: Store = { recall: () => undefined, remember: () => {} };
  assert.match(tabIdentity('Ana', forgetful), /^Ana-[0-9a-f]{8}$/);
});
