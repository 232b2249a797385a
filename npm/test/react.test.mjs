// nearcast/react: a room tied to a component, and hooks that show what is in it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { judged } from './fakes.mjs';
import { act, change, FakeTrack, h, mount, react, room, sdk, settle, StrictMode } from './react-page.mjs';

const { AudioTrack, RoomAudio, RoomProvider, useConnection, useLocalParticipant, useParticipants, usePath, usePublications, useQuality, useRoom, useRoomEvent, useSoundPlayback, useSpeakers, useSpeaking, VideoTrack } = react;

const provider = (from, child, props = {}) => h(RoomProvider, { url: 'https://edge.example', token: 'token', sdk: from.load, ...props }, child);
const State = () => {
  const { state, error } = useConnection();
  return `${state}${error ? ` ${error.code}` : ''}`;
};

test('a room is entered with the component and left with it', async (t) => {
  const from = sdk();
  const { text, unmount } = await mount(t, provider(from, h(State), { options: { autoSubscribe: false } }));
  assert.equal(text(), 'connecting');
  await change(settle);
  assert.equal(text(), 'connected');
  assert.deepEqual([from.calls.length, from.calls[0].url, from.calls[0].token], [1, 'https://edge.example', 'token']);
  assert.equal(from.core.autoSubscribe, false);
  await unmount();
  assert.deepEqual([from.rooms[0].state, from.core.named('leave').length], ['disconnected', 1]);
});

test('StrictMode mounts twice and enters once', async (t) => {
  const from = sdk();
  const { text, unmount } = await mount(t, h(StrictMode, null, provider(from, h(State))));
  await change(settle);
  assert.deepEqual([text(), from.calls.length], ['connected', 1]);
  await unmount();
  assert.equal(from.rooms[0].state, 'disconnected');
});

test('who goes before the edge has answered leaves nothing behind', async (t) => {
  const from = sdk({ answer: () => undefined });
  const { unmount } = await mount(t, provider(from, h(State)));
  await change(settle);
  const { core } = from;
  await unmount();
  await settle();
  assert.deepEqual([core.named('leave').length, core.freed, from.rooms.length], [1, 1, 0], 'connect() was cancelled');
});

test('a new function is no reason to enter again, another address or token is', async (t) => {
  const from = sdk();
  const { render } = await mount(t, provider(from, h(State), { token: () => 'first', options: {} }));
  await change(settle);
  await render(provider(from, h(State), { token: () => 'second', options: {} }));
  await change(settle);
  assert.equal(from.calls.length, 1);
  await render(provider(from, h(State), { token: 'other room' }));
  await change(settle);
  assert.deepEqual([from.calls.length, from.rooms[0].state, from.rooms[1].state], [2, 'disconnected', 'connected']);
  await render(provider(from, h(State), { token: 'other room', url: 'https://other.example' }));
  await change(settle);
  assert.deepEqual([from.calls.length, from.calls[2].url], [3, 'https://other.example']);
});

test('join={false} stays out and leaves', async (t) => {
  const from = sdk();
  const { render, text } = await mount(t, provider(from, h(State), { join: false }));
  await change(settle);
  assert.deepEqual([text(), from.calls.length], ['idle', 0]);
  await render(provider(from, h(State)));
  await change(settle);
  assert.equal(text(), 'connected');
  await render(provider(from, h(State), { join: false }));
  assert.deepEqual([text(), from.rooms[0].state], ['idle', 'disconnected']);
});

test('why a room could not be entered, or ended, is shown', async (t) => {
  const refused = sdk({ answer: (core) => core.host.closed('room-full', '', true, undefined) });
  const first = await mount(t, provider(refused, h(State)));
  await change(settle);
  assert.equal(first.text(), 'disconnected room-full');
  const from = sdk();
  const second = await mount(t, provider(from, h(State)));
  await change(settle);
  await change(() => from.host.stateChanged('reconnecting', 'socket-lost'));
  assert.equal(second.text(), 'reconnecting');
  await change(() => from.host.closed('session-lost', '', true, undefined));
  assert.equal(second.text(), 'disconnected session-lost');
});

test('a room of the app is shown and not left', async (t) => {
  const { room: own } = await room();
  const { text, unmount } = await mount(t, h(RoomProvider, { room: own }, h(State)));
  assert.equal(text(), 'connected');
  await unmount();
  assert.equal(own.state, 'connected');
  await own.leave();
});

