// Moderation, as the façade tells it: what a moderator asks for, and what follows for one's own publications.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeCore, FakeSender, FakeTrack, fakeGlue, load, settle } from './fakes.mjs';

const { CoreInstance } = await load('core/instance');
const { Session } = await load('session');
const { moderationActions } = await load('moderation');
const number = (action) => moderationActions.indexOf(action);

async function room() {
  const connecting = Session.connect(new CoreInstance(fakeGlue(), () => undefined), 'wss://edge/v1/signal', 'token', {});
  const core = FakeCore.last;
  core.join();
  const joined = await connecting;
  await settle();
  const heard = [];
  joined.on('moderated', (event) => heard.push(event));
  return { room: joined, core, host: core.host, heard };
}

async function publish({ room: joined, host, core }, id) {
  const publishing = joined.local.publish(new FakeTrack('audio'), { source: 'microphone' });
  await settle();
  const [request] = core.named('publish').at(-1);
  host.published(request, id, '0', new FakeSender());
  return publishing;
}

test('what is asked for reaches the core by number and name', async () => {
  const { room: joined, core } = await room();
  const ada = joined.participants.get('ada-1');
  const asked = [joined.moderate('remove', ada), joined.moderate('readmit', 'eve'), joined.moderate('mute', ada.publication('camera')), joined.moderate('lock')];
  const calls = core.named('moderate');
  assert.deepEqual(calls.map(([, action, target]) => [moderationActions[action], target]), [['remove', 'ada'], ['readmit', 'eve'], ['mute', 'cam'], ['lock', '']]);
  for (const [request] of calls.slice(1)) core.host.done(request);
  core.host.failed(calls[0][0], 'not-permitted', 'no', false);
  await assert.rejects(asked[0], { code: 'not-permitted' });
  await Promise.all(asked.slice(1));
});

test('the room knows whether it is locked, and whether one moderates', async () => {
  const { room: joined, host, heard } = await room();
  assert.deepEqual([joined.locked, joined.canModerate], [false, false]);
  host.mayModerate();
  host.moderated(number('lock'), '');
  assert.deepEqual([joined.locked, joined.canModerate], [true, true]);
  host.moderated(number('lock'), ''); // after a resume
  host.moderated(number('unlock'), '');
  assert.equal(joined.locked, false);
  assert.deepEqual(heard, [{ action: 'lock' }, { action: 'unlock' }]);
});

test('a publication of mine falls silent when a moderator mutes it, and stays so until that is taken back', async () => {
  const call = await room();
  const publication = await publish(call, 'mic');
  call.host.moderated(number('ask-mute'), 'mic');
  assert.deepEqual([publication.muted, publication.blocked], [false, false], 'asking does nothing');
  call.host.moderated(number('mute'), 'mic');
  await settle();
  assert.deepEqual([publication.muted, publication.blocked, publication.track.mediaStreamTrack.enabled], [true, true, false]);
  await assert.rejects(publication.unmute(), { code: 'not-permitted', message: /moderator/ });
  assert.equal(publication.track.mediaStreamTrack.enabled, false);
  call.host.moderated(number('allow-unmute'), 'mic');
  assert.deepEqual([publication.muted, publication.blocked], [true, false], 'nobody else opens my microphone');
  assert.deepEqual(call.heard.map(({ action, publication: of }) => [action, of?.id]), [['ask-mute', 'mic'], ['mute', 'mic'], ['allow-unmute', 'mic']]);
});

test('what is muted before it is published begins silent', async () => {
  const call = await room();
  call.host.moderated(number('mute'), 'mic');
  assert.deepEqual(call.heard, []);
  const publication = await publish(call, 'mic');
  await settle();
  assert.deepEqual([publication.muted, publication.blocked], [true, true]);
  assert.deepEqual(call.heard, [{ action: 'mute', publication }]);
});

test('an action of a newer edge is passed over', async () => {
  const { host, heard } = await room();
  host.moderated(99, 'cam');
  assert.deepEqual(heard, []);
});
