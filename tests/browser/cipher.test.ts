// Chromium ends up on AES-GCM, although it offers another cipher first.

import assert from 'node:assert/strict';
import { callTest } from './harness/call.ts';

callTest('media is sealed with AES-GCM', {}, async (call) => {
    const ana = await call.enter('ana');
    const ben = await call.enter('ben');
    await ben.firstFrame(await ana.publishPicture({ pattern: 0 }));
    for (const page of [ana, ben]) {
        const facts = await page.transport();
        call.figure(`${page.identity}: ${JSON.stringify(facts)}`);
        assert.match(facts.srtpCipher ?? 'unknown', /^(SRTP_)?AEAD_AES_(128|256)_GCM$/);
        assert.match(facts.tlsVersion ?? 'unknown', /^FEF[CD]$/i, 'DTLS 1.2 or 1.3');
    }
    const { core } = (await call.edge.stats()).total;
    assert.equal((core['srtp_aes128_gcm'] ?? 0) + (core['srtp_aes256_gcm'] ?? 0), 2, 'the edge counts both as AES-GCM');
    assert.equal(core['srtp_aes128_cm_sha1_80'], 0, 'and none as AES-CM');
});
