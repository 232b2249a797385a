//! Opening what arrives, under keys that the sender has and under ones it hasn't.

use sfu_core::fuzzing::Plan;
use sfu_core::rtp::RtpHeader;
use sfu_core::srtp::{SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender};

/// Streams that one receiver keeps a window for, at most.
const MOST_SOURCES: usize = 16;

pub(crate) fn run(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let profiles = [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::Aes128CmSha1_80];
    let profile = profiles[usize::from(plan.byte().unwrap_or(0)) % 3];
    let keys = SrtpKeys::from_exporter(profile, &vec![7; profile.exporter_len()]).expect("the right length");
    let mut sender = SrtpSender::new(&keys.client).expect("keys");
    let mut receiver = SrtpReceiver::with_max_ssrcs(&keys.client, MOST_SOURCES).expect("keys");
    let mut opened = std::collections::HashSet::new();
    while let Some(kind) = plan.byte() {
        let chunk = plan.chunk(1_500);
        match kind % 4 {
            0 => {
                let mut packet = chunk.to_vec();
                if let Ok(header) = RtpHeader::parse(&packet) {
                    let forged = receiver.unprotect_rtp(&mut packet, &header);
                    assert!(forged.is_err(), "nobody can guess a tag");
                }
            }
            1 => assert!(receiver.unprotect_rtcp(&mut chunk.to_vec()).is_err(), "nobody can guess a tag"),
            2 => {
                // Authentic, at an index of the sender's choice.
                let index = u64::from(plan.long()) << (plan.byte().unwrap_or(0) % 17);
                let mut packet = vec![0x80, 96, (index >> 8) as u8, index as u8, 0, 0, 0, 1, 0, 0, 0, kind];
                packet.extend_from_slice(&chunk[..chunk.len().min(200)]);
                let length = packet.len();
                packet.resize(length + 64, 0);
                let Ok(sealed) = sender.protect_rtp(&mut packet, length, 12, index) else { continue };
                packet.truncate(sealed);
                let header = RtpHeader::parse(&packet).expect("a header");
                let Ok(inside) = receiver.unprotect_rtp(&mut packet, &header) else { continue };
                assert_eq!((inside.len, inside.index), (length, index));
                assert!(opened.insert((kind, index)), "a replay was let in");
            }
            _ => {
                let mut packet = vec![0x80, 201, 0, 1, 0, 0, 0, kind];
                packet.extend_from_slice(&chunk[..chunk.len().min(200)]);
                let length = packet.len();
                packet.resize(length + 64, 0);
                let Ok(sealed) = sender.protect_rtcp(&mut packet, length) else { continue };
                packet.truncate(sealed);
                let mut again = packet.clone();
                if receiver.unprotect_rtcp(&mut packet).is_ok() {
                    assert!(receiver.unprotect_rtcp(&mut again).is_err(), "a replay was let in");
                }
            }
        }
        let (media, control) = receiver.sources();
        assert!(media <= MOST_SOURCES && control <= MOST_SOURCES, "windows without end");
    }
}
