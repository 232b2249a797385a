//! The RFCs' own packets, which start from session keys: RFC 3711 appendix B.2, RFC 7714 sections 16 and 17.

use super::*;
use crate::rtp::test_bytes::hex;

const KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
const KEY_256: &str = "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f";
/// "Quid pro quo".
const GCM_SALT: u128 = 0x5175_6964_2070_726f_2071_756f;

/// RFC 7714 §16: "Gallia est omnis divisa in partes tres".
const RTP: &str = "8040f17b 8041f8d3 5501a0b2 47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
const RTP_SSRC: u32 = 0x5501_a0b2;
const RTP_INDEX: u64 = 0xf17b;
/// RFC 7714 §17.1 (the preamble of §17 prints another packet, which its sections do not use).
const RTCP: &str = "81c8000d4d617273 4e5450314e545032525450200000042a 0000e9304c756e61 deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
const RTCP_SSRC: u32 = 0x4d61_7273;
const RTCP_INDEX: u32 = 0x5d4;

fn cipher(profile: SrtpProfile, key: &str, salt: u128) -> Cipher {
    let mut keys = SessionKeys { profile, key: [0; 32], auth: [0; 20], salt };
    let key = hex(key);
    keys.key[..key.len()].copy_from_slice(&key);
    Cipher::new(&keys).unwrap()
}

fn check_rtp(profile: SrtpProfile, key: &str, sealed: &str) {
    let cipher = cipher(profile, key, GCM_SALT);
    let mut packet = hex(RTP);
    packet.resize(packet.len() + 16, 0);
    cipher.seal_rtp(&mut packet, 12, RTP_SSRC, RTP_INDEX).unwrap();
    assert_eq!(packet, [hex("8040f17b 8041f8d3 5501a0b2"), hex(sealed)].concat());
    let len = cipher.open_rtp(&mut packet, 12, RTP_SSRC, RTP_INDEX).unwrap();
    assert_eq!(packet[..len], hex(RTP));
}

#[test]
fn rfc_7714_section_16_1_srtp_aes_128_gcm() {
    check_rtp(
        SrtpProfile::AeadAes128Gcm,
        KEY_128,
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833 899d7f27beb16a9152cf765ee4390cce",
    );
}

#[test]
fn rfc_7714_section_16_2_srtp_aes_256_gcm() {
    check_rtp(
        SrtpProfile::AeadAes256Gcm,
        KEY_256,
        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
}

fn check_rtcp(profile: SrtpProfile, key: &str, sealed: &str) {
    let cipher = cipher(profile, key, GCM_SALT);
    let mut packet = hex(RTCP);
    packet.resize(packet.len() + 20, 0);
    cipher.seal_rtcp(&mut packet, RTCP_SSRC, RTCP_INDEX).unwrap();
    assert_eq!(packet, [hex("81c8000d4d617273"), hex(sealed)].concat());
    assert_eq!(cipher.rtcp_index(&packet), Some(RTCP_INDEX));
    let len = cipher.open_rtcp(&mut packet, RTCP_SSRC, RTCP_INDEX).unwrap();
    assert_eq!(packet[..len], hex(RTCP));
}

#[test]
fn rfc_7714_section_17_1_srtcp_aes_128_gcm() {
    check_rtcp(
        SrtpProfile::AeadAes128Gcm,
        KEY_128,
        "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b \
         c84aa45896cf4d2fc5abf87245d9eade 800005d4",
    );
}

#[test]
fn rfc_7714_section_17_2_srtcp_aes_256_gcm() {
    check_rtcp(
        SrtpProfile::AeadAes256Gcm,
        KEY_256,
        "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad \
         1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
    );
}

fn check_tagged_rtcp(profile: SrtpProfile, key: &str, tag: &str) {
    let cipher = cipher(profile, key, GCM_SALT);
    let sealed = [hex(RTCP), hex(tag), hex("000005d4")].concat();
    let mut packet = sealed.clone();
    let len = cipher.open_rtcp(&mut packet, RTCP_SSRC, RTCP_INDEX).unwrap();
    assert_eq!(packet[..len], hex(RTCP));
    for place in [0, 8, 51, 52, 67] {
        let mut forged = sealed.clone();
        forged[place] ^= 1;
        assert_eq!(cipher.open_rtcp(&mut forged, RTCP_SSRC, RTCP_INDEX), Err(SrtpError::Authentication), "byte {place}");
    }
}

#[test]
fn rfc_7714_section_17_3_srtcp_aes_128_gcm_tagged_only() {
    check_tagged_rtcp(SrtpProfile::AeadAes128Gcm, KEY_128, "841dd9683dd78ec92ae58790125f62b3");
}

#[test]
fn rfc_7714_section_17_4_srtcp_aes_256_gcm_tagged_only() {
    check_tagged_rtcp(SrtpProfile::AeadAes256Gcm, KEY_256, "91db4afbfeee5a978fab4393ed2615fe");
}

#[test]
fn rfc_3711_appendix_b_2_aes_cm_keystream() {
    let cipher = cipher(SrtpProfile::Aes128CmSha1_80, "2b7e151628aed2a6abf7158809cf4f3c", 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd);
    // SSRC and index zero: sealed zeros are the key stream. The RFC prints its first three and its last three blocks.
    let blocks = 0xff02;
    let mut packet = vec![0; 12 + 16 * blocks + SHA1_80_TAG_LEN];
    cipher.seal_rtp(&mut packet, 12, 0, 0).unwrap();
    let stream = &packet[12..12 + 16 * blocks];
    assert_eq!(stream[..48], hex("e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab 41e95b3bb0a2e8dd477901e4fca894c0"));
    assert_eq!(
        stream[16 * 0xfeff..],
        hex("ec8cdf7398607cb0f2d21675ea9ea1e4 362b7c3c6773516318a077d7fc5073ae 6a2cc3787889374fbeb4c81b17ba6c44")
    );
}

#[test]
fn unencrypted_cm_reports_are_authenticated() {
    let cipher = cipher(SrtpProfile::Aes128CmSha1_80, KEY_128, 1);
    let Cipher::Cm(cm) = &cipher else { panic!("not CM") };
    let (plain, word) = (hex(RTCP), [0, 0, 0, 9]);
    let tag = cm.tag(&[&plain, &word]).unwrap();
    let mut packet = [&plain[..], &word, &tag].concat();
    assert_eq!(cipher.rtcp_index(&packet), Some(9));
    assert_eq!(cipher.open_rtcp(&mut packet, RTCP_SSRC, 9), Ok(plain.len()));
    assert_eq!(packet[..plain.len()], plain);
    packet[20] ^= 1;
    assert_eq!(cipher.open_rtcp(&mut packet, RTCP_SSRC, 9), Err(SrtpError::Authentication));
}