test('people come and go', async (t) => {
  const { room: own, host } = await room();
  const People = () => `${useLocalParticipant()?.name}: ${useParticipants().map(({ name }) => name).join()}`;
  const { text } = await mount(t, h(RoomProvider, { room: own }, h(People)));
  assert.equal(text(), 'Me: Ada');
  await change(() => host.participantJoined('bob-1', 'bob', 'Bob', undefined));
  assert.equal(text(), 'Me: Ada,Bob');
  await change(() => host.participantLeft('ada-1', 'left'));
  assert.equal(text(), 'Me: Bob');
});

test('publications are shown as they change', async (t) => {
  const { room: own, host } = await room();
  const show = ({ publication, track, muted }) => `${publication.id}${track ? '+' : '-'}${muted ? 'm' : ''}`;
  const All = () => usePublications({ sources: ['camera'] }).map(show).join();
  const One = () => usePublications({ participant: useParticipants()[0], sources: ['microphone'] }).map(show).join();
  const Nobody = () => usePublications({ participant: undefined }).length;
  const { text } = await mount(t, h(RoomProvider, { room: own }, h(All), '|', h(One), '|', h(Nobody)));
  assert.equal(text(), 'cam-||0');
  await change(() => host.trackSubscribed('cam', '1', new FakeTrack('video')));
  assert.equal(text(), 'cam+||0');
  await change(() => host.publicationMuted('cam', true));
  assert.equal(text(), 'cam+m||0');
  await change(() => host.publicationAdded('ada-1', 'mic', false, 'microphone', '', false, true));
  assert.equal(text(), 'cam+m|mic-|0');
  await change(() => host.publicationRemoved('ada-1', 'cam'));
  assert.equal(text(), '|mic-|0');
});

test('what shows nothing new is not rendered', async (t) => {
  const { room: own, host } = await room();
  let renderings = 0;
  const People = () => {
    renderings += 1;
    return useParticipants().length + usePublications().length;
  };
  await mount(t, h(RoomProvider, { room: own }, h(People)));
  const before = renderings;
  await change(() => host.speakers(['ada-1'], new Uint8Array([64])));
  assert.equal(renderings, before);
  await change(() => host.participantJoined('bob-1', 'bob', 'Bob', undefined));
  assert.equal(renderings, before + 1);
});

test('speakers are shown, all or one', async (t) => {
  const { room: own, host } = await room();
  const Speakers = () => useSpeakers().map(({ name }) => name).join();
  const Speaking = () => String(useSpeaking(useParticipants()[0]));
  const { text } = await mount(t, h(RoomProvider, { room: own }, h(Speakers), '|', h(Speaking)));
  assert.equal(text(), '|false');
  await change(() => host.speakers(['me-1', 'ada-1'], new Uint8Array([90, 40])));
  assert.equal(text(), 'Me,Ada|true');
  await change(() => host.speakers(['me-1'], new Uint8Array([90])));
  assert.equal(text(), 'Me|false');
});

test('quality and path are shown', async (t) => {
  const { room: own, host } = await room();
  const Signal = () => {
    const [ada] = useParticipants();
    return `${useQuality(ada)?.level} ${usePath(ada)} ${usePath(undefined)}`;
  };
  const { text } = await mount(t, h(RoomProvider, { room: own }, h(Signal)));
  assert.equal(text(), 'undefined edge undefined');
  await change(() => host.quality(['ada-1'], new Float32Array(judged(3, 40, 2))));
  await change(() => host.pathChanged('ada-1', true, 'room-mode'));
  assert.equal(text(), 'poor direct undefined');
  await change(() => host.pathChanged('ada-1', false, 'room-mode'));
  assert.equal(text(), 'poor edge undefined');
});

test('a lobby loads the SDK, and what fails there is told when somebody enters', async (t) => {
  const from = sdk();
  let prepared = 0;
  const load = async () => ({ ...(await from.load()), prepare: () => Promise.reject((prepared += 1)) });
  const { text, render } = await mount(t, provider(from, h(State), { sdk: load, join: false }));
  await change(settle);
  assert.deepEqual([text(), prepared, from.calls.length], ['idle', 1, 0]);
  await render(provider(from, h(State), { sdk: load }));
  await change(settle);
  assert.deepEqual([text(), from.calls.length], ['connected', 1]);
});

