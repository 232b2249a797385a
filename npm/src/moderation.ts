// What a moderator can do. Who may is in the token: `can_moderate` (docs/tokens.md).

/** In the order of the protocol's numbers. @internal */
export const moderationActions: readonly ModerationAction[] = ['remove', 'readmit', 'ask-mute', 'mute', 'allow-unmute', 'lock', 'unlock', 'end'];

/** Its place. @internal */
export const MUTE = 3;

/**
 * What a moderator does. `remove` ends somebody's stay, who can't come back while the room lasts unless `readmit` says so. `mute` stops a
 * publication at the edge, and its publisher can't undo it until `allow-unmute`; `ask-mute` only asks. `lock` lets nobody new in until `unlock`;
 * `end` ends the call for everybody.
 */
export type ModerationAction = 'remove' | 'readmit' | 'ask-mute' | 'mute' | 'allow-unmute' | 'lock' | 'unlock' | 'end';
