// The page's three steps: the lobby, the call, the end. Options come from the URL (docs/demo.md).
import { connect, type NearcastError, prepare, type Room } from 'nearcast';
import { Call } from './call.ts';
import { chosenDevice } from './device-pickers.ts';
import { find } from './dom.ts';
import { codeOf, wordsFor } from './errors.ts';
import { tabIdentity } from './identity.ts';
import { type JoinChoice, Lobby } from './lobby.ts';
import { setError, setState, showView } from './page.ts';
import { showPreflight } from './preflight.ts';
import { restoreSpeaker } from './speaker.ts';
import { preferences, tab } from './storage.ts';
import { startTheme } from './theme.ts';
import { mintToken } from './token.ts';
import { inviteLink, parseOptions, withRoom } from './url.ts';

const options = parseOptions(location.search);
const lobby = new Lobby(options, (choice) => void join(choice, 'lobby'));
let last: JoinChoice | undefined;
let joining: AbortController | undefined;

startTheme();
restoreSpeaker(chosenDevice('audiooutput') ?? '');
find('#connecting-cancel', HTMLButtonElement).addEventListener('click', () => joining?.abort());
find('#ended-lobby', HTMLButtonElement).addEventListener('click', openLobby);
find('#ended-rejoin', HTMLButtonElement).addEventListener('click', () => last && void join(last, 'connecting'));

if (options.preflight) {
  setState('lobby');
  void showPreflight(options);
} else if (options.autojoin && (options.room || options.token)) {
  const name = options.name ?? preferences.recall('name') ?? 'Guest';
  void join({ room: options.room ?? '', name, audio: options.audio, video: options.video }, 'connecting');
} else {
  setState('lobby');
  openLobby();
}

function openLobby(): void {
  showView('lobby');
  // While a name is typed. What fails is said by connect(), when it matters.
  prepare().catch(() => undefined);
  void lobby.open();
}

/** @param waitIn the view to look at meanwhile. */
async function join(choice: JoinChoice, waitIn: 'lobby' | 'connecting'): Promise<void> {
  last = choice;
  joining = new AbortController();
  setError(undefined);
  setState('connecting');
  find('#connecting-title', HTMLElement).textContent = choice.room ? `Joining ${choice.room}…` : 'Joining…';
  lobby.setBusy(true);
  showView(waitIn);
  try {
    const room = await enter(choice, joining.signal);
    await startCall(room, choice);
  } catch (error) {
    console.warn('nearcast demo:', error);
    setState('disconnected');
    setError(codeOf(error));
    openLobby();
    lobby.showError(codeOf(error));
  }
}

/** The two calls an application needs: get a token, connect. */
async function enter({ room, name }: JoinChoice, signal: AbortSignal): Promise<Room> {
  const identity = options.identity ?? tabIdentity(name, tab);
  // A function, not a string: after a long interruption the SDK needs a fresh one.
  const token = options.token ?? (() => mintToken({ room, identity, name, ...(options.moderate && { can_moderate: true }) }));
  return connect(options.edge ?? location.origin, token, { signal });
}

async function startCall(room: Room, choice: JoinChoice): Promise<void> {
  history.replaceState(null, '', withRoom(location.href, room.name));
  document.title = `${room.name} · Nearcast`;
  showView('call');
  const call = new Call({ room, inviteLink: inviteLink(location.href, room.name, options.edge), onEnd: showEnd });
  await call.start(choice);
  lobby.close(); // only now: a browser that saw the camera in use doesn't ask again
}

function showEnd(error: NearcastError | undefined): void {
  document.title = 'Nearcast';
  lobby.close();
  if (error) {
    console.warn('nearcast demo:', error);
    setError(error.code);
  }
  const { title, text } = error ? wordsFor(error.code) : { title: 'You left the call', text: 'Come back any time: the room stays open while somebody is in it.' };
  find('#ended-title', HTMLElement).textContent = title;
  find('#ended-text', HTMLElement).textContent = text;
  showView('ended');
  find('#ended-title', HTMLElement).focus();
}
