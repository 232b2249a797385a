// Everything that an app can see has a doc comment.
import assert from 'node:assert/strict';
import test from 'node:test';
import { npm, run } from './tools.mjs';

test('no public export is without a doc comment, and no link in one leads nowhere', async () => {
  assert.match(await run(npm, process.execPath, 'scripts/docs.mjs', '--check'), /6 entries, every one/);
});
