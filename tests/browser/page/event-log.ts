// Everything a room said, as plain data in the order it was said, and waiting for something to be said.

import type { Room, RoomEvents } from 'nearcast';
import type { EventPattern, LoggedEvent } from './contract.ts';

/** All events but `deviceschanged`, which says nothing about the call. */
const TYPES: readonly (keyof RoomEvents)[] = [
    'statechanged',
    'reconnecting',
    'participantjoined',
    'participantleft',
    'publicationadded',
    'publicationremoved',
    'publicationmuted',
    'moderated',
    'tracksubscribed',
    'trackunsubscribed',
    'localpublished',
    'localunpublished',
    'devicereplaced',
    'publicationinterrupted',
    'speakerschanged',
    'layerchanged',
    'adapted',
    'pathchanged',
    'data',
    'autoplayblocked',
    'autoplayresumed',
    'closed',
];

export class EventLog {
    readonly events: LoggedEvent[] = [];
    readonly #waiting = new Set<() => void>();

    listen(room: Room): void {
        for (const type of TYPES) {
            room.on(type, (event) => {
                this.events.push({ at: performance.now(), type, ...plain(event) });
                for (const look of [...this.#waiting]) look();
            });
        }
    }

    /** The first event from number `since` on that has everything `pattern` asks for. */
    wait(pattern: EventPattern, since: number, ms: number): Promise<LoggedEvent> {
        return new Promise((resolve, reject) => {
            const look = (): void => {
                const found = this.events.slice(since).find((event) => matches(event, pattern));
                if (!found) return;
                window.clearTimeout(timer);
                this.#waiting.delete(look);
                resolve(found);
            };
            const timer = window.setTimeout(() => {
                this.#waiting.delete(look);
                const seen = this.events.slice(since).map((event) => JSON.stringify(event));
                reject(new Error(`not within ${ms} ms: ${JSON.stringify(pattern)}; seen since: ${seen.join(' ') || 'nothing'}`));
            }, ms);
            this.#waiting.add(look);
            look();
        });
    }
}

function matches(event: LoggedEvent, pattern: EventPattern): boolean {
    return Object.entries(pattern).every(([key, value]) => JSON.stringify(event[key as keyof LoggedEvent]) === JSON.stringify(value));
}

/** What a test can compare: identities and ids in place of objects. */
function plain(event: RoomEvents[keyof RoomEvents]): Omit<LoggedEvent, 'at' | 'type'> {
    const result: Record<string, unknown> = {};
    if ('participant' in event) Object.assign(result, { identity: event.participant.identity, participant: event.participant.id });
    if ('action' in event) result['action'] = event.action;
    if ('publication' in event && event.publication) Object.assign(result, { publication: event.publication.id, source: event.publication.source });
    if ('path' in event) result['path'] = event.path;
    if ('step' in event) result['step'] = event.step;
    if ('what' in event) Object.assign(result, { what: event.what, active: event.active });
    if ('state' in event) Object.assign(result, { state: event.state, previous: event.previous });
    if ('speakers' in event) result['speakers'] = event.speakers.map((speaker) => speaker.identity);
    if ('muted' in event) result['muted'] = event.muted;
    if ('layer' in event) Object.assign(result, event.layer);
    if ('reason' in event) result['reason'] = event.reason;
    if ('error' in event) result['error'] = event.error ? `${event.error.code}: ${event.error.message}` : undefined;
    if ('payload' in event) {
        const { from, payload, topic, reliable } = event;
        Object.assign(result, { from: from?.identity, topic, reliable });
        if (typeof payload === 'string') result['text'] = payload;
        else result['bytes'] = [...payload];
    }
    return result;
}
