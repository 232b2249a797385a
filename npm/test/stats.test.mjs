// Browsers' reports become one flat object; rates are over the time between two calls.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './fakes.mjs';

const { StatsReader } = await load('stats');
const track = (id) => ({ mediaStreamTrack: { id } });
const camera = { id: 'pub', kind: 'video', mid: '8', participant: { id: 'me' }, track: track('local-cam') };
const microphone = { id: 'mic', kind: 'audio', mid: '0', participant: { id: 'ada' }, track: track('remote-mic') };

/** As Chromium 156 reports, shortened; `seconds` after the start. */
const chromium = (seconds) => new Map([
  ['T', { type: 'transport', bytesSent: 1000 * seconds, bytesReceived: 500 * seconds, selectedCandidatePairId: 'P', srtpCipher: 'SRTP_AEAD_AES_256_GCM', tlsVersion: 'FEFD' }],
  ['P', { type: 'candidate-pair', currentRoundTripTime: 0.012, availableOutgoingBitrate: 3e6, localCandidateId: 'L' }],
  ['L', { type: 'local-candidate', protocol: 'udp' }],
  ['C', { type: 'codec', mimeType: 'video/VP8' }],
  ['O', { type: 'outbound-rtp', kind: 'video', mid: '8', timestamp: 1000 * seconds, bytesSent: 125_000 * seconds, packetsSent: 100 * seconds, codecId: 'C', remoteId: 'R', frameWidth: 1280, frameHeight: 720, framesPerSecond: 30, framesEncoded: 30 * seconds, qualityLimitationReason: 'none' }],
  ['R', { type: 'remote-inbound-rtp', packetsLost: 3, fractionLost: 0.25, jitter: 0.002 }],
  ['I', { type: 'inbound-rtp', kind: 'audio', mid: '0', timestamp: 1000 * seconds, bytesReceived: 5000 * seconds, packetsReceived: 45 * seconds, packetsLost: 5 * seconds, jitter: 0.001 }],
]);

test('what Chromium says is flattened', () => {
  const reader = new StatsReader();
  reader.describe(chromium(1), [camera], [microphone]);
  assert.deepEqual(reader.describe(chromium(3), [camera], [microphone]), {
    rttMs: 12,
    availableOutgoingBitrate: 3e6,
    transport: { bytesSent: 3000, bytesReceived: 1500, protocol: 'udp', srtpCipher: 'SRTP_AEAD_AES_256_GCM', dtlsVersion: '1.2' },
    publications: [
      {
        publication: 'pub', participant: 'me', kind: 'video', codec: 'vp8', bitrate: 1_000_000, width: 1280, height: 720, framesPerSecond: 30,
        packetsLost: 3, lossRatio: 0.25, jitterMs: 2, framesEncoded: 90, qualityLimitationReason: 'none',
      },
    ],
    subscriptions: [{ publication: 'mic', participant: 'ada', kind: 'audio', bitrate: 40_000, packetsLost: 15, lossRatio: 0.1, jitterMs: 1 }],
  });
});

test('what goes directly is counted with the rest, by its section or by its track', () => {
  const reader = new StatsReader();
  const links = (seconds) => [
    [2, new Map([
      ['S', { type: 'media-source', trackIdentifier: 'local-cam' }],
      ['O', { type: 'outbound-rtp', kind: 'video', mid: '0', mediaSourceId: 'S', timestamp: 1000 * seconds, bytesSent: 250_000 * seconds, frameWidth: 1280, frameHeight: 720, framesPerSecond: 15 }],
    ])],
    [3, new Map([['I', { type: 'inbound-rtp', kind: 'audio', mid: '1', timestamp: 1000 * seconds, bytesReceived: 4000 * seconds }]])],
  ];
  const sound = { ...microphone, mid: '3001' };
  reader.describe(chromium(1), [camera], [sound], links(1));
  const { publications, subscriptions } = reader.describe(chromium(2), [camera], [sound], links(2));
  assert.equal(publications[0].bitrate, 3_000_000);
  assert.equal(publications[0].framesPerSecond, 15);
  assert.equal(subscriptions[0].bitrate, 32_000);
});

test('the first reading has no rates', () => {
  const [sent] = new StatsReader().describe(chromium(1), [camera], []).publications;
  assert.ok(!('bitrate' in sent));
});

test('Firefox, without a transport report, is understood too', () => {
  const firefox = new Map([
    ['P', { type: 'candidate-pair', nominated: true, state: 'succeeded', bytesSent: 7, bytesReceived: 9, currentRoundTripTime: 0.02 }],
    ['Q', { type: 'candidate-pair', nominated: false, state: 'failed' }],
    ['O', { type: 'outbound-rtp', kind: 'video', mid: '8', timestamp: 1000, bytesSent: 10 }],
    ['I', { type: 'inbound-rtp', kind: 'audio', mid: '0', timestamp: 1000, bytesReceived: 10, packetsReceived: 1, packetsLost: 0 }],
  ]);
  const stats = new StatsReader().describe(firefox, [camera], [microphone]);
  assert.deepEqual([stats.rttMs, stats.transport], [20, { bytesSent: 7, bytesReceived: 9 }]);
  assert.deepEqual([stats.publications.length, stats.subscriptions.length], [1, 1]);
});

test('layers of one publication add up, the largest gives the size', () => {
  const layers = new Map([
    ['A', { type: 'outbound-rtp', kind: 'video', mid: '8', timestamp: 1000, bytesSent: 100, frameWidth: 320, frameHeight: 180 }],
    ['B', { type: 'outbound-rtp', kind: 'video', mid: '8', timestamp: 1000, bytesSent: 900, frameWidth: 1280, frameHeight: 720 }],
  ]);
  const later = new Map([...layers].map(([id, report]) => [id, { ...report, timestamp: 2000, bytesSent: report.bytesSent * 2 }]));
  const reader = new StatsReader();
  reader.describe(layers, [camera], []);
  const [sent] = reader.describe(later, [camera], []).publications;
  assert.deepEqual([sent.bitrate, sent.height], [8000, 720]);
});

test('a publication without media yet is left out', () => {
  const stats = new StatsReader().describe(chromium(1), [], [{ ...microphone, mid: undefined }]);
  assert.deepEqual(stats.subscriptions, []);
});
