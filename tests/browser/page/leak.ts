// Joins and leaves a room again and again in one page, and counts what stays behind.

import { connections, openConnections, openedConnections } from './rtc-census.ts'; // first: it counts what the SDK makes
import { connect, type Room } from 'nearcast';
import type { LeakPage } from './contract.ts';
import { expose } from './expose.ts';
import { Painter } from './media/paint.ts';

const rooms: WeakRef<Room>[] = [];
const kept: Room[] = [];

/** One whole stay: everything is published, received and left that makes a room hold on to something. */
async function stay(url: string, token: string): Promise<Room> {
    const room = await connect(url, token);
    rooms.push(new WeakRef(room));
    const received = new Promise<void>((resolve, reject) => {
        const timer = window.setTimeout(() => reject(new Error('no track within 10 s')), 10_000);
        room.on('tracksubscribed', ({ track }) => {
            const element = track.attach();
            element.muted = true;
            document.body.append(element);
            window.clearTimeout(timer);
            resolve();
        });
    });
    const painter = new Painter({ pattern: 0, width: 160, height: 90 });
    await room.local.publish(painter.track, { source: 'camera' });
    await received;
    await room.leave();
    painter.stop();
    document.body.replaceChildren();
    return room;
}

const page: LeakPage = {
    async cycle(url, tokens, keep = false) {
        for (const token of tokens) {
            const room = await stay(url, token);
            if (keep) kept.push(room);
        }
    },
    letGo: async () => void kept.splice(0),
    async census() {
        return {
            liveRooms: rooms.filter((room) => room.deref() !== undefined).length,
            openConnections: openConnections(),
            openedConnections: openedConnections(),
            uncollectedConnections: connections().length,
        };
    },
};
expose(page);
