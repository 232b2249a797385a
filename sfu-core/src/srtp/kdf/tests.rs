//! Derived keys against RFC 3711 appendix B.3, exporter layout against RFC 5764 §4.2.

use super::*;
use crate::rtp::test_bytes::hex;

#[test]
fn rfc_3711_appendix_b_3_key_derivation() {
    let master =
        MasterKey::new(SrtpProfile::Aes128CmSha1_80, &hex("e1f97a0d3e018be0d64fa32c06de4139"), &hex("0ec675ad498afeebb6960b3aabe6"))
            .unwrap();
    let (rtp, _) = master.session_keys().unwrap();
    assert_eq!(rtp.key(), hex("c61e7a93744f39ee10734afe3ff7a087"));
    assert_eq!(rtp.salt, 0x30cb_bc08_863d_8c85_d49d_b34a_9ae1);
    assert_eq!(rtp.auth[..], hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
    // The RFC derives 94 bytes of it: the stream goes on past the key's 20.
    let mut long = [0; 94];
    master.derive(&master.prf().unwrap(), label::RTP_AUTH, &mut long).unwrap();
    assert_eq!(
        long[..],
        hex("cebe321f6ff7716b6fd4ab49af256a15 6d38baa48f0a0acf3c34e2359e6cdbce e049646c43d9327ad175578ef7227098 \
             6371c10c9a369ac2f94a8c5fbcdddc25 6d6e919a48b610ef17c2041e47403576 6b68642c59bbfc2f34db60dbdfb2")
    );
}

#[test]
fn a_gcm_salt_is_padded_below() {
    // Key 00..0f, salt 40..4b: session salt as libsrtp and webrtc-rs derive it.
    let key: Vec<u8> = (0..16).collect();
    let salt: Vec<u8> = (0x40..0x4c).collect();
    let (rtp, rtcp) = MasterKey::new(SrtpProfile::AeadAes128Gcm, &key, &salt).unwrap().session_keys().unwrap();
    assert_eq!(rtp.salt, 0x1fcd_5d56_1e66_dc49_ec1c_3ccb);
    assert_ne!(rtp.key(), rtcp.key());
    assert_ne!(rtp.salt, rtcp.salt);
}

#[test]
fn exported_material_is_two_keys_then_two_salts() {
    for profile in SrtpProfile::ALL {
        let material: Vec<u8> = (0..).take(profile.exporter_len()).collect();
        let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
        let keys = SrtpKeys::from_exporter(profile, &material).unwrap();
        assert_eq!(keys.client.key[..key_len], material[..key_len]);
        assert_eq!(keys.server.key[..key_len], material[key_len..2 * key_len]);
        assert_eq!(keys.client.salt, number(&material[2 * key_len..2 * key_len + salt_len]));
        assert_eq!(keys.server.salt, number(&material[2 * key_len + salt_len..]));
    }
}

#[test]
fn wrong_lengths_are_refused() {
    for profile in SrtpProfile::ALL {
        let material = vec![0; profile.exporter_len() + 1];
        for len in [0, 1, profile.exporter_len() - 1, profile.exporter_len() + 1] {
            assert_eq!(SrtpKeys::from_exporter(profile, &material[..len]).err(), Some(SrtpError::KeyLength), "{len} bytes");
        }
    }
}

#[test]
fn keys_are_not_printed() {
    let master = MasterKey::new(SrtpProfile::AeadAes128Gcm, &[0xab; 16], &[0xcd; 12]).unwrap();
    assert_eq!(format!("{master:?}"), "MasterKey { profile: AeadAes128Gcm, .. }");
}
