// What of a remote picture is worth sending, by the elements that show it.
import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { FakeElement, FakeStream, FakeTrack, load, withGlobals } from './fakes.mjs';

const { AdaptiveStream, canAdapt } = await load('adaptive');
const { RemoteTrack } = await load('track');

/** A ResizeObserver or an IntersectionObserver. */
class FakeObserver {
  static all = [];
  targets = new Set();

  constructor(report) {
    this.report = report;
    this.constructor.all.push(this);
  }

  observe(target) {
    this.targets.add(target);
  }

  unobserve(target) {
    this.targets.delete(target);
  }

  /** Lets all that watch `target` hear of it. */
  static say(target, entry) {
    for (const one of this.all) if (one.targets.has(target)) one.report([{ target, ...entry }]);
  }
}

/** A page with one remote picture; `told` is what was said of it, oldest first. */
function page(t, { pixelRatio = 1, document: more = { pictureInPictureElement: null } } = {}) {
  const Sizes = class extends FakeObserver {
    static all = [];
  };
  const Views = class extends FakeObserver {
    static all = [];
  };
  const document = Object.assign(new EventTarget(), { hidden: false }, more);
  const globals = { ResizeObserver: Sizes, IntersectionObserver: Views, MediaStream: FakeStream, document, devicePixelRatio: pixelRatio };
  withGlobals(t, { ...globals, addEventListener() {} });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const ending = new AbortController();
  const adaptive = new AdaptiveStream(ending.signal);
  const track = new RemoteTrack(new FakeTrack('video'), { start() {}, forget() {} });
  const told = [];
  adaptive.watch(track, ({ width, height, visible }) => told.push(visible ? `${width}x${height}` : 'hidden'));
  const element = () => Object.assign(new EventTarget(), new FakeElement(), { ownerDocument: document, play: async () => undefined });
  return {
    adaptive, track, told, document, element, end: () => ending.abort(), observers: [Sizes, Views],
    attached: () => track.attach(element()),
    resize: (target, width, height) => Sizes.say(target, { contentRect: { width, height } }),
    scroll: (target, isIntersecting) => Views.say(target, { isIntersecting }),
    hide(hidden) {
      document.hidden = hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    },
    after: (ms) => mock.timers.tick(ms),
  };
}

test('a small picture until the first measurement, then the size in pixels of the screen', (t) => {
  const { attached, resize, told } = page(t, { pixelRatio: 2 });
  const element = attached();
  assert.deepEqual(told, ['320x180']);
  resize(element, 640, 360);
  assert.deepEqual(told, ['320x180', '1280x720']);
});

test('more is told at once, less when it has lasted 100 ms', (t) => {
  const { attached, resize, told, after } = page(t);
  const element = attached();
  resize(element, 640, 360);
  resize(element, 500, 300);
  after(60);
  resize(element, 400, 225);
  after(99);
  assert.deepEqual(told, ['320x180', '640x360']);
  after(1);
  assert.deepEqual(told, ['320x180', '640x360', '400x225']);
});

test('what is scrolled away is hidden after 100 ms, and seen again at once, in the size it had', (t) => {
  const { attached, resize, scroll, told, after } = page(t);
  const element = attached();
  resize(element, 640, 360);
  scroll(element, false);
  after(99);
  assert.equal(told.at(-1), '640x360');
  after(1);
  assert.equal(told.at(-1), 'hidden');
  scroll(element, true);
  assert.equal(told.at(-1), '640x360');
});

test('a glance away changes nothing', (t) => {
  const { attached, resize, scroll, told, after } = page(t);
  const element = attached();
  resize(element, 640, 360);
  scroll(element, false);
  after(99);
  scroll(element, true);
  after(1000);
  assert.deepEqual(told, ['320x180', '640x360']);
});

test('a track attached nowhere is not sent', (t) => {
  const { attached, track, told, after, observers } = page(t);
  after(100);
  assert.deepEqual(told, ['320x180', 'hidden'], 'never attached');
  const element = attached();
  assert.equal(told.at(-1), '320x180');
  track.detach(element);
  after(100);
  assert.equal(told.at(-1), 'hidden');
  assert.ok(observers.every(({ all }) => all.every(({ targets }) => targets.size === 0)), 'an element that was left is still watched');
});

test('an element without a size is hidden', (t) => {
  const { attached, resize, told, after } = page(t);
  const element = attached();
  resize(element, 640, 0);
  after(100);
  assert.equal(told.at(-1), 'hidden');
});

test('of several elements the largest that can be seen counts', (t) => {
  const { attached, resize, scroll, told, after } = page(t);
  const [small, large] = [attached(), attached()];
  resize(small, 160, 90);
  resize(large, 960, 540);
  assert.equal(told.at(-1), '960x540');
  scroll(large, false);
  after(100);
  assert.equal(told.at(-1), '160x90');
  scroll(small, false);
  after(100);
  assert.equal(told.at(-1), 'hidden');
});

test('a tab in the background hides after 5 s and a moment, and is back at once', (t) => {
  const { attached, resize, hide, told, after } = page(t);
  resize(attached(), 640, 360);
  hide(true);
  after(4999);
  hide(false);
  hide(true);
  after(5000);
  after(99);
  assert.equal(told.at(-1), '640x360');
  after(1);
  assert.equal(told.at(-1), 'hidden');
  hide(false);
  assert.equal(told.at(-1), '640x360');
});

test('a page that was opened in the background', (t) => {
  const { attached, told, after } = page(t, { document: { hidden: true, pictureInPictureElement: null } });
  attached();
  after(5100);
  after(100);
  assert.equal(told.at(-1), 'hidden');
});

test('picture-in-picture is seen from a tab in the background, in the size of its window', (t) => {
  const { attached, resize, scroll, hide, told, after } = page(t, { pixelRatio: 2 });
  const element = attached();
  resize(element, 1000, 500);
  const floating = { width: 300, height: 200, onresize: undefined };
  element.dispatchEvent(Object.assign(new Event('enterpictureinpicture'), { pictureInPictureWindow: floating }));
  after(100);
  assert.equal(told.at(-1), '600x400');
  scroll(element, false);
  hide(true);
  after(10_000);
  assert.equal(told.at(-1), '600x400');
  Object.assign(floating, { width: 400, height: 300 }).onresize();
  assert.equal(told.at(-1), '800x600');
  element.dispatchEvent(new Event('leavepictureinpicture'));
  after(100);
  assert.equal(told.at(-1), 'hidden');
});

test('an element in a window of its own is seen while that is', (t) => {
  const { track, element, resize, hide, told, after } = page(t);
  const moved = track.attach(Object.assign(element(), { ownerDocument: { hidden: false, pictureInPictureElement: null } }));
  resize(moved, 640, 360);
  hide(true);
  after(10_000);
  assert.equal(told.at(-1), '640x360');
});

test('where a browser cannot say what floats, a tab in the background goes on', (t) => {
  const { attached, resize, hide, told, after } = page(t, { document: {} });
  resize(attached(), 640, 360);
  hide(true);
  after(10_000);
  assert.equal(told.at(-1), '640x360');
});

test('nothing is told of what was forgotten, or after the end', (t) => {
  const { adaptive, track, attached, resize, told, after, end } = page(t);
  const element = attached();
  adaptive.forget(track);
  resize(element, 640, 360);
  after(1000);
  assert.deepEqual(told, ['320x180']);
  adaptive.watch(track, () => told.push('again'));
  end();
  track.detach();
  after(1000);
  assert.deepEqual(told, ['320x180', 'again']);
});

test('without observers there is nothing to adapt to', () => assert.equal(canAdapt(), false));
