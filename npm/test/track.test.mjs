// Tracks in elements, and sound that the browser holds back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeElement, FakeStream, FakeTrack, load, settle, withGlobals } from './fakes.mjs';

const { LocalTrack, RemoteTrack } = await load('track');
const { AudioPlayback } = await load('playback');
const silent = { start() {}, forget() {} };

test('attach makes an element that plays, detach empties it', (t) => {
  withGlobals(t, { MediaStream: FakeStream, document: { createElement: (kind) => Object.assign(new FakeElement(), { kind }) } });
  const track = new RemoteTrack(new FakeTrack('video'), silent);
  const element = track.attach();
  assert.deepEqual([element.kind, element.autoplay, element.playsInline, element.muted], ['video', true, true, false]);
  assert.deepEqual(track.attachedElements, [element]);
  track.detach();
  assert.deepEqual([element.srcObject, track.attachedElements.length], [null, 0]);
});

test('own tracks are muted in elements made here, and only in those', (t) => {
  withGlobals(t, { MediaStream: FakeStream, document: { createElement: () => new FakeElement() } });
  const track = new LocalTrack(new FakeTrack('audio'), silent);
  assert.equal(track.attach().muted, true);
  assert.equal(track.attach(new FakeElement()).muted, false);
});

test('one element holds a picture and a sound', (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const [video, audio] = [new RemoteTrack(new FakeTrack('video'), silent), new RemoteTrack(new FakeTrack('audio'), silent)];
  const element = video.attach(new FakeElement());
  audio.attach(element);
  assert.equal(element.srcObject.getTracks().length, 2);
  video.detach(element);
  assert.deepEqual(element.srcObject.getTracks(), [audio.mediaStreamTrack]);
});

test('a second picture takes the place of the first', (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const [first, second] = [new RemoteTrack(new FakeTrack('video'), silent), new RemoteTrack(new FakeTrack('video'), silent)];
  const element = first.attach(new FakeElement());
  second.attach(element);
  assert.deepEqual(element.srcObject.getTracks(), [second.mediaStreamTrack]);
  assert.deepEqual(first.attachedElements, []);
  first.detach();
  assert.deepEqual(element.srcObject.getTracks(), [second.mediaStreamTrack]);
});

test('what the app puts into an element itself is left alone', (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const track = new RemoteTrack(new FakeTrack('video'), silent);
  const element = track.attach(new FakeElement());
  const theirs = new FakeStream();
  element.srcObject = theirs;
  track.detach();
  assert.equal(element.srcObject, theirs);
});

const refusal = () => new DOMException('click first', 'NotAllowedError');

test('blocked sound is told once, and plays after a click', async (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const told = [];
  const playback = new AudioPlayback((blocked) => told.push(blocked));
  const elements = [0, 1].map(() => Object.assign(new FakeElement(), { refuse: refusal() }));
  for (const element of elements) new RemoteTrack(new FakeTrack('audio'), playback).attach(element);
  await settle();
  assert.deepEqual([told, playback.blocked], [[true], true]);
  await assert.rejects(playback.resume(), { name: 'MediaError', code: 'play-blocked', retryable: true });
  for (const element of elements) element.refuse = undefined;
  await playback.resume();
  assert.deepEqual([told, playback.blocked], [[true, false], false]);
});

test('an element that is given up no longer counts as blocked', async (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const told = [];
  const playback = new AudioPlayback((blocked) => told.push(blocked));
  const track = new RemoteTrack(new FakeTrack('audio'), playback);
  track.attach(Object.assign(new FakeElement(), { refuse: refusal() }));
  await settle();
  track.detach();
  assert.deepEqual(told, [true, false]);
});

test('an interrupted start is not a refusal', async (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const playback = new AudioPlayback(() => assert.fail('told'));
  new RemoteTrack(new FakeTrack('audio'), playback).attach(Object.assign(new FakeElement(), { refuse: new DOMException('', 'AbortError') }));
  await settle();
  assert.equal(playback.blocked, false);
});
