import { connect } from 'nearcast';
import { fetchToken } from './token.js';

const byId = (id) => document.getElementById(id);
const say = (text) => (byId('status').textContent = text);
let room;

byId('entry').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { edge, room: name, name: identity } = Object.fromEntries(new FormData(event.target));
  say('Connecting…');
  try {
    // A function and not a text: the SDK asks again for each reconnection.
    room = await connect(edge, () => fetchToken(edge, name, identity));
  } catch (error) {
    return say(`${error.code}: ${error.message}`);
  }
  show();
});

function show() {
  const inCall = (there) => {
    byId('entry').hidden = there;
    byId('call').hidden = !there;
  };
  inCall(true);
  say('');
  // Right after the `await`: who is there already is told by the same events as who comes later.
  room.on('statechanged', ({ state }) => say(state === 'connected' ? '' : `${state}…`));
  room.on('tracksubscribed', ({ participant, track }) => place(participant, track));
  room.on('trackunsubscribed', ({ track }) => take(track));
  room.on('localpublished', ({ publication }) => {
    if (publication.kind === 'video') place(room.local, publication.track);
  });
  room.on('localunpublished', ({ publication }) => take(publication.track));
  room.on('speakerschanged', ({ speakers }) => {
    for (const tile of byId('tiles').children) tile.classList.toggle('speaking', speakers.some(({ id }) => id === tile.dataset.participant));
  });
  room.on('autoplayblocked', () => (byId('sound').hidden = false));
  room.on('autoplayresumed', () => (byId('sound').hidden = true));
  room.on('closed', ({ error }) => {
    inCall(false);
    byId('tiles').replaceChildren();
    say(error ? `${error.code}: ${error.message}` : 'You have left.');
  });
}

function place(participant, track) {
  const element = track.attach();
  if (track.kind === 'audio') return; // it needs no place in the page to be heard
  element.dataset.participant = participant.id;
  element.title = participant.name;
  byId('tiles').append(element);
}

function take(track) {
  for (const element of track.attachedElements) element.remove();
}

/** The first click publishes; the next ones mute and unmute. */
async function toggle(source, publish) {
  const publication = room.local.publication(source);
  if (!publication) await publish();
  else await (publication.muted ? publication.unmute() : publication.mute());
}

const onClick = (id, step) => byId(id).addEventListener('click', () => step().catch((error) => say(error.message)));
onClick('microphone', () => toggle('microphone', () => room.local.publishMicrophone()));
onClick('camera', () => toggle('camera', () => room.local.publishCamera()));
onClick('screen', async () => (room.local.publication('screen') ? room.local.publication('screen').unpublish() : room.local.publishScreen()));
onClick('leave', () => room.leave());
onClick('sound', () => room.resumeAudio());
