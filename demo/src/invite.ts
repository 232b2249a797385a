// Puts the invite link on the clipboard, or shows it where that isn't allowed.
import { showNotice } from './toasts.ts';

export async function copyInvite(link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    showNotice('Invite link copied', link, 'link');
  } catch {
    showNotice('Copy this link to invite others', link, 'link'); // no clipboard on plain http and in most frames
  }
}
