// nearcast/react: buttons for one's own camera, microphone and screen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeSender, withGlobals } from './fakes.mjs';
import { change, FakeTrack, h, mount, react, room, sdk, settle } from './react-page.mjs';

const { RoomProvider, useCamera, useDevices, useMicrophone, useScreenShare } = react;

/** A room whose edge takes every publication, and a component that keeps what `use` gives. */
async function using(t, use) {
  const { room: own, core, host } = await room();
  const seen = {};
  let next = 1;
  core.publish = (request, track, source) => host.published(request, `${source}-${next++}`, '3', new FakeSender(track));
  core.unpublish = (request) => host.done(request);
  core.mute = (request) => host.done(request);
  const opened = [];
  const devices = {
    getUserMedia: async ({ video }) => {
      if (devices.refuse) throw devices.refuse;
      const track = new FakeTrack(video ? 'video' : 'audio');
      opened.push(track);
      return { getTracks: () => [track] };
    },
    getDisplayMedia: async ({ audio }) => {
      const tracks = [new FakeTrack('video'), ...(audio ? [new FakeTrack('audio')] : [])];
      return { getVideoTracks: () => tracks.slice(0, 1), getAudioTracks: () => tracks.slice(1) };
    },
  };
  withGlobals(t, { navigator: { mediaDevices: devices } });
  const Use = () => {
    seen.now = use();
    return null;
  };
  await mount(t, h(RoomProvider, { room: own }, h(Use), h(Use)));
  return { own, seen, devices, opened };
}

test('a camera is published by the first click, then muted and unmuted', async (t) => {
  const { own, seen, opened } = await using(t, () => useCamera({ width: 640 }));
  assert.deepEqual([seen.now.on, seen.now.pending, seen.now.publication], [false, false, undefined]);
  await change(() => seen.now.toggle());
  assert.deepEqual([seen.now.on, seen.now.publication], [true, own.local.publication('camera')]);
  await change(() => seen.now.toggle());
  assert.deepEqual([seen.now.on, opened[0].readyState, own.local.publications.size], [false, 'ended', 1]);
  await change(() => seen.now.toggle(true));
  await change(() => seen.now.toggle(true));
  assert.deepEqual([seen.now.on, opened.length], [true, 2]);
});

test('two clicks at once publish once', async (t) => {
  const { own, seen } = await using(t, () => useMicrophone());
  const { toggle } = seen.now;
  await change(() => Promise.all([toggle(), toggle()]));
  assert.deepEqual([seen.now.on, own.local.publications.size], [true, 1]);
});

test('a refusal is shown until the next attempt', async (t) => {
  const { seen, devices } = await using(t, () => useMicrophone());
  devices.refuse = new DOMException('no', 'NotAllowedError');
  await change(() => seen.now.toggle());
  assert.deepEqual([seen.now.on, seen.now.pending, seen.now.error.code], [false, false, 'device-permission-denied']);
  devices.refuse = undefined;
  await change(() => seen.now.toggle());
  assert.deepEqual([seen.now.on, seen.now.error], [true, undefined]);
});

test('a device is exchanged while its publication stays', async (t) => {
  const { seen, opened } = await using(t, () => useMicrophone());
  await change(() => seen.now.toggle());
  const { publication } = seen.now;
  await change(() => seen.now.switchDevice('other'));
  assert.deepEqual([seen.now.publication, seen.now.error, opened.length], [publication, undefined, 2]);
  assert.equal(publication.track.mediaStreamTrack, opened[1]);
});

test('a screen ends with its sound', async (t) => {
  const { own, seen } = await using(t, () => useScreenShare({ audio: true }));
  await change(() => seen.now.toggle());
  assert.deepEqual([seen.now.on, own.local.publications.size], [true, 2]);
  await change(() => seen.now.toggle());
  assert.deepEqual([seen.now.on, own.local.publications.size], [false, 0]);
});

test('devices are listed by kind, and again when one comes or goes', async (t) => {
  let tell;
  const present = [{ kind: 'audioinput', deviceId: 'a' }, { kind: 'videoinput', deviceId: 'b' }];
  const devices = {
    list: async (kind) => present.filter((device) => device.kind === kind),
    onChange: (listener, { signal }) => {
      tell = listener;
      signal.addEventListener('abort', () => (tell = undefined));
    },
  };
  const from = sdk({ devices });
  const List = () => useDevices('audioinput').map(({ deviceId }) => deviceId).join();
  const { text, unmount } = await mount(t, h(RoomProvider, { url: 'https://e.example', token: 't', sdk: from.load, join: false }, h(List)));
  await change(settle);
  assert.equal(text(), 'a');
  await change(() => tell([...present, { kind: 'audioinput', deviceId: 'c' }]));
  assert.equal(text(), 'a,c');
  await unmount();
  assert.equal(tell, undefined);
});
