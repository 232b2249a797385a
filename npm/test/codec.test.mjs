// The codec of a camera when the app leaves it open.
import assert from 'node:assert/strict';
import test from 'node:test';
import { withGlobals } from './fakes.mjs';

/** The answer is remembered for the page, so each test loads a page of its own. */
let pages = 0;
async function onDevice(t, encodingInfo) {
  withGlobals(t, { navigator: { mediaCapabilities: { encodingInfo } } });
  const { cameraCodec } = await import(new URL(`../node_modules/.cache/nearcast/esm/codec.js?page=${pages++}`, import.meta.url).href);
  return cameraCodec;
}

test('H.264 where the device has an encoder for it, asked once', async (t) => {
  const asked = [];
  const codec = await onDevice(t, async (configuration) => {
    asked.push(configuration.type, configuration.video.contentType.split(';')[0]);
    return { supported: true, powerEfficient: true };
  });
  assert.deepEqual([await codec({}), await codec({ codec: 'auto' })], ['h264', 'h264']);
  assert.deepEqual(asked, ['webrtc', 'video/H264']);
});

test('otherwise the default', async (t) => {
  for (const answer of [{ supported: true, powerEfficient: false }, { supported: false, powerEfficient: true }]) {
    const codec = await onDevice(t, async () => answer);
    assert.equal(await codec({}), undefined);
  }
  const refused = await onDevice(t, async () => Promise.reject(new TypeError('webrtc')));
  assert.equal(await refused({}), undefined);
});

test('what the app chose stays, and a mode that H.264 has not rules it out', async (t) => {
  const codec = await onDevice(t, async () => ({ supported: true, powerEfficient: true }));
  assert.deepEqual([await codec({ codec: 'vp8' }), await codec({ codec: 'av1' })], ['vp8', 'av1']);
  assert.equal(await codec({ scalabilityMode: 'L1T2' }), undefined);
});
