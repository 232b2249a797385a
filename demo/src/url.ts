// The page's URL is its interface: what it can be told, and the link it hands out. docs/demo.md is the promise.

export interface PageOptions {
  room?: string;
  name?: string;
  /** Join without a click. */
  autojoin: boolean;
  /** Ask for a token that lets one moderate. */
  moderate?: true;
  /** Only try whether a call would work. */
  preflight?: true;
  /** Publish the camera on joining. */
  video: boolean;
  /** Publish the microphone on joining. */
  audio: boolean;
  /** A ready token; without it the page asks its own origin for one. */
  token?: string;
  /** Where the edge is; without it, where the page came from. */
  edge?: string;
  identity?: string;
}

export function parseOptions(search: string): PageOptions {
  const parameters = new URLSearchParams(search);
  const options: PageOptions = {
    autojoin: flag(parameters.get('autojoin'), false),
    video: flag(parameters.get('video'), true),
    audio: flag(parameters.get('audio'), true),
  };
  for (const key of ['preflight', 'moderate'] as const) if (flag(parameters.get(key), false)) options[key] = true;
  for (const key of ['room', 'name', 'token', 'edge', 'identity'] as const) {
    const value = parameters.get(key)?.trim();
    if (value) options[key] = value;
  }
  return options;
}

/** `?autojoin`, `=1` and `=true` mean yes, `=0` and `=false` no; anything else is as if it weren't there. */
function flag(value: string | null, otherwise: boolean): boolean {
  if (value === '' || value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  return otherwise;
}

/** The link that brings somebody else here. It never carries a name, an identity or a token: those are one's own. */
export function inviteLink(page: string, room: string, edge?: string): string {
  const link = new URL(page);
  link.search = '';
  link.hash = '';
  link.searchParams.set('room', room);
  if (edge) link.searchParams.set('edge', edge);
  return link.href;
}

/** The page's own address with the room in it, so that a reload comes back to the same lobby. */
export function withRoom(page: string, room: string): string {
  const link = new URL(page);
  link.searchParams.set('room', room);
  return link.href;
}
