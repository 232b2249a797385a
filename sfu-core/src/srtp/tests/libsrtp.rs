//! Reference packets of libsrtp's test driver (cisco/libsrtp, `test/srtp_driver.c`): master key in, wire bytes out, so they
//! pin key derivation, transform and layout together. Its SRTCP counter starts at one.

use super::*;
use crate::rtp::test_bytes::hex;

const RTP: &str = "800f1234 decafbad cafebabe abababab abababab abababab abababab";
const RTCP: &str = "81c8000b cafebabe abababab abababab abababab abababab";

fn check(master: &MasterKey, srtp: &str, srtcp: &str) {
    let overhead = master.profile().rtp_overhead();
    let (mut sender, mut receiver) = (SrtpSender::new(master).unwrap(), SrtpReceiver::new(master).unwrap());
    let mut packet = hex(RTP);
    let len = packet.len();
    packet.resize(len + overhead, 0);
    sender.protect_rtp(&mut packet, len, 12, 0x1234).unwrap();
    assert_eq!(packet, hex(srtp));
    assert_eq!(open(&mut receiver, &packet), Ok((hex(RTP), 0x1234)));

    sealed_report(&mut sender, 1); // uses up index zero
    let mut packet = hex(RTCP);
    let len = packet.len();
    packet.resize(len + overhead + 4, 0);
    sender.protect_rtcp(&mut packet, len).unwrap();
    assert_eq!(packet, hex(srtcp));
    assert_eq!(open_report(&mut receiver, &packet), Ok(hex(RTCP)));
}

#[test]
fn aes_128_cm_sha1_80() {
    let (key, salt) = (hex("e1f97a0d3e018be0d64fa32c06de4139"), hex("0ec675ad498afeebb6960b3aabe6"));
    check(
        &MasterKey::new(SrtpProfile::Aes128CmSha1_80, &key, &salt).unwrap(),
        "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc99ea179b8dbb",
        "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd54d6c1230798",
    );
}

#[test]
fn aead_aes_128_gcm() {
    let (key, salt) = (hex("000102030405060708090a0b0c0d0e0f"), hex("a0a1a2a3a4a5a6a7a8a9aaab"));
    check(
        &MasterKey::new(SrtpProfile::AeadAes128Gcm, &key, &salt).unwrap(),
        "800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e d2976826f796b201df3131a127e8a392",
        "81c8000b cafebabe c98b8b5d f0392a55 852b6c21 ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001",
    );
}
