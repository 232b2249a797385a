// The URL contract of docs/demo.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inviteLink, parseOptions, withRoom } from '../src/url.ts';

test('an empty address: the lobby, with camera and microphone', () => {
  assert.deepEqual(parseOptions(''), { autojoin: false, video: true, audio: true });
});

test('room, name and autojoin', () => {
  assert.deepEqual(parseOptions('?room=R&name=N&autojoin=1'), { room: 'R', name: 'N', autojoin: true, video: true, audio: true });
});

test('the check before a call', () => {
  assert.equal(parseOptions('?preflight=1').preflight, true);
  assert.equal('preflight' in parseOptions('?preflight=0'), false);
});

test('a moderator says so', () => {
  assert.equal(parseOptions('?moderate=1').moderate, true);
  assert.equal('moderate' in parseOptions('?moderate=0'), false);
});

test('every option', () => {
  const options = parseOptions('?room=R&name=N&autojoin=1&video=0&audio=0&token=a.b.c&edge=https%3A%2F%2Fedge.example&identity=me');
  assert.deepEqual(options, {
    room: 'R', name: 'N', autojoin: true, video: false, audio: false, token: 'a.b.c', edge: 'https://edge.example', identity: 'me',
  });
});

test('names may hold any letters; blanks around them are dropped, blank ones are none', () => {
  const { name, room } = parseOptions(`?name=${encodeURIComponent(' Zoë & 李 ')}&room=+`);
  assert.equal(name, 'Zoë & 李');
  assert.equal(room, undefined);
});

test('flags: bare, 1 and true are yes, 0 and false are no, anything else is as if not there', () => {
  assert.deepEqual(['?autojoin', '?autojoin=true', '?autojoin=1', '?autojoin=0', '?autojoin=maybe'].map((search) => parseOptions(search).autojoin), [true, true, true, false, false]);
  assert.deepEqual(['?video=0', '?video=false', '?video', '?video=maybe'].map((search) => parseOptions(search).video), [false, false, true, true]);
});

test('the invite link carries the room, and nothing that is one’s own', () => {
  const page = 'https://call.example/demo/?room=old&name=Ana&token=secret&identity=me&autojoin=1#x';
  assert.equal(inviteLink(page, 'team & friends'), 'https://call.example/demo/?room=team+%26+friends');
  assert.equal(inviteLink(page, 'r', 'https://edge.example'), 'https://call.example/demo/?room=r&edge=https%3A%2F%2Fedge.example');
});

test('what the invite link says is what the page reads', () => {
  const link = new URL(inviteLink('http://localhost:8080/', 'Zoë & 李'));
  assert.equal(parseOptions(link.search).room, 'Zoë & 李');
});

test('the page’s own address gets the room and keeps the rest', () => {
  assert.equal(withRoom('http://localhost:8080/?name=Ana', 'r'), 'http://localhost:8080/?name=Ana&room=r');
});
