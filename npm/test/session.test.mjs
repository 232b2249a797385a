// A room from connect() to leave(), with a scripted core.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeCore, FakeDocument, FakeElement, FakeSender, FakeStream, FakeTrack, fakeGlue, load, settle, withGlobals, judged } from './fakes.mjs';

const { CoreInstance } = await load('core/instance');
const { Session } = await load('session');
const { nearcastError } = await load('errors');

function enter(options = {}, token = 'token') {
  const instance = new CoreInstance(fakeGlue(), () => undefined);
  const connecting = Session.connect(instance, 'wss://edge/v1/signal', token, options);
  connecting.catch(() => undefined);
  return { connecting, core: FakeCore.last, host: FakeCore.last.host, instance };
}

async function room(options) {
  const entered = enter(options);
  entered.core.join();
  return { ...entered, room: await entered.connecting };
}

const everyEvent = [
  'statechanged', 'participantjoined', 'participantleft', 'publicationadded', 'publicationremoved', 'publicationmuted', 'tracksubscribed',
  'trackunsubscribed', 'localpublished', 'localunpublished', 'devicereplaced', 'publicationinterrupted', 'speakerschanged', 'quality', 'data', 'closed',
];

function listen(target) {
  const heard = [];
  for (const type of everyEvent) target.on(type, (event) => heard.push([type, event]));
  return heard;
}

const names = (heard) => heard.map(([type]) => type);

