// Writes what the browsers here say of a call into npm/test/fixtures/stats: `npx tsx capture-stats.ts`. Two readings, a second apart, of a
// connection that sends and receives sound and picture. No edge and no SDK take part; the tests of both halves read the files.

/// <reference lib="dom" />
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch, Tab, type Kind } from './harness/browser.ts';
import { servePages } from './harness/pages.ts';

const folder = fileURLToPath(new URL('../../npm/test/fixtures/stats/', import.meta.url));

/** Runs in the page. */
async function readings(): Promise<Record<string, unknown>[][]> {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
    const [ours, theirs] = [new RTCPeerConnection(), new RTCPeerConnection()];
    ours.onicecandidate = ({ candidate }) => void theirs.addIceCandidate(candidate ?? undefined);
    theirs.onicecandidate = ({ candidate }) => void ours.addIceCandidate(candidate ?? undefined);
    for (const pc of [ours, theirs]) {
        for (const track of media.getTracks()) pc.addTrack(track, media);
        pc.ontrack = ({ track }) => {
            const element = document.createElement(track.kind === 'video' ? 'video' : 'audio');
            Object.assign(element, { srcObject: new MediaStream([track]), autoplay: true, muted: true });
            document.body.append(element);
        };
    }
    await ours.setLocalDescription();
    await theirs.setRemoteDescription(ours.localDescription!);
    await theirs.setLocalDescription();
    await ours.setRemoteDescription(theirs.localDescription!);
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const read = async (): Promise<Record<string, unknown>[]> => {
        const all: Record<string, unknown>[] = [];
        // Certificates are long, and new in each call.
        (await ours.getStats()).forEach((report: { type: string }) => report.type !== 'certificate' && all.push({ ...report }));
        return all;
    };
    // Until rates have risen and both sides have reported.
    await pause(8000);
    const first = await read();
    await pause(1000);
    return [first, await read()];
}

const pages = await servePages(['loopback']);
for (const kind of ['chromium', 'firefox'] satisfies Kind[]) {
    const browser = await launch(kind);
    const tab = await Tab.open(browser, pages.url('loopback'));
    await tab.page.evaluate('globalThis.__name = (made) => made'); // tsx gives functions their names with it
    const [name = kind, version = ''] = (await browser.version()).replace('Headless', '').split('/');
    const dump = { browser: name, version, readings: await tab.page.evaluate(readings) };
    const file = `${kind}-${version.split('.')[0]}.json`;
    await writeFile(folder + file, `${JSON.stringify(dump, undefined, 1)}\n`);
    console.log(file);
    await browser.close();
}
await pages.close();
