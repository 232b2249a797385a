// A page for React in Node, and rooms for it: the real façade around a scripted core.
import { Window } from 'happy-dom';
import { FakeCore, FakeStream, FakeTrack, fakeGlue, load, settle } from './fakes.mjs';

const page = new Window();
const globals = { window: page, document: page.document, navigator: page.navigator, MediaStream: FakeStream, IS_REACT_ACT_ENVIRONMENT: true };
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
// Its media elements check for streams of its own make and never play.
Object.defineProperty(page.HTMLMediaElement.prototype, 'srcObject', { value: null, writable: true });
page.HTMLMediaElement.prototype.play = async () => undefined;

// React looks for a page when it is loaded.
export const { act, createElement: h, StrictMode, useState, version } = (await import('react')).default;
const { createRoot } = await import('react-dom/client');
export const react = await load('react/index');
const { CoreInstance } = await load('core/instance');
const { Session } = await load('session');
const { connectWith } = await load('connect');

/** Mounts; undone at the end of the test. */
export async function mount(test, element) {
  const container = page.document.body.appendChild(page.document.createElement('div'));
  const root = createRoot(container);
  let mounted = true;
  const unmount = async () => {
    if (mounted) await act(async () => root.unmount());
    mounted = false;
  };
  test.after(unmount);
  await act(async () => root.render(element));
  return { container, unmount, render: (next) => act(async () => root.render(next)), text: () => container.textContent };
}

/** Does something to the room and lets React show it. */
export const change = (step) => act(async () => {
  await step();
  await settle();
});

/**
 * An SDK as the provider loads it: `calls` lists what connect() was given, and the edge answers by `answer` (default: lets everybody in).
 */
export function sdk({ answer = (core) => core.join(), devices } = {}) {
  const calls = [];
  const rooms = [];
  const connect = async (url, token, options) => {
    calls.push({ url, token, options });
    // What the real connect() asks of the browser is not there in Node; all else is as it is there.
    globalThis.RTCPeerConnection ??= class {};
    const room = connectWith(async () => new CoreInstance(fakeGlue(), () => undefined), url, token, options);
    await settle();
    answer(FakeCore.last);
    rooms.push(await room);
    return room;
  };
  return { calls, rooms, load: async () => ({ connect, devices }), get core() { return FakeCore.last; }, get host() { return FakeCore.last.host; } };
}

/** A room that the app entered itself. */
export async function room() {
  const entering = Session.connect(new CoreInstance(fakeGlue(), () => undefined), 'wss://edge/v1/signal', 'token', {});
  FakeCore.last.join();
  return { room: await entering, core: FakeCore.last, host: FakeCore.last.host };
}

export { FakeTrack, settle };
