// Who is in the room and what they publish, as tiles. Follows the room's events; holds no state the room has already.
import { type Layer, type Participant, type Path, type Publication, type RemoteParticipant, RemotePublication, type Room, type Track } from 'nearcast';
import type { Grid } from './grid.ts';
import { pausedInWords } from './layer-words.ts';
import { moderateTile } from './moderation.ts';
import { Tile } from './tile.ts';
import { showNotice } from './toasts.ts';

/** With more people in the room, comings and goings are noise. Guess. */
const ANNOUNCE_UP_TO = 12;

/** A tile and the ids of the publications it shows. */
export interface ShownTile {
  tile: Tile;
  video: string | undefined;
  audio: string | undefined;
  /** What the edge sends of the picture. */
  layer: Layer | undefined;
  /** Which way the media comes; undefined of one's own. */
  path: Path | undefined;
}

/** One participant: the tile with camera and microphone, and one more for every screen or other picture. */
interface Person {
  participant: Participant;
  tile: Tile;
  extra: Map<Publication, Tile>;
}

export class People {
  readonly #room: Room;
  readonly #grid: Grid;
  readonly #count: HTMLElement;
  /** By the object, which outlives its id when a call moves to another session. */
  readonly #people = new Map<Participant, Person>();

  constructor(room: Room, grid: Grid, count: HTMLElement, signal: AbortSignal) {
    this.#room = room;
    this.#grid = grid;
    this.#count = count;

    room.on('participantjoined', ({ participant }) => this.#join(participant), { signal });
    room.on('participantleft', ({ participant, reason }) => this.#leave(participant, reason), { signal });
    room.on('tracksubscribed', ({ publication }) => this.#show(publication), { signal });
    room.on('trackunsubscribed', ({ publication, track }) => this.#hide(publication, track), { signal });
    room.on('publicationadded', ({ participant }) => this.#refreshMuted(participant), { signal });
    room.on('publicationremoved', ({ publication }) => this.#drop(publication), { signal });
    room.on('publicationmuted', ({ publication }) => this.#show(publication), { signal });
    room.on('layerchanged', ({ publication, layer }) => this.#tileOf(publication)?.showPaused(pausedInWords(layer)), { signal });
    room.on('localpublished', ({ publication }) => this.#show(publication), { signal });
    room.on('localunpublished', ({ publication }) => this.#drop(publication), { signal });
    room.on('speakerschanged', ({ speakers }) => this.#speak(speakers), { signal });

    // Who is here already; the room tells of them once more, which changes nothing.
    for (const participant of [room.local, ...room.participants.values()]) {
      this.#add(participant);
      for (const publication of participant.publications.values()) this.#show(publication);
    }
    this.#speak(room.speakers);
    signal.addEventListener('abort', () => {
      for (const { tile, extra } of this.#people.values()) for (const each of [tile, ...extra.values()]) each.close();
    });
  }

  *tiles(): Generator<ShownTile> {
    for (const { participant, tile, extra } of this.#people.values()) {
      const shown = (each: Tile, video: Publication | undefined, sound: Publication | undefined): ShownTile => ({ tile: each, video: video?.id, audio: sound?.id, layer: layerOf(video), path: participant.isLocal ? undefined : participant.path });
      yield shown(tile, participant.publication('camera'), participant.publication('microphone'));
      for (const [publication, each] of extra) {
        yield shown(each, publication, each.source === 'screen' ? participant.publication('screen-audio') : undefined);
      }
    }
  }

  /** One's own tiles, after a switch to another device: the picture may be a mirror now, or no longer. */
  refreshSelf(): void {
    for (const publication of this.#room.local.publications.values()) this.#show(publication);
  }

  #join(participant: RemoteParticipant): void {
    if (this.#people.has(participant)) return;
    this.#add(participant);
    if (this.#people.size <= ANNOUNCE_UP_TO) showNotice(`${nameOf(participant)} joined`, '', 'people');
  }

  #leave(participant: RemoteParticipant, reason: string): void {
    const person = this.#people.get(participant);
    if (!person) return;
    this.#people.delete(participant);
    for (const tile of [person.tile, ...person.extra.values()]) this.#remove(tile);
    this.#showCount();
    // 'replaced' is the same person again, from another tab: the joining says it all.
    if (reason === 'replaced' || this.#people.size > ANNOUNCE_UP_TO) return;
    showNotice(reason === 'timed-out' ? `${nameOf(participant)} lost the connection` : `${nameOf(participant)} left`, '', 'people');
  }

  #add(participant: Participant): void {
    const tile = new Tile({ name: nameOf(participant), source: 'camera', isSelf: participant.isLocal });
    this.#people.set(participant, { participant, tile, extra: new Map() });
    this.#grid.add(tile);
    moderateTile(this.#room, participant, tile);
    this.#refreshMuted(participant);
    this.#showCount();
  }

  /** Brings the tile of a publication in line with it: also after muting, unmuting and a switched device. */
  #show(publication: Publication): void {
    const { track, kind, source, muted, participant } = publication;
    const person = this.#people.get(participant);
    if (!person) return;
    this.#refreshMuted(participant);
    if (!track) return;
    if (kind === 'audio') {
      if (!participant.isLocal) person.tile.addSound(track);
      return;
    }
    const tile = source === 'camera' ? person.tile : this.#extraTile(person, publication);
    tile.showPicture(muted ? undefined : track);
    // The SDK sees how large each picture is; who comes first only the page knows.
    if (publication instanceof RemotePublication) tile.onStaged = (staged) => publication.setVideoPreferences({ priority: staged ? 'on-stage' : 'auto' });
  }

  /** The tile that shows a publication's picture. */
  #tileOf(publication: Publication): Tile | undefined {
    const person = this.#people.get(publication.participant);
    return publication.source === 'camera' ? person?.tile : person?.extra.get(publication);
  }

  #remove(tile: Tile): void {
    tile.close();
    this.#grid.remove(tile);
  }

  #hide(publication: Publication, track: Track): void {
    const person = this.#people.get(publication.participant);
    if (!person) return;
    if (publication.kind === 'audio') person.tile.removeSound(track);
    else (person.extra.get(publication) ?? person.tile).showPicture(undefined);
  }

  #drop(publication: Publication): void {
    const person = this.#people.get(publication.participant);
    if (!person) return;
    const extra = person.extra.get(publication);
    if (extra) {
      person.extra.delete(publication);
      this.#remove(extra);
    } else if (publication.source === 'camera') {
      person.tile.showPicture(undefined);
    } else if (publication.track) {
      person.tile.removeSound(publication.track);
    }
    this.#refreshMuted(publication.participant);
  }

  /** Camera and every sound go with the person's tile; each further picture gets one of its own. */
  #extraTile(person: Person, publication: Publication): Tile {
    const { source } = publication;
    let tile = person.extra.get(publication);
    if (!tile) {
      tile = new Tile({ name: nameOf(person.participant), source, isSelf: person.participant.isLocal });
      person.extra.set(publication, tile);
      this.#grid.add(tile);
    }
    return tile;
  }

  #refreshMuted(participant: Participant): void {
    const microphone = participant.publication('microphone');
    this.#people.get(participant)?.tile.setMuted(!microphone || microphone.muted);
  }

  #speak(speakers: readonly Participant[]): void {
    const loud = new Set(speakers);
    for (const [participant, { tile }] of this.#people) tile.setSpeaking(loud.has(participant));
  }

  #showCount(): void {
    this.#count.textContent = String(this.#people.size);
  }
}

function layerOf(publication: Publication | undefined): Layer | undefined {
  return publication instanceof RemotePublication ? publication.layer : undefined;
}

function nameOf({ name, identity }: Participant): string {
  return name || identity;
}
