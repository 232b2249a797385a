// Opening devices, with errors that help, and listing them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeStream, FakeTrack, load, settle, withGlobals } from './fakes.mjs';

const { cameraCapture, microphoneCapture, captureScreen } = await load('capture');
const { devices } = await load('devices');

class FakeDevices extends EventTarget {
  asked = [];
  list = [{ kind: 'videoinput', label: '' }, { kind: 'audioinput', label: '' }];

  async getUserMedia(constraints) {
    this.asked.push(constraints);
    if (this.refuse) throw this.refuse;
    this.given = new FakeStream([new FakeTrack(constraints.video ? 'video' : 'audio')]);
    this.list = this.list.map((device) => ({ ...device, label: device.kind }));
    return this.given;
  }

  async getDisplayMedia(constraints) {
    this.asked.push(constraints);
    if (this.refuse) throw this.refuse;
    return new FakeStream([new FakeTrack('video'), ...(constraints.audio ? [new FakeTrack('audio')] : [])]);
  }

  async enumerateDevices() {
    return this.list;
  }
}

function fake(t) {
  const mediaDevices = new FakeDevices();
  withGlobals(t, { navigator: { mediaDevices } });
  return mediaDevices;
}

test('a camera is asked for 720p at 30, and for what the caller wants', async (t) => {
  const source = fake(t);
  await cameraCapture({}).open();
  await cameraCapture({ width: 640, deviceId: 'a', facingMode: 'user' }).withDevice('b').open();
  assert.deepEqual(source.asked[0], { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } });
  assert.deepEqual(source.asked[1].video.deviceId, { exact: 'b' });
  assert.deepEqual([source.asked[1].video.width, source.asked[1].video.facingMode], [{ ideal: 640 }, { ideal: 'user' }]);
});

test('a microphone has its processing on unless told otherwise', async (t) => {
  const source = fake(t);
  await microphoneCapture({ noiseSuppression: false }).open();
  const { echoCancellation, noiseSuppression, autoGainControl } = source.asked[0].audio;
  assert.deepEqual([echoCancellation, noiseSuppression, autoGainControl], [true, false, true]);
});

test('refusals become DeviceErrors', async (t) => {
  const source = fake(t);
  source.refuse = new DOMException('no', 'NotAllowedError');
  await assert.rejects(cameraCapture({}).open(), { name: 'DeviceError', code: 'device-permission-denied', message: /^Camera: / });
  await assert.rejects(captureScreen({}), { code: 'screen-cancelled', retryable: true });
});

test('a page without secure context is told what it lacks', async (t) => {
  withGlobals(t, { navigator: {} });
  await assert.rejects(async () => cameraCapture({}).open(), { code: 'device-unsupported', message: /https/ });
  await assert.rejects(devices.list(), { code: 'device-unsupported' });
  devices.onChange(() => assert.fail('called'))();
});

test('a microphone that is gone is replaced by the default one, a camera by none', async (t) => {
  const source = fake(t);
  await (await microphoneCapture({ deviceId: 'gone', noiseSuppression: false }).replacement()).open();
  const { deviceId, noiseSuppression } = source.asked[0].audio;
  assert.deepEqual([deviceId, noiseSuppression], [undefined, false]);
  await assert.rejects(cameraCapture({ deviceId: 'gone' }).replacement(), { name: 'DeviceError', code: 'device-not-found' });
});

test('a permission that was taken back is no lost device, and nobody is asked again in mid-call', async (t) => {
  const source = fake(t);
  for (const state of ['denied', 'prompt']) {
    navigator.permissions = { query: async ({ name }) => ({ state: name === 'microphone' ? state : 'granted' }) };
    await assert.rejects(microphoneCapture({}).replacement(), { code: 'device-permission-denied' });
    await assert.rejects(cameraCapture({}).replacement(), { code: 'device-not-found' });
  }
  navigator.permissions = { query: async () => Promise.reject(new TypeError('no such permission')) };
  await microphoneCapture({}).replacement();
  assert.equal(source.asked.length, 0);
});

test('sound of a screen comes when wanted', async (t) => {
  fake(t);
  assert.equal((await captureScreen({})).audio, undefined);
  assert.equal((await captureScreen({ audio: true })).audio.kind, 'audio');
});

test('names of devices come with permission, asked for only when wanted, and the device is closed again', async (t) => {
  const source = fake(t);
  assert.deepEqual((await devices.list()).map(({ label }) => label), ['', '']);
  assert.equal(source.asked.length, 0);
  assert.deepEqual((await devices.list('videoinput', { askPermission: true })).map(({ label }) => label), ['videoinput']);
  assert.deepEqual(source.asked, [{ audio: false, video: true }]);
  assert.equal(source.given.getTracks()[0].readyState, 'ended');
  await devices.list(undefined, { askPermission: true });
  assert.equal(source.asked.length, 1, 'names are known');
});

test('a listener hears changes until it stops', async (t) => {
  const source = fake(t);
  const heard = [];
  const stop = devices.onChange((list) => heard.push(list.length));
  source.dispatchEvent(new Event('devicechange'));
  await settle();
  stop();
  source.dispatchEvent(new Event('devicechange'));
  await settle();
  assert.deepEqual(heard, [2]);
});
