// A client of WHIP and WHEP in a browser: fetch and a bare RTCPeerConnection, written against docs/whip.md alone. The page comes from
// another origin than the edge, so that every request has to pass CORS.

import { expose } from './expose.ts';
import { webAudioRuns } from './media/audio-context.ts';
import { Painter } from './media/paint.ts';
import { Tone } from './media/tone.ts';
import { describe, measureAudioOf, measureVideoOf } from './track.ts';
import type { WhipPage } from './whip-contract.ts';

const connection = new RTCPeerConnection();
let session = '';
let authorization = '';

async function begin(endpoint: string, token: string): Promise<void> {
    authorization = `Bearer ${token}`;
    await connection.setLocalDescription();
    const post = (url: string): Promise<Response> => fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/sdp' },
        body: connection.localDescription?.sdp ?? '',
    });
    let response = await post(endpoint);
    // A browser follows a redirection, and gives the token to no other origin (Fetch, HTTP-redirect fetch).
    if (response.redirected && response.status === 401) response = await post(response.url);
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
    const location = response.headers.get('location');
    if (location === null || response.headers.get('etag') === null) throw new Error('Location and ETag are not exposed to pages');
    session = new URL(location, response.url).href;
    await connection.setRemoteDescription({ type: 'answer', sdp: answer });
}

function receiver(kind: 'audio' | 'video'): MediaStreamTrack {
    const found = connection.getReceivers().find(({ track }) => track.kind === kind);
    if (!found) throw new Error(`nothing of kind ${kind} is received`);
    return found.track;
}

const page: WhipPage = {
    async publish(endpoint, token, picture, hz) {
        if (!(await webAudioRuns())) throw new Error('no AudioContext runs in this browser');
        connection.addTransceiver(new Painter({ width: 320, height: 180, ...picture }).track, { direction: 'sendonly' });
        connection.addTransceiver(new Tone(hz).track, { direction: 'sendonly' });
        await begin(endpoint, token);
    },
    async play(endpoint, token) {
        if (!(await webAudioRuns())) throw new Error('no AudioContext runs in this browser');
        connection.addTransceiver('video', { direction: 'recvonly' });
        connection.addTransceiver('audio', { direction: 'recvonly' });
        await begin(endpoint, token);
    },
    async end() {
        return (await fetch(session, { method: 'DELETE', headers: { authorization } })).status;
    },
    over: () => new Promise((resolve) => {
        const [transport] = connection.getTransceivers().map(({ sender }) => sender.transport);
        if (!transport) throw new Error('there is no transport yet');
        const look = (): void => {
            if (transport.state === 'closed') resolve();
        };
        transport.addEventListener('statechange', look);
        look();
    }),
    measureVideo: (ms) => measureVideoOf(receiver('video'), ms),
    measureAudio: (ms, tones) => measureAudioOf(receiver('audio'), ms, tones),
    snapshot: async () => ({ session, ...(await describe(connection)) }),
};
expose(page);
