// Devices that go away in mid-call, and permissions that are taken back: what is published goes on, or ends with the reason.

import assert from 'node:assert/strict';
import { callTest, type Person } from './harness/call.ts';
import { until } from './harness/wait.ts';

/** As a person does it in the browser's settings. The session stays open: with it, what it has set would go. */
async function permit(person: Person, name: 'camera' | 'microphone', setting: 'granted' | 'denied'): Promise<void> {
    const cdp = await person.browser.target().createCDPSession();
    const { id: browserContextId } = person.tab.page.browserContext();
    const { origin } = new URL(person.tab.page.url());
    await cdp.send('Browser.setPermission', { permission: { name }, setting, origin, ...(browserContextId && { browserContextId }) });
}

callTest('a microphone that is unplugged gives way to the default one, and is heard', { timeoutMs: 120_000 }, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    await permit(ana, 'microphone', 'granted');
    const voice = await ana.publishMicrophone();
    const other = (await ana.devices('audioinput')).find((id) => id !== 'default');
    assert.ok(other, 'Chromium has several fake microphones');
    await ana.switchDevice(voice, other);
    assert.equal(await ana.deviceOf(voice), other);
    await ana.unplug(voice);
    await ana.sees({ type: 'devicereplaced', publication: voice });
    assert.equal(await ana.deviceOf(voice), 'default');
    // The fake microphone beeps now and then: one beep is enough.
    await until('a beep of the default microphone', () => ben.measureAudio(voice, 200, []), ({ loudestHz }) => loudestHz > 0);
});

callTest('a camera that is unplugged is unpublished with the reason', { timeoutMs: 120_000 }, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    await permit(ana, 'camera', 'granted');
    const camera = await ana.publishCamera();
    await ben.sees({ type: 'tracksubscribed', publication: camera });
    await ana.unplug(camera);
    const { error } = await ana.sees({ type: 'localunpublished', publication: camera });
    assert.match(error ?? '', /^device-not-found: /);
    await ben.sees({ type: 'publicationremoved', publication: camera });
});

callTest('a permission that is taken back ends the publication with the reason, and asks for nothing', { timeoutMs: 120_000 }, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    await permit(ana, 'microphone', 'granted');
    const voice = await ana.publishMicrophone();
    await ben.sees({ type: 'tracksubscribed', publication: voice });
    await permit(ana, 'microphone', 'denied');
    const { error } = await ana.sees({ type: 'localunpublished', publication: voice });
    assert.match(error ?? '', /^device-permission-denied: /);
    await ben.sees({ type: 'publicationremoved', publication: voice });
});
