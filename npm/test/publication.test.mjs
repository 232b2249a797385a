// Muting, devices and tracks of one's own publications.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeElement, FakeSender, FakeStream, FakeTrack, load, settle, withGlobals } from './fakes.mjs';

const { LocalPublication } = await load('publication');
const { LocalTrack } = await load('track');
const { nearcastError } = await load('errors');

/** A publication of a camera that `open` opens again. */
function published({ kind = 'video', releaseOnMute = true, muted = false, open = async () => new FakeTrack(kind), captured = true, tell = async () => undefined } = {}) {
  const log = [];
  const media = new FakeTrack(kind);
  const capture = { releaseOnMute, open, withDevice: (id) => (log.push(`device ${id}`), { ...capture }) };
  const sender = new FakeSender(media);
  const call = {
    mute: (_, to) => (log.push(to ? 'tell muted' : 'tell unmuted'), tell()),
    unpublish: async () => void log.push('unpublish'),
  };
  const track = new LocalTrack(media, { start() {}, forget() {} });
  const publication = new LocalPublication({
    id: 'pub', kind, source: 'camera', name: '', muted, participant: {}, track, mid: '8', sender, call, stopOnUnpublish: captured,
    capture: captured ? capture : undefined, onMuted: ({ muted: now }) => log.push(now ? 'muted' : 'unmuted'),
  });
  return { publication, media, sender, log };
}

test('muting a camera switches it off at once and then tells the room', async () => {
  const { publication, media, sender, log } = published();
  await publication.mute();
  assert.deepEqual([media.readyState, sender.track, publication.muted], ['ended', null, true]);
  assert.deepEqual(log, ['muted', 'tell muted']);
  await publication.unmute();
  assert.equal(publication.track.mediaStreamTrack.readyState, 'live');
  assert.equal(sender.track, publication.track.mediaStreamTrack);
  assert.ok(sender.track.enabled && !publication.muted);
  assert.deepEqual(log.slice(2), ['unmuted', 'tell unmuted']);
});

test('muting a microphone silences it and keeps it open', async () => {
  const { publication, media, sender } = published({ kind: 'audio', releaseOnMute: false });
  await publication.mute();
  assert.deepEqual([media.readyState, media.enabled, sender.track], ['live', false, media]);
  await publication.unmute();
  assert.equal(media.enabled, true);
});

test('a camera that does not come back leaves the publication muted, with the reason', async () => {
  const { publication, log } = published({ open: async () => Promise.reject(nearcastError('device-in-use')) });
  await publication.mute();
  await assert.rejects(publication.unmute(), { name: 'DeviceError', code: 'device-in-use' });
  assert.equal(publication.muted, true);
  assert.ok(!log.includes('tell unmuted'));
});

test('mute and unmute in a hurry end in the last wish', async () => {
  const { publication } = published();
  await Promise.all([publication.mute(), publication.unmute(), publication.mute(), publication.unmute()]);
  assert.equal(publication.muted, false);
  assert.equal(publication.track.mediaStreamTrack.readyState, 'live');
});

test('a publication is silent before the edge has answered, and can be heard again while it has not', async () => {
  const { publication, media } = published({ kind: 'audio', releaseOnMute: false, tell: () => new Promise(() => undefined) });
  void publication.mute();
  await settle();
  assert.deepEqual([media.enabled, publication.muted], [false, true]);
  void publication.unmute();
  await settle();
  assert.deepEqual([media.enabled, publication.muted], [true, false]);
});

test('another camera takes over, in the elements too, and the first one is closed', async (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const { publication, media, sender, log } = published();
  const element = publication.track.attach(new FakeElement());
  await publication.switchDevice('cam-2');
  assert.deepEqual(log, ['device cam-2']);
  assert.equal(media.readyState, 'ended');
  assert.deepEqual(element.srcObject.getTracks(), [sender.track]);
});

test('switching while muted opens nothing until unmute', async () => {
  let opened = 0;
  const { publication } = published({ open: async () => (opened++, new FakeTrack('video')) });
  await publication.mute();
  await publication.switchDevice('cam-2');
  assert.equal(opened, 0);
  await publication.unmute();
  assert.equal(opened, 1);
});

test('a track of your own replaces the camera and stays yours', async () => {
  const { publication, media, sender } = published();
  const mine = new FakeTrack('video');
  await publication.replaceTrack(mine);
  assert.deepEqual([sender.track, media.readyState], [mine, 'ended']);
  publication.end();
  assert.equal(mine.readyState, 'live');
  await assert.rejects(publication.switchDevice('cam-2'), { name: 'UsageError', code: 'bad-argument' });
});

test('a track of the other kind is refused', async () => {
  const { publication } = published();
  await assert.rejects(publication.replaceTrack(new FakeTrack('audio')), { code: 'bad-argument', message: /video cannot carry audio/ });
});

test('a replaced track that ends ends nothing, the present one does', async () => {
  const { publication, media, log } = published({ captured: false });
  const next = new FakeTrack('video');
  await publication.replaceTrack(next);
  media.end();
  assert.deepEqual(log, []);
  next.end();
  assert.deepEqual(log, ['unpublish']);
});
