// Muting, devices and tracks of one's own publications.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeElement, FakeSender, FakeStream, FakeTrack, load, settle, withGlobals } from './fakes.mjs';

const { LocalPublication } = await load('publication');
const { LocalTrack } = await load('track');
const { nearcastError } = await load('errors');

/** A publication of a camera that `open` opens again. */
function published({ kind = 'video', releaseOnMute = true, muted = false, open = async () => new FakeTrack(kind), captured = true, tell = async () => undefined, replacement = async (same) => same } = {}) {
  const log = [];
  const media = new FakeTrack(kind);
  const capture = { releaseOnMute, open, withDevice: (id) => (log.push(`device ${id}`), { ...capture }), replacement: () => replacement(capture) };
  const sender = new FakeSender(media);
  const directly = [];
  const call = {
    trackReplaced: (_, media) => void directly.push(media),
    mute: (_, to) => (log.push(to ? 'tell muted' : 'tell unmuted'), tell()),
    unpublish: async (_, error) => void log.push(error ? `unpublish ${error.code}` : 'unpublish'),
  };
  const track = new LocalTrack(media, { start() {}, forget() {} });
  const publication = new LocalPublication({
    id: 'pub', kind, source: 'camera', name: '', muted, participant: {}, track, mid: '8', sender, call, stopOnUnpublish: captured,
    capture: captured ? capture : undefined, onMuted: ({ muted: now }) => log.push(now ? 'muted' : 'unmuted'),
    onDevice: (type, { interrupted }) => log.push(type === 'devicereplaced' ? 'replaced' : `interrupted ${interrupted}`),
  });
  return { publication, media, sender, log, directly };
}

test('muting a camera switches it off at once and then tells the room', async () => {
  const { publication, media, sender, log, directly } = published();
  await publication.mute();
  assert.deepEqual([media.readyState, sender.track, publication.muted], ['ended', null, true]);
  assert.deepEqual(log, ['muted', 'tell muted']);
  await publication.unmute();
  assert.equal(publication.track.mediaStreamTrack.readyState, 'live');
  assert.deepEqual(directly, [null, publication.track.mediaStreamTrack], 'who gets it directly gets the same');
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

test('a microphone that is unplugged gives way to the default one, in the same publication', async () => {
  const { publication, media, sender, log } = published({ kind: 'audio', releaseOnMute: false });
  media.end();
  await settle();
  assert.deepEqual(log, ['replaced']);
  assert.ok(sender.track !== media && sender.track === publication.track.mediaStreamTrack && sender.track.readyState === 'live');
  sender.track.end();
  await settle();
  assert.deepEqual(log, ['replaced', 'replaced'], 'the next one is watched as well');
});

test('a muted microphone stays muted when another takes its place', async () => {
  const { publication, media, sender } = published({ kind: 'audio', releaseOnMute: false });
  await publication.mute();
  media.end();
  await settle();
  assert.deepEqual([sender.track.readyState, sender.track.enabled, publication.muted], ['live', false, true]);
});

test('a device that nothing replaces is unpublished with the reason', async () => {
  const gone = published({ replacement: async () => Promise.reject(nearcastError('device-permission-denied')) });
  gone.media.end();
  await settle();
  assert.deepEqual(gone.log, ['unpublish device-permission-denied']);
  const none = published({ kind: 'audio', open: async () => Promise.reject(nearcastError('device-not-found')) });
  none.media.end();
  await settle();
  assert.deepEqual(none.log, ['unpublish device-not-found']);
});

test('a device that ends while another is being opened is not missed', async () => {
  const { publication, media, sender, log } = published({ kind: 'audio', releaseOnMute: false });
  const switching = publication.switchDevice('other');
  media.end();
  await switching;
  await settle();
  assert.deepEqual(log, ['device other'], 'nothing to replace: the other one is there');
  assert.equal(sender.track.readyState, 'live');
});

test('an unpublished device opens nothing any more', async () => {
  let opened = 0;
  const { publication, media, log } = published({ kind: 'audio', open: async () => (opened++, new FakeTrack('audio')) });
  media.end();
  publication.end();
  await settle();
  assert.deepEqual([opened, log], [0, []]);
});

test('a device that another program takes is told, and told again when it is back', async () => {
  const { publication, media, log } = published();
  media.interrupt(true);
  media.interrupt(false);
  assert.deepEqual(log, ['interrupted true', 'interrupted false']);
  publication.end();
  media.interrupt(true);
  assert.equal(log.length, 2);
});
