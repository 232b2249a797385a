// An encoder on libdatachannel, the library behind OBS's own WHIP output: H.264 from x264 and Opus, in plain RTP from ffmpeg, sealed and sent by it.

import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Audio, PeerConnection, Video, cleanup, type Track } from 'node-datachannel';
import { makePicture } from './clips.ts';
import { endWithUs } from './processes.ts';
import { within } from './wait.ts';

const H264 = { payloadType: 96, ssrc: 1_001 };
const OPUS = { payloadType: 111, ssrc: 1_002 };
const PATIENCE_MS = 30_000;

export interface Encoding {
    /** The WHIP address of the room. */
    url: string;
    token: string;
    pattern: number;
    hz: number;
}

export class DatachannelEncoder {
    readonly #connection = new PeerConnection('encoder', { iceServers: [] });
    readonly #sockets: Socket[] = [];
    #folder = '';
    #ffmpeg: ChildProcess | undefined;
    #session = '';

    /** Publishes; resolves when the transport is up. */
    static async publish(encoding: Encoding): Promise<DatachannelEncoder> {
        const encoder = new DatachannelEncoder();
        try {
            await encoder.#publish(encoding);
        } catch (cause) {
            await encoder.close();
            throw cause;
        }
        return encoder;
    }

    async #publish({ url, token, pattern, hz }: Encoding): Promise<void> {
        const connection = this.#connection;
        const video = new Video('0', 'SendOnly');
        video.addH264Codec(H264.payloadType);
        video.addSSRC(H264.ssrc, 'encoder', 'stream', 'video');
        const audio = new Audio('1', 'SendOnly');
        audio.addOpusCodec(OPUS.payloadType);
        audio.addSSRC(OPUS.ssrc, 'encoder', 'stream', 'audio');
        const tracks = [connection.addTrack(video), connection.addTrack(audio)] as const;
        const connected = new Promise<void>((resolve) => connection.onStateChange((state) => state === 'connected' && resolve()));
        const gathered = new Promise<void>((resolve) => connection.onGatheringStateChange((state) => state === 'complete' && resolve()));
        connection.setLocalDescription('offer' as Parameters<PeerConnection['setLocalDescription']>[0]);
        await within(PATIENCE_MS, 'candidates of libdatachannel', gathered);

        const headers = { authorization: `Bearer ${token}` };
        const body = connection.localDescription()?.sdp ?? '';
        const answer = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/sdp' }, body });
        if (answer.status !== 201) throw new Error(`POST ${url}: ${String(answer.status)} ${await answer.text()}`);
        this.#session = new URL(answer.headers.get('location') ?? '', url).href;
        connection.setRemoteDescription(await answer.text(), 'answer' as Parameters<PeerConnection['setRemoteDescription']>[1]);
        await within(PATIENCE_MS, 'libdatachannel to connect', connected);
        await this.#encode(tracks, pattern, hz);
        this.#end = async () => (await fetch(this.#session, { method: 'DELETE', headers })).status;
    }

    /** Starts ffmpeg and hands on what it sends. */
    async #encode(tracks: readonly [Track, Track], pattern: number, hz: number): Promise<void> {
        this.#folder = await mkdtemp(join(tmpdir(), 'nearcast-encoder-'));
        const clip = join(this.#folder, 'picture.ivf');
        await makePicture(clip, pattern, 20);
        const [picture, sound] = [await this.#relay(tracks[0]), await this.#relay(tracks[1])];
        const rtp = ({ payloadType, ssrc }: typeof H264, port: number): string =>
            `-payload_type ${String(payloadType)} -ssrc ${String(ssrc)} -f rtp rtp://127.0.0.1:${String(port)}?pkt_size=1200`;
        const x264 = '-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -g 30 -b:v 800k -pix_fmt yuv420p';
        const args = `-re -stream_loop -1 -i ${clip} -re -f lavfi -i sine=f=${String(hz)}:r=48000 -map 0:v ${x264} ${rtp(H264, picture)} -map 1:a -ac 2 -c:a libopus -b:a 48k ${rtp(OPUS, sound)}`;
        this.#ffmpeg = spawn('ffmpeg', ['-v', 'error', ...args.split(' ')], { stdio: ['ignore', 'ignore', 'inherit'] });
        endWithUs(this.#ffmpeg);
    }

    /** A port whose datagrams go out as packets of the track. */
    async #relay(track: Track): Promise<number> {
        const socket = createSocket('udp4', (packet) => {
            if (track.isOpen()) track.sendMessageBinary(packet);
        });
        this.#sockets.push(socket);
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening');
        return socket.address().port;
    }

    /** Ends the session; what the edge answered. */
    end(): Promise<number> {
        return this.#end();
    }

    #end: () => Promise<number> = () => Promise.reject(new Error('not published'));

    async close(): Promise<void> {
        this.#ffmpeg?.kill('SIGKILL');
        for (const socket of this.#sockets) socket.close();
        this.#connection.close();
        cleanup(); // its threads would keep this process
        if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    }
}