test('events reach the listener of the last rendering, those of the time before it too', async (t) => {
  const from = sdk();
  const heard = [];
  const Listener = ({ name }) => {
    useRoomEvent('participantjoined', ({ participant }) => heard.push(`${name} ${participant.name}`));
    return null;
  };
  const { render } = await mount(t, provider(from, h(Listener, { name: 'first' })));
  await change(settle);
  assert.deepEqual(heard, ['first Ada'], 'who is there already is told');
  await render(provider(from, h(Listener, { name: 'second' })));
  await change(() => from.host.participantJoined('bob-1', 'bob', 'Bob', undefined));
  assert.deepEqual(heard, ['first Ada', 'second Bob']);
});

test('a track is attached while its element is in the page', async (t) => {
  const { room: own, host } = await room();
  await act(async () => host.trackSubscribed('cam', '1', new FakeTrack('video')));
  const { track } = own.participants.get('ada-1').publication('camera');
  const seen = { current: null };
  const show = (shown) => h(VideoTrack, { track: shown, className: 'tile', ref: seen });
  const { container, render, unmount } = await mount(t, show(track));
  const element = container.querySelector('video');
  assert.deepEqual([track.attachedElements.length, track.attachedElements[0] === element], [1, true]);
  assert.deepEqual([element.className, element.muted, seen.current === element], ['tile', true, true]);
  const other = new (track.constructor)(new FakeTrack('video'), { start() {}, forget() {} });
  await render(show(other));
  assert.deepEqual([track.attachedElements.length, other.attachedElements.length], [0, 1]);
  await unmount();
  assert.equal(other.attachedElements.length, 0);
});

test('everybody else is heard, oneself is not', async (t) => {
  const { room: own, host } = await room();
  host.publicationAdded('ada-1', 'mic', false, 'microphone', '', false, true);
  host.trackSubscribed('mic', '2', new FakeTrack('audio'));
  host.trackSubscribed('cam', '1', new FakeTrack('video'));
  const { track } = own.participants.get('ada-1').publication('microphone');
  const { container } = await mount(t, h(RoomProvider, { room: own }, h(RoomAudio)));
  assert.equal(container.innerHTML, '<audio autoplay=""></audio>');
  assert.equal(track.attachedElements.length, 1);
  await change(() => host.trackUnsubscribed('mic'));
  assert.equal(container.innerHTML, '');
});

test('sound that the browser holds back is shown and resumed', async (t) => {
  const { room: own, host } = await room();
  host.publicationAdded('ada-1', 'mic', false, 'microphone', '', false, true);
  host.trackSubscribed('mic', '2', new FakeTrack('audio'));
  const { track } = own.participants.get('ada-1').publication('microphone');
  let resume;
  const Sound = () => {
    const sound = useSoundPlayback();
    resume = sound.resume;
    return String(sound.blocked);
  };
  const refused = window.HTMLMediaElement.prototype.play;
  t.after(() => (window.HTMLMediaElement.prototype.play = refused));
  window.HTMLMediaElement.prototype.play = async () => Promise.reject(new DOMException('click first', 'NotAllowedError'));
  const { text } = await mount(t, h(RoomProvider, { room: own }, h(Sound), h(AudioTrack, { track })));
  await change(settle);
  assert.equal(text(), 'true');
  window.HTMLMediaElement.prototype.play = async () => undefined;
  await change(() => resume());
  assert.equal(text(), 'false');
});

test('a hook without a provider says what is missing', async () => {
  const { renderToString } = await import('react-dom/server');
  assert.throws(() => renderToString(h(() => useRoom() && null)), /RoomProvider/);
});

test('a server renders what a page shows before it is in a room, and loads nothing', async () => {
  const { renderToString } = await import('react-dom/server');
  const load = async () => assert.fail('the SDK was loaded');
  const html = renderToString(h(RoomProvider, { url: 'https://edge.example', token: 't', sdk: load }, h(State), h(RoomAudio), h(VideoTrack, { track: undefined })));
  assert.equal(html, 'idle<video muted="" playsInline=""></video>');
  await settle();
});
