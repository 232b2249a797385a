// What a moderator finds on the page, and what everybody is told of moderation.
import type { Participant, Room } from 'nearcast';
import { find, setLabel } from './dom.ts';
import type { Tile } from './tile.ts';
import { showError, showNotice } from './toasts.ts';

/** Two buttons on a person's tile: mute for everyone, or give the word back; remove from the call. */
export function moderateTile(room: Room, participant: Participant, tile: Tile): void {
  if (!room.canModerate || participant.isLocal) return;
  const buttons = find('.tile-moderation', HTMLElement, tile.element);
  const [mute, remove] = [find('[data-moderate="mute"]', HTMLButtonElement, buttons), find('[data-moderate="remove"]', HTMLButtonElement, buttons)];
  const name = participant.name || participant.identity;
  setLabel(mute, `Mute ${name} for everyone, or allow to unmute`);
  setLabel(remove, `Remove ${name} from the call`);
  buttons.hidden = false;
  mute.addEventListener('click', () => {
    const microphone = participant.publication('microphone');
    if (microphone) void room.moderate(microphone.blocked ? 'allow-unmute' : 'mute', microphone).catch(showError);
  });
  remove.addEventListener('click', () => void room.moderate('remove', participant).catch(showError));
}

/** The lock in the header, and notices. */
export function followModeration(room: Room, lock: HTMLButtonElement, signal: AbortSignal): void {
  const show = (): void => {
    lock.setAttribute('aria-pressed', String(room.locked));
    setLabel(lock, room.locked ? 'Unlock the room' : 'Lock the room: nobody new gets in');
  };
  lock.hidden = !room.canModerate;
  lock.addEventListener('click', () => void room.moderate(room.locked ? 'unlock' : 'lock').catch(showError), { signal });
  show();
  room.on('moderated', ({ action, publication }) => {
    show();
    const what = publication?.kind === 'video' ? 'camera' : 'microphone';
    if (action === 'lock') showNotice('The room is locked', 'Nobody new gets in.', 'people');
    if (action === 'unlock') showNotice('The room is open again', '', 'people');
    if (!publication?.participant.isLocal) return;
    if (action === 'mute') showNotice(`A moderator muted your ${what}`, 'You can turn it on again when a moderator allows it.', 'microphone-off');
    if (action === 'ask-mute') showNotice(`A moderator asks you to mute your ${what}`, '', 'microphone-off');
    if (action === 'allow-unmute') showNotice(`You may turn your ${what} on again`, '', 'microphone');
  }, { signal });
}
