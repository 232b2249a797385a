// A client that is not ours: JSON over a WebSocket and a bare RTCPeerConnection, written against docs/signalling.md alone.
// It shows that the edge needs no SDK on the other side, and tells faults of the edge from faults of the SDK.

import type { ForeignPage } from './contract.ts';
import { expose } from './expose.ts';
import { Painter } from './media/paint.ts';
import { Tone } from './media/tone.ts';
import { webAudioRuns } from './media/audio-context.ts';
import { describe, measureAudioOf, measureVideoOf } from './track.ts';

/** Receiving sections of each kind: as many publications of each kind as this client can take. */
const SLOTS = 3;
const PATIENCE_MS = 30_000;

interface Slot {
    mid: string;
    publication: string | null;
}
interface Joined {
    type: 'joined';
    participant: { id: string };
    answer: { sdp: string; published: { mid: string; publication: string | null }[] };
    slots: Slot[];
}
type Message = Joined | ({ type: 'slot' } & Slot) | { type: 'failed' | 'closed'; error: { message: string } } | { type: 'other' };

/** Which receiving section carries which publication. */
const slots = new Map<string, string>();
const waiting = new Set<() => void>();
const connection = new RTCPeerConnection();
const said: Message[] = [];

/** Calls `look` with each message until it gives something. */
function until<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
        const timer = window.setTimeout(() => {
            waiting.delete(again);
            reject(new Error(`not within ${PATIENCE_MS} ms: ${what}; the edge said ${said.map((one) => JSON.stringify(one)).join(' ')}`));
        }, PATIENCE_MS);
        const again = (): void => {
            const found = look();
            if (found === undefined) return;
            window.clearTimeout(timer);
            waiting.delete(again);
            resolve(found);
        };
        waiting.add(again);
        again();
    });
}

function hear(message: Message): void {
    said.push(message);
    for (const { mid, publication } of message.type === 'joined' ? message.slots : message.type === 'slot' ? [message] : []) {
        if (publication === null) slots.delete(mid);
        else slots.set(mid, publication);
    }
    for (const look of [...waiting]) look();
}

async function trackOf(publication: string): Promise<MediaStreamTrack> {
    const mid = await until(`a slot with ${publication}`, () => [...slots].find(([, carried]) => carried === publication)?.[0]);
    const transceiver = connection.getTransceivers().find((one) => one.mid === mid);
    if (!transceiver) throw new Error(`there is no section ${mid}`);
    return transceiver.receiver.track;
}

const page: ForeignPage = {
    async join(url, token, picture, hz) {
        if (!(await webAudioRuns())) throw new Error('no AudioContext runs in this browser');
        const video = connection.addTransceiver(new Painter({ width: 320, height: 180, ...picture }).track, { direction: 'sendonly' });
        const audio = connection.addTransceiver(new Tone(hz).track, { direction: 'sendonly' });
        for (let slot = 0; slot < SLOTS; slot += 1) {
            connection.addTransceiver('video', { direction: 'recvonly' });
            connection.addTransceiver('audio', { direction: 'recvonly' });
        }
        await connection.setLocalDescription();
        const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/signal`, 'nearcast.v1.json');
        socket.addEventListener('message', ({ data }) => hear(JSON.parse(String(data)) as Message));
        await new Promise((resolve, reject) => {
            socket.addEventListener('open', resolve, { once: true });
            socket.addEventListener('error', reject, { once: true });
        });
        const publish = [
            { mid: video.mid, source: 'camera' },
            { mid: audio.mid, source: 'microphone' },
        ];
        socket.send(JSON.stringify({ type: 'join', id: 1, token, offer: { sdp: connection.localDescription?.sdp, publish } }));
        const joined = await until('to be let in', () => said.find((message) => message.type === 'joined'));
        await connection.setRemoteDescription({ type: 'answer', sdp: joined.answer.sdp });
        const idOf = (mid: string | null): string => joined.answer.published.find((one) => one.mid === mid)?.publication ?? 'refused';
        return { id: joined.participant.id, picture: idOf(video.mid), tone: idOf(audio.mid) };
    },
    measureVideo: async (publication, ms) => measureVideoOf(await trackOf(publication), ms),
    measureAudio: async (publication, ms, tones) => measureAudioOf(await trackOf(publication), ms, tones),
    snapshot: async () => ({ said, ...(await describe(connection)) }),
};
expose(page);