test('the core gets what connect() was given', async () => {
  const { core } = enter({ autoSubscribe: false, joinTimeoutMs: 7, giveUpAfterMs: 9, rtcConfiguration: { iceServers: [] } });
  const { autoSubscribe, joinTimeoutMs, giveUpAfterMs, configuration, client } = core;
  assert.deepEqual([autoSubscribe, joinTimeoutMs, giveUpAfterMs], [false, 7, 9]);
  assert.deepEqual(configuration, { bundlePolicy: 'max-bundle', iceServers: [] });
  assert.match(client, /^nearcast-js\//);
});

test('a room is complete when connect() resolves, and its events wait for listeners', async () => {
  const { room: joined } = await room();
  assert.deepEqual([joined.name, joined.state, joined.local.identity, joined.local.isLocal], ['room', 'connected', 'me', true]);
  const ada = joined.participants.get('ada-1');
  assert.deepEqual([ada.name, ada.role, ada.publication('camera').id], ['Ada', 'host', 'cam']);
  await null; // another await between connect() and the app
  const heard = listen(joined);
  await settle();
  assert.deepEqual(names(heard), ['participantjoined', 'publicationadded']);
});

test('events after that come at once', async () => {
  const { room: joined, host } = await room();
  const heard = listen(joined);
  await settle();
  heard.length = 0;
  host.publicationMuted('cam', true);
  host.publicationMuted('cam', true);
  assert.deepEqual(names(heard), ['publicationmuted']);
  assert.equal(joined.participants.get('ada-1').publication('camera').muted, true);
  host.publicationRemoved('ada-1', 'cam');
  host.participantLeft('ada-1', 'timed-out');
  assert.deepEqual(names(heard), ['publicationmuted', 'publicationremoved', 'participantleft']);
  assert.equal(heard[2][1].reason, 'timed-out');
  assert.equal(joined.participants.size, 0);
});

test('a track that is taken away leaves its elements', async (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const { room: joined, host } = await room();
  const heard = listen(joined);
  const media = new FakeTrack('video');
  host.trackSubscribed('cam', '4', media);
  const publication = joined.participants.get('ada-1').publication('camera');
  const element = publication.track.attach(new FakeElement());
  assert.deepEqual(element.srcObject.getTracks(), [media]);
  await settle();
  let during;
  joined.on('trackunsubscribed', ({ track }) => (during = [track.attachedElements, publication.track]));
  host.trackUnsubscribed('cam');
  assert.deepEqual(during, [[element], undefined], 'an app can still find the element');
  assert.equal(element.srcObject, null);
  assert.deepEqual(names(heard).slice(-2), ['tracksubscribed', 'trackunsubscribed']);
  assert.equal(heard.at(-1)[1].track.mediaStreamTrack, media);
});

test('speakers are participants, loudest first, and silence ends speaking', async () => {
  const { room: joined, host } = await room();
  const ada = joined.participants.get('ada-1');
  host.speakers(['ada-1', 'me-1', 'gone-1'], new Uint8Array([127, 64, 3]));
  assert.deepEqual(joined.speakers, [ada, joined.local]);
  assert.deepEqual([ada.level, ada.speaking, joined.local.speaking], [1, true, true]);
  host.speakers([], new Uint8Array());
  assert.deepEqual([ada.level, ada.speaking, joined.speakers.length], [0, false, 0]);
});

test('data goes out as text or bytes and comes in the same way', async () => {
  const { room: joined, core, host } = await room();
  joined.sendData('hé', { to: joined.participants.get('ada-1'), topic: 'chat' });
  joined.sendData(new Uint8Array([1]), { reliable: false });
  assert.deepEqual(core.named('sendData'), [
    [new TextEncoder().encode('hé'), true, 'ada-1', 'chat', true],
    [new Uint8Array([1]), false, undefined, undefined, false],
  ]);
  const heard = listen(joined);
  await settle();
  host.data('ada-1', new TextEncoder().encode('hé'), true, 'chat', true);
  // What the core hands over is a view of its memory: it says something else a moment later.
  const memory = new Uint8Array([1]);
  host.data('gone-1', memory, false, undefined, false);
  memory[0] = 2;
  const [, first] = heard.at(-2);
  assert.deepEqual([first.from.id, first.payload, first.topic, first.reliable], ['ada-1', 'hé', 'chat', true]);
  assert.deepEqual(heard.at(-1)[1], { from: undefined, payload: new Uint8Array([1]), reliable: false });
  core.refuseData = 'data-not-ready';
  assert.throws(() => joined.sendData('x'), { name: 'UsageError', code: 'data-not-ready', retryable: true });
});

test('publishing ends with a publication, or with the reason', async () => {
  const { room: joined, core, host } = await room();
  const heard = listen(joined);
  await settle();
  const media = new FakeTrack('video');
  const publishing = joined.local.publish(media, { source: 'screen', maxBitrate: 1e6 });
  const [[request, track, source, , muted, , maxBitrate]] = core.named('publish');
  assert.deepEqual([track, source, muted, maxBitrate, media.contentHint], [media, 'screen', false, 1e6, 'detail']);
  host.published(request, 'pub', '8', new FakeSender(media));
  const publication = await publishing;
  assert.deepEqual([publication.id, publication.kind, publication.source, joined.local.publication('screen')], ['pub', 'video', 'screen', publication]);
  assert.equal(names(heard).at(-1), 'localpublished');

  const refused = joined.local.publish(new FakeTrack('video'));
  host.failed(core.named('publish')[1][0], 'not-permitted', 'no grant', false);
  await assert.rejects(refused, { name: 'MediaError', code: 'not-permitted', message: 'no grant' });
});

test('a device that goes away ends its publication', async () => {
  const { room: joined, core, host } = await room();
  const heard = listen(joined);
  const media = new FakeTrack('audio');
  const publishing = joined.local.publish(media, { source: 'microphone' });
  host.published(core.named('publish')[0][0], 'pub', '8', new FakeSender(media));
  await publishing;
  await settle();
  media.end();
  assert.equal(names(heard).at(-1), 'localunpublished');
  assert.equal(core.named('unpublish')[0][1], 'pub');
  assert.equal(joined.local.publications.size, 0);
});

test('unpublishing twice asks once', async () => {
  const { room: joined, core, host } = await room();
  const publishing = joined.local.publish(new FakeTrack('audio'));
  host.published(core.named('publish')[0][0], 'pub', '8', new FakeSender());
  const publication = await publishing;
  const first = publication.unpublish();
  host.done(core.named('unpublish')[0][0]);
  await first;
  await publication.unpublish();
  assert.equal(core.named('unpublish').length, 1);
});

test('video goes out in several sizes unless the app says otherwise', async () => {
  const { room: joined, core } = await room();
  void joined.local.publish(new FakeTrack('video')).catch(() => undefined);
  void joined.local.publish(new FakeTrack('video'), { simulcast: false, scalabilityMode: 'L1T2' }).catch(() => undefined);
  assert.deepEqual(core.named('publish').map((args) => args.slice(8, 10)), [[true, undefined], [false, 'L1T2']]);
});

test('preferences for a picture add up, in whole numbers that fit', async () => {
  const { room: joined, core } = await room();
  const publication = joined.participants.get('ada-1').publication('camera');
  publication.setVideoPreferences({ width: 319.2, height: 180, priority: 'on-stage' });
  publication.setVideoPreferences({ visible: false, maxFramerate: 7.5 });
  publication.setVideoPreferences({ width: 1e6, height: -1, visible: true, maxFramerate: 0, priority: 'auto' });
  assert.deepEqual(core.named('wish'), [
    ['cam', 320, 180, true, 0, 3],
    ['cam', 320, 180, false, 8, 3],
    ['cam', 65535, 0, true, 0, 0],
  ]);
  core.leave();
  publication.setVideoPreferences({ visible: false });
  assert.equal(core.named('wish').length, 3, 'over is over');
});

test('what the app names comes before what is measured', async (t) => {
  const Observer = class {
    observe() {}
    unobserve() {}
  };
  const document = Object.assign(new EventTarget(), { hidden: false });
  withGlobals(t, { ResizeObserver: Observer, IntersectionObserver: Observer, MediaStream: FakeStream, document, addEventListener() {} });
  const { room: joined, core, host } = await room();
  host.trackSubscribed('cam', '4', new FakeTrack('video'));
  const publication = joined.participants.get('ada-1').publication('camera');
  publication.setVideoPreferences({ width: 1280, visible: true, priority: 'on-stage' });
  publication.setVideoPreferences({ width: undefined });
  assert.deepEqual(core.named('wish'), [
    ['cam', 320, 180, true, 0, 0],
    ['cam', 1280, 180, true, 0, 3],
    ['cam', 320, 180, true, 0, 3],
  ]);
  host.trackUnsubscribed('cam');
  core.leave();
  const { core: plain, host: itsHost } = await room({ adaptiveStream: false });
  itsHost.trackSubscribed('cam', '4', new FakeTrack('video'));
  assert.deepEqual(plain.named('wish'), []);
  plain.leave();
});

test('adaptation can be declined', async () => {
  const { core } = enter({ adaptation: false });
  assert.deepEqual(core.calls.map(([name]) => name).slice(0, 2), ['adaptNothing', 'start']);
  assert.deepEqual(enter().core.named('adaptNothing'), []);
});

test('what gives way is told, and the core hears whether the page is seen', async (t) => {
  const document = Object.assign(new EventTarget(), { hidden: false });
  withGlobals(t, { document });
  const { room: joined, core, host } = await room();
  await settle();
  const heard = [];
  joined.on('adapted', (event) => heard.push(event));
  host.adapted('cpu', 'frame-rate-20', true, 'encode-time');
  assert.deepEqual(heard, [{ what: 'cpu', step: 'frame-rate-20', active: true, reason: 'encode-time' }]);
  document.hidden = true;
  document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(core.named('pageHidden'), [[true]]);
  core.leave();
});

test('what the edge sends of a picture, and why not more', async () => {
  const { room: joined, host } = await room();
  const publication = joined.participants.get('ada-1').publication('camera');
  const heard = [];
  joined.on('layerchanged', (event) => heard.push(event));
  await settle();
  assert.deepEqual([publication.layer, joined.availableIncomingBitrate], [undefined, undefined]);
  host.layers(480_000, ['gone', 'cam'], new Uint32Array([0, 0, 0, 0, 1, 2, 320, 180, 15, 150_000, 0, 3]));
  const layer = { width: 320, height: 180, framesPerSecond: 15, bitrate: 150_000, paused: false, reason: 'bandwidth' };
  assert.deepEqual(heard, [{ participant: publication.participant, publication, layer }]);
  assert.deepEqual([publication.layer, joined.availableIncomingBitrate], [layer, 480_000]);
  host.layers(0, ['cam'], new Uint32Array([0, 0, 0, 0, 1, 8]));
  assert.deepEqual([publication.layer.paused, publication.layer.reason, joined.availableIncomingBitrate], [true, 'not-among-loudest', undefined]);
});

test('subscribing is known when the edge has said yes', async () => {
  const { room: joined, core, host } = await room();
  const publication = joined.participants.get('ada-1').publication('camera');
  const leaving = publication.unsubscribe();
  assert.equal(publication.subscribed, true);
  const [[request, id, wanted]] = core.named('subscribe');
  assert.deepEqual([id, wanted], ['cam', false]);
  host.done(request);
  await leaving;
  assert.equal(publication.subscribed, false);
});

test('a refused join rejects with its error', async () => {
  const { connecting, host } = enter();
  host.closed('token-expired', 'The token expired at noon.', false, undefined);
  await assert.rejects(connecting, { name: 'TokenError', code: 'token-expired', message: 'The token expired at noon.', retryable: false });
});

test('an edge that wants to be left alone says how long', async () => {
  const { connecting, host } = enter();
  host.closed('overloaded', '', true, 3000);
  await assert.rejects(connecting, { name: 'ConnectError', code: 'overloaded', retryable: true, retryAfterMs: 3000 });
});

test('aborting cancels connecting and gives the seat back, and later does nothing', async () => {
  const controller = new AbortController();
  const { connecting, core } = enter({ signal: controller.signal });
  controller.abort('bored');
  await assert.rejects(connecting, { name: 'ConnectError', code: 'aborted', cause: 'bored' });
  assert.equal(core.named('leave').length, 1);

  const late = new AbortController();
  const { room: joined } = await room({ signal: late.signal });
  late.abort();
  assert.equal(joined.state, 'connected');
});

test('a token function is asked each time, but not twice at once, and its error is the cause', async () => {
  const cause = new Error('backend down');
  let answers = [];
  const token = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
  const { connecting, core, host } = enter({}, token);
  host.tokenWanted();
  host.tokenWanted();
  await settle();
  assert.equal(answers.length, 1);
  answers[0].resolve('fresh');
  await settle();
  assert.deepEqual(core.named('token'), [['fresh']]);
  host.tokenWanted();
  await settle();
  answers[1].reject(cause);
  await settle();
  assert.deepEqual(core.named('token')[1], [undefined]);
  host.closed('token-unavailable', '', true, undefined);
  await assert.rejects(connecting, { name: 'TokenError', code: 'token-unavailable', cause });
});

test('leaving ends everything, once, and lets go of the page', async (t) => {
  const page = new EventTarget();
  let listening = 0;
  withGlobals(t, {
    addEventListener: (type, listener, options) => {
      listening += 1;
      options.signal.addEventListener('abort', () => (listening -= 1));
      page.addEventListener(type, listener, options);
    },
  });
  const { room: joined, core, host } = await room();
  const heard = listen(joined);
  const events = joined.events('data');
  const media = new FakeTrack('video');
  const publishing = joined.local.publish(media, { stopOnUnpublish: true });
  host.published(core.named('publish')[0][0], 'pub', '8', new FakeSender(media));
  await publishing;
  const waiting = joined.participants.get('ada-1').publication('camera').unsubscribe();
  const transport = { closed: 0, close() { this.closed += 1; } };
  host.transportOpened(transport);
  assert.equal(listening, 3);

  await joined.leave();
  await joined.leave();
  await assert.rejects(waiting, { code: 'room-left' });
  await settle();
  assert.deepEqual(heard.filter(([type]) => type === 'closed'), [['closed', {}]]);
  assert.equal(names(heard).at(-1), 'closed');
  assert.deepEqual([joined.state, media.readyState, transport.closed, core.freed, listening], ['disconnected', 'ended', 1, 1, 0]);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
  assert.throws(() => joined.sendData('x'), { code: 'room-left' });
  await assert.rejects(joined.local.publish(new FakeTrack('audio')), { code: 'room-left' });
  await assert.rejects(joined.stats(), { code: 'room-left' });
  page.dispatchEvent(new Event('online'));
});

test('await using leaves at the end of the block', async () => {
  const { room: joined, core } = await room();
  await joined[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
  assert.equal(core.named('leave').length, 1);
});

test('a closing tab says goodbye, news of the network reach the core', async (t) => {
  const page = new EventTarget();
  const connection = new EventTarget();
  withGlobals(t, { addEventListener: page.addEventListener.bind(page), navigator: { connection } });
  const { core } = await room();
  page.dispatchEvent(new Event('online'));
  page.dispatchEvent(new Event('offline'));
  connection.dispatchEvent(new Event('change'));
  page.dispatchEvent(new Event('pagehide'));
  const told = ['networkAvailable'];
  assert.deepEqual(core.calls.slice(-4), [told, told, told, ['leave']]);
});

test('a panic closes the room with one error and never enters the core again', async (t) => {
  const { room: joined, core, instance, host } = await room();
  const heard = listen(joined);
  await settle();
  let socket;
  withGlobals(t, { WebSocket: class { constructor() { socket = this; } close() { this.closed = true; } onmessage = () => undefined; } });
  host.openSocket(undefined);
  instance.fail('src/room.rs:1');
  await settle();
  const closed = heard.filter(([type]) => type === 'closed');
  assert.equal(closed.length, 1);
  assert.deepEqual([closed[0][1].error.name, closed[0][1].error.code, closed[0][1].error.cause.message], ['InternalError', 'core-panicked', 'src/room.rs:1']);
  assert.deepEqual([socket.onmessage, socket.closed, core.freed], [null, true, 0]);
  assert.ok(nearcastError('core-panicked').retryable);
});

test('the states of an outage are told with their reasons', async () => {
  const { room: joined, host } = await room();
  const heard = listen(joined);
  await settle();
  host.stateChanged('reconnecting', 'no-pong');
  host.stateChanged('connected', 'resumed');
  const told = heard.filter(([type]) => type === 'statechanged').map(([, { previous, state, reason }]) => [previous, state, reason]);
  assert.deepEqual(told, [['connected', 'reconnecting', 'no-pong'], ['reconnecting', 'connected', 'resumed']]);
});

test('what happens to a device is told, and why it was unpublished', async (t) => {
  const cameras = [];
  const getUserMedia = async () => new FakeStream([cameras[cameras.push(new FakeTrack('video')) - 1]]);
  withGlobals(t, { navigator: { mediaDevices: Object.assign(new EventTarget(), { getUserMedia }) } });
  const { room: joined, core, host } = await room();
  core.publish = (request, track) => host.published(request, 'pub', '3', new FakeSender(track));
  core.unpublish = (request) => host.done(request);
  const publication = await joined.local.publishCamera();
  await settle();
  const heard = listen(joined);
  cameras[0].interrupt(true);
  assert.deepEqual([heard, publication.interrupted], [[['publicationinterrupted', { publication }]], true]);
  cameras[0].end();
  await settle();
  const [type, { error }] = heard.at(-1);
  assert.deepEqual([type, error.code, joined.local.publications.size], ['localunpublished', 'device-not-found', 0]);
});

test('who comes back to the page waits for no pause between attempts', async (t) => {
  const page = new FakeDocument();
  withGlobals(t, { document: page });
  const { room: joined, core } = await room();
  page.show(false);
  assert.equal(core.named('networkAvailable').length, 0);
  page.show(true);
  assert.equal(core.named('networkAvailable').length, 1);
  await joined.leave();
  page.show(true);
  assert.equal(core.named('networkAvailable').length, 1, 'the page is left alone after the call');
});

test('quality is told for publications, people and the connection, and stays readable', async () => {
  const { room: joined, host } = await room();
  const heard = listen(joined);
  await settle();
  heard.length = 0;
  const all = [
    judged(2, 60, 2, { cause: 7, action: 5, layer: 4, points: [0, 0, 0, 0, 0, 40], evidence: [30, 2] }),
    judged(3, 41, 2, { cause: 1, action: 1 }),
    judged(0, 100, 4),
    judged(1, 70, 3, { cause: 2, action: 1, points: [30] }),
  ];
  host.quality(['cam', 'ada-1', '', ''], new Float32Array(all.flat()));
  assert.deepEqual(names(heard), ['quality', 'quality', 'quality']);
  const ada = joined.participants.get('ada-1');
  const camera = ada.publication('camera').quality;
  assert.deepEqual(camera, {
    score: 60, level: 'poor', cause: 'layer-held', action: 'raise-priority', layerReason: 'priority', contributions: { resolution: 40 },
    evidence: { rttMs: 30, jitterMs: 2 },
  });
  assert.deepEqual(heard[0][1], { quality: camera, participant: ada, publication: ada.publication('camera') });
  assert.deepEqual([ada.quality.level, ada.quality.cause, ada.quality.contributions], ['poor', 'uplink-loss', {}]);
  const { level, cause, uplink, downlink } = joined.quality;
  assert.deepEqual([level, cause, uplink.level, downlink.score], ['good', 'downlink-loss', 'excellent', 70]);
  assert.equal(joined.local.quality, joined.quality);
});

test('newer numbers without news are readable, and no event', async () => {
  const { room: joined, host } = await room();
  const heard = listen(joined);
  await settle();
  heard.length = 0;
  host.quality(['cam', '', ''], new Float32Array([judged(6, 99, 4, { evidence: [7] }), judged(4, 98, 4), judged(5, 97, 4)].flat()));
  assert.deepEqual(heard, []);
  const camera = joined.participants.get('ada-1').publication('camera');
  assert.deepEqual([camera.quality.evidence, joined.quality.uplink.score, joined.quality.downlink.score], [{ rttMs: 7 }, 98, 97]);
});

test('a direction that nothing is known of says nothing against the other', async () => {
  const { room: joined, host } = await room();
  host.quality(['', ''], new Float32Array([judged(0, 0, 0), judged(1, 90, 4)].flat()));
  assert.deepEqual([joined.quality.level, joined.quality.score], ['excellent', 90]);
  host.quality(['nobody', 'nothing'], new Float32Array([judged(3, 10, 1), judged(2, 10, 1)].flat()));
});

test('counters are read when the core wants them, and a transport that fails to answer is let be', async () => {
  const { core, host } = await room();
  const report = { id: 'I', type: 'inbound-rtp', kind: 'audio', mid: '3', ssrc: 1, timestamp: 5 };
  host.transportOpened({ getStats: async () => new Map([['I', report]]), close() {} });
  host.statsWanted();
  await settle();
  const [[numbers]] = core.named('stats');
  assert.deepEqual([numbers.length, numbers[32], numbers[33]], [64, 3, 3]);
  host.transportOpened({ getStats: () => Promise.reject(new Error('closed')), close() {} });
  host.statsWanted();
  await settle();
  assert.equal(core.named('stats').length, 1);
});

test('a track goes on when its media comes over another transport', async (t) => {
  withGlobals(t, { MediaStream: FakeStream });
  const { room: joined, host } = await room();
  const heard = listen(joined);
  await settle();
  host.trackSubscribed('cam', '1', new FakeTrack('video'));
  const publication = joined.participants.get('ada-1').publication('camera');
  const { track } = publication;
  const element = track.attach(new FakeElement());
  heard.length = 0;
  const media = new FakeTrack('video');
  track.mediaStreamTrack.stop(); // the transport was closed
  host.trackSubscribed('cam', '5', media);
  assert.deepEqual([publication.track, publication.mid, track.mediaStreamTrack], [track, '5', media]);
  assert.deepEqual([...element.srcObject.getTracks()], [media]);
  assert.deepEqual(names(heard), [], 'an app has nothing to do');
});

test('a track goes over to another transport with the first frame, when the old one still plays', async (t) => {
  const probes = [];
  const createElement = () => probes[probes.push(new FakeElement()) - 1];
  withGlobals(t, { MediaStream: FakeStream, document: { createElement } });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { host, room: joined } = await room();
  host.trackSubscribed('cam', '1', new FakeTrack('video'));
  const { track } = joined.participants.get('ada-1').publication('camera');
  const element = track.attach(new FakeElement());
  const before = track.mediaStreamTrack;
  const [skipped, shown, late] = [new FakeTrack('video'), new FakeTrack('video'), new FakeTrack('video')];
  host.trackSubscribed('cam', '5', skipped);
  host.trackSubscribed('cam', '6', shown);
  probes[0].onloadeddata();
  assert.deepEqual([...element.srcObject.getTracks()], [before], 'what was replaced since is shown no more');
  probes[1].onloadeddata();
  assert.deepEqual([...element.srcObject.getTracks()], [shown]);
  host.trackSubscribed('cam', '7', late);
  assert.equal(track.mediaStreamTrack, shown);
  t.mock.timers.tick(2000);
  assert.deepEqual([...element.srcObject.getTracks()], [late], 'a picture that does not begin is shown in the end');
  assert.ok(probes.every((probe) => probe.muted && probe.srcObject === null), 'nothing stays');
});

test('objects outlive their ids when the call moves', async () => {
  const { room: joined, core, host } = await room();
  const ada = joined.participants.get('ada-1');
  const camera = ada.publication('camera');
  const media = new FakeTrack('video');
  const publishing = joined.local.publish(media);
  host.published(core.named('publish')[0][0], 'pub', '8', new FakeSender(media));
  const publication = await publishing;
  for (const [was, id] of [['me-1', 'me-2'], ['ada-1', 'ada-2'], ['cam', 'cam-2'], ['nobody', 'nothing']]) host.renamed(was, id);
  const sender = new FakeSender(new FakeTrack('video'));
  host.republished('pub', 'pub-2', '0', sender);
  await settle();
  assert.deepEqual([joined.local.id, ada.id, camera.id, publication.id, publication.mid], ['me-2', 'ada-2', 'cam-2', 'pub-2', '0']);
  assert.deepEqual([joined.participants.get('ada-2'), joined.participants.size], [ada, 1]);
  assert.deepEqual([ada.publications.get('cam-2'), ada.publications.size], [camera, 1]);
  assert.deepEqual([joined.local.publications.get('pub-2'), joined.local.publications.size], [publication, 1]);
  assert.equal(sender.track, media, 'what it sends now');
  host.publicationMuted('cam-2', true);
  assert.equal(camera.muted, true);
});

test('a publication that was muted with its camera off stays so over another transport', async () => {
  const { room: joined, core, host } = await room();
  const media = new FakeTrack('video');
  const publishing = joined.local.publish(media);
  host.published(core.named('publish')[0][0], 'pub', '8', new FakeSender(media));
  const publication = await publishing;
  const muting = publication.mute();
  await settle();
  host.done(core.named('mute')[0][0]);
  await muting;
  const sender = new FakeSender(media);
  host.republished('pub', 'pub', '0', sender);
  assert.deepEqual([publication.muted, media.enabled], [true, false]);
});

test('servers of the edge come beside those of the app', async () => {
  const own = { urls: 'stun:own.example' };
  const { core, host } = enter({ rtcConfiguration: { iceServers: [own], iceTransportPolicy: 'relay' } });
  const set = [];
  host.transportOpened({ setConfiguration: (configuration) => set.push(structuredClone(configuration)), close() {} });
  for (const name of ['first', 'second']) {
    host.iceServers([[name, 'secret', 'turn:a.example', 'turns:a.example'], [undefined, undefined, 'stun:b.example']]);
    host.leaveOut(0);
  }
  const credentials = { username: 'second', credential: 'secret' };
  assert.deepEqual(set[1].iceServers, [
    own,
    { urls: 'turn:a.example', ...credentials },
    { urls: 'turns:a.example', ...credentials },
    { urls: 'stun:b.example' },
  ]);
  assert.equal(set[1].iceTransportPolicy, 'relay');
  assert.deepEqual(core.configuration, set[1], 'for transports to come');
  host.transportOpened({ setConfiguration() { throw new Error('not now'); }, close() {} });
  host.iceServers([]);
  host.leaveOut(0);
  assert.deepEqual(core.configuration.iceServers, [own]);
});

test('which servers failed is told by number, and those are left out', () => {
  const { core, host } = enter();
  const transport = { setConfiguration() {}, close() {} };
  host.transportOpened(transport);
  host.iceServers([['ana', 'secret', 'turn:a.example:3478', 'turn:a.example?transport=tcp', 'turns:a.example'], [undefined, undefined, 'stun:b.example']]);
  host.leaveOut(0b1010);
  assert.deepEqual(core.configuration.iceServers.map(({ urls }) => urls), ['turn:a.example:3478', 'turns:a.example']);
  // As Chromium writes them.
  const urls = ['turn:a.example:3478?transport=udp', 'turn:a.example:3478?transport=tcp', 'turns:a.example:5349?transport=tcp', 'stun:b.example:3478'];
  for (const url of [...urls, 'stun:own.example', null]) transport.onicecandidateerror({ url });
  transport.onicecandidate({ candidate: { url: urls[2] } });
  transport.onicecandidate({ candidate: null });
  transport.onicecandidate({ candidate: { url: null }, url: urls[0] });
  assert.deepEqual(core.named('iceServer'), [[0, false], [1, false], [2, false], [3, false], [2, true], [0, true]]);
});

test('steps of a recovery are told, and other edges found', async (t) => {
  const { room: joined, host } = await room();
  const heard = [];
  joined.on('reconnecting', (event) => heard.push(event));
  await settle();
  host.step('suspect', 'no-media', 1250);
  assert.deepEqual(heard, [{ step: 'suspect', reason: 'no-media', tookMs: 1250 }]);
  const opened = [];
  withGlobals(t, { WebSocket: class { constructor(...args) { opened.push(args.join(' ')); } close() {} } });
  for (const edge of ['https://b.example', undefined]) host.openSocket(edge).close();
  assert.deepEqual(opened, ['wss://b.example/v1/signal nearcast.v1.cbor', 'wss://edge/v1/signal nearcast.v1.cbor']);
  assert.equal(host.openSocket('ftp://b.example'), undefined);
});
