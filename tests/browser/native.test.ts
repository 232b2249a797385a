// A client on the `webrtc` crate, which shares no code with the edge's media plane or a browser's, and Chromium: both see,
// hear and write to each other.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callTest } from './harness/call.ts';
import { makePicture, makeTone, readPicture, readTone } from './harness/clips.ts';
import { NativeClient, type NativeReport, type NativeSlot } from './harness/native-client.ts';
import { carriesTone, hears, shows, showsPattern } from './harness/verdict.ts';

/** No tone is near the other's harmonics. */
const NATIVE = { pattern: 3, hz: 660 } as const;
const ANA = { pattern: 0, hz: 440 } as const;
const TONES = [NATIVE.hz, ANA.hz];
/** Longer than the test; the counter of a clip that starts over would go back. */
const CLIP_SECONDS = 40;

callTest('a native client and Chromium see, hear and write to each other', { timeoutMs: 120_000 }, async (call) => {
    const folder = await mkdtemp(join(tmpdir(), 'nearcast-native-'));
    let native: NativeClient | undefined;
    try {
        const [video, audio] = [join(folder, 'native.ivf'), join(folder, 'native.ogg')];
        await Promise.all([makePicture(video, NATIVE.pattern, CLIP_SECONDS), makeTone(audio, NATIVE.hz, CLIP_SECONDS)]);
        const token = await call.edge.token(call.room, 'native');
        native = await NativeClient.join({ url: `ws://${call.edge.http}/v1/signal`, token, video, audio, record: folder });
        const { ms: connectedMs } = await native.sees('connected', () => true);

        // Ana comes to a picture that is in the middle of a clip, and publishes into a connection that stands.
        const ana = await call.enter('ana');
        await ana.publishPicture({ pattern: ANA.pattern });
        await ana.publishTone(ANA.hz);
        const [picture, tone] = [await ana.publicationOf('native', 'camera'), await ana.publicationOf('native', 'microphone')];
        const { sinceJoin } = await ana.firstFrame(picture);

        const seen = await shows(() => ana.measureVideo(picture, 5000), NATIVE.pattern);
        const margin = await hears(() => ana.measureAudio(tone, 2000, TONES), NATIVE.hz, TONES);
        call.figure(
            `Chromium decodes ${seen.decodedPerSecond.toFixed(1)} frames/s of the native client, ${seen.countersPerSecond.toFixed(1)} told apart; ` +
                `tone ${margin.toFixed(0)} dB above the other; first frame ${sinceJoin.toFixed(0)} ms after joining`,
        );

        for (const reliable of [true, false]) {
            const kind = reliable ? 'reliable' : 'lossy';
            native.send(`${kind} from native`, { reliable, topic: kind });
            await ana.sees({ type: 'data', from: 'native', text: `${kind} from native`, topic: kind, reliable });
            await ana.send(`${kind} from ana`, { reliable, topic: kind });
            await native.sees('data', (event) => event.from === 'ana' && event.text === `${kind} from ana` && event.reliable === reliable);
        }

        const report = await native.stop();
        await ana.sees({ type: 'participantleft', identity: 'native', reason: 'left' });
        const { probe_packets: probes = 0, packets_resent: resent = 0 } = (await call.edge.stats()).total.core;
        await recordedAna(report, probes + resent, call.figure.bind(call));
        assert.match(report.transport.srtp_cipher, /GCM/, 'AES-GCM was on offer');
        assert.equal(report.closed, null);
        const camera = report.published.find(({ source }) => source === 'camera');
        assert.ok(camera && camera.key_frames_asked > 0, `ana's first picture was not asked for: ${JSON.stringify(report.published)}`);
        for (const kind of ['sender_report', 'receiver_report', 'twcc']) assert.ok(report.rtcp.received[kind], `no ${kind}: ${JSON.stringify(report.rtcp)}`);
        call.figure(`native client: connected ${String(connectedMs)} ms after joining; ${JSON.stringify(report.timings)}; ${JSON.stringify(report.rtcp)}`);
    } finally {
        native?.kill();
        await rm(folder, { recursive: true, force: true });
    }
});

/** What the native client recorded of Chromium decodes without a complaint, and is Ana's picture and tone. */
async function recordedAna(report: NativeReport, again: number, figure: (line: string) => void): Promise<void> {
    const slots = Object.values(report.received);
    assert.equal(slots.length, 2, `one slot each for picture and sound: ${JSON.stringify(slots)}`);
    const of = (source: string): NativeSlot => {
        const slot = slots.find((it) => it.identity === 'ana' && it.source === source);
        assert.ok(slot, `no ${source} of ana: ${JSON.stringify(slots)}`);
        assert.equal(slot.lost, 0, `nothing is lost on one machine: ${JSON.stringify(slot)}`);
        return slot;
    };
    const [camera, microphone] = [of('camera'), of('microphone')];
    // The edge probes a path with packets that were sent already, on the repair stream, which is the picture's; others were late and asked for.
    assert.ok(camera.duplicates <= again, `no more come twice than the ${again} sent again: ${JSON.stringify(camera)}`);
    assert.equal(microphone.duplicates, 0, `nothing of the sound comes twice: ${JSON.stringify(microphone)}`);
    const video = await readPicture(camera.file, camera.last_packet_ms - camera.first_frame_ms);
    showsPattern(video, ANA.pattern);
    const margin = carriesTone(await readTone(microphone.file, TONES), ANA.hz, TONES);
    figure(
        `the native client got ${video.frames} frames of Chromium, ${video.countersPerSecond.toFixed(1)}/s told apart, ${video.unreadable} unreadable, ` +
            `${camera.key_frames} key frames; tone ${margin.toFixed(0)} dB above the other`,
    );
}
