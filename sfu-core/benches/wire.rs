//! What one packet costs in the wire modules: `cargo bench -p sfu-core --bench wire`.
//!
//! Prints nanoseconds per call, the median of several rounds. Absolute times say little on a shared machine: compare
//! rows of one run. Plain AES-GCM without any framing is the floor to compare sealing with.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that measures failures should stop instead")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sfu_core::codec::vp8::Vp8Descriptor;
use sfu_core::codec::{Codec, is_keyframe};
use sfu_core::rtcp::{CompoundWriter, RtcpPacket, TwccRecorder, packets};
use sfu_core::rtp::{EgressHeader, ExtensionKind, ExtensionMap, RtpHeader, classify};
use sfu_core::srtp::{MasterKey, SrtpProfile, SrtpReceiver, SrtpSender};

const PACKET_LEN: usize = 1200;
const ROUNDS: usize = 15;
const CALLS: u32 = 20_000;
const SSRC: u32 = 0x1234_5678;

/// Runs `call` with a rising number, prints its median cost.
fn measure(name: &str, mut call: impl FnMut(u64)) {
    let mut number = 0;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                call(number);
                number += 1;
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name:<46} {:>8.1} ns", rounds[ROUNDS / 2]);
}

fn header(index: u64) -> EgressHeader {
    EgressHeader { marker: false, payload_type: 96, seq: (index & 0xffff) as u16, timestamp: 90_000, ssrc: SSRC }
}

fn main() {
    rtp();
    codec();
    twcc();
    aead_floor();
    for profile in SrtpProfile::ALL {
        srtp(profile);
    }
}

fn rtp() {
    let mut map = ExtensionMap::default();
    for (id, kind) in (1..).zip(ExtensionKind::ALL) {
        map.insert(id, kind).unwrap();
    }
    let mut packet = [0u8; PACKET_LEN];
    let elements: [(u8, &[u8]); 4] = [(1, b"0"), (4, &[1, 2]), (6, &[1, 2, 3]), (9, &[0x80, 0, 1])];
    header(1).write(&elements, &mut packet).unwrap();
    measure("rtp: classify, parse header", |_| {
        let packet = black_box(&packet[..]);
        black_box(classify(packet));
        black_box(RtpHeader::parse(packet).unwrap());
    });
    measure("rtp: parse header and 4 extensions", |_| {
        let packet = black_box(&packet[..]);
        let header = RtpHeader::parse(packet).unwrap();
        black_box(header.extensions(packet, &map));
        black_box(header.payload_range(packet).unwrap());
    });
    measure("rtp: write header and 4 extensions", |n| {
        black_box(header(n).write(black_box(&elements), &mut packet).unwrap());
    });
    let payload = [7u8; PACKET_LEN];
    measure("rtp: write header, 4 extensions, copy payload", |n| {
        let at = header(n).write(black_box(&elements), &mut packet).unwrap();
        packet[at..].copy_from_slice(black_box(&payload[at..]));
        black_box(&packet);
    });
}

fn codec() {
    // Descriptor with a 15-bit picture id, layers, and a frame header behind it.
    let mut payload = [0x90, 0xe0, 0x92, 0x34, 0x56, 0xa0, 0x50, 0x42, 0x00];
    measure("codec: VP8 key frame test", |_| {
        black_box(is_keyframe(Codec::Vp8, black_box(&payload)));
    });
    measure("codec: VP8 descriptor parse and rewrite", |n| {
        let descriptor = Vp8Descriptor::parse(black_box(&payload)).unwrap();
        descriptor.rewrite(black_box(&mut payload), (n & 0x7fff) as u16, 7);
    });
}

fn twcc() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    measure("twcc: record a packet", |n| {
        recorder.on_packet((n & 0xffff) as u16, start + Duration::from_micros(n * 1000));
    });
    let mut out = [0; 1200];
    let (mut recorder, mut len) = (TwccRecorder::new(), 0);
    measure("twcc: record 100 packets and write feedback", |n| {
        for packet in n * 100..n * 100 + 100 {
            recorder.on_packet((packet & 0xffff) as u16, start + Duration::from_micros(packet * 1000));
        }
        let mut compound = CompoundWriter::new(&mut out);
        recorder.build_feedback(1, 2, &mut compound).unwrap();
        len = black_box(compound.written()).len();
    });
    measure("twcc: read feedback on 100 packets", |_| {
        let mut arrived = 0;
        for packet in packets(black_box(&out[..len])).flatten() {
            if let RtcpPacket::TransportFeedback(feedback) = packet {
                arrived += feedback.arrivals().filter(|status| status.arrival_us.is_some()).count();
            }
        }
        black_box(arrived);
    });
}

fn aead_floor() {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).unwrap());
    let mut packet = [7u8; PACKET_LEN];
    measure("floor: AES-128-GCM, 12 B + 1188 B", |n| {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&n.to_be_bytes());
        let (aad, payload) = packet.split_at_mut(12);
        let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), payload).unwrap();
        black_box(tag.as_ref());
    });
}

fn srtp(profile: SrtpProfile) {
    let material: Vec<u8> = (0..64).collect();
    let master = MasterKey::new(profile, &material[..profile.key_len()], &material[..profile.salt_len()]).unwrap();
    let (sender, mut receiver) = (SrtpSender::new(&master).unwrap(), SrtpReceiver::new(&master).unwrap());
    let mut packet = vec![7u8; PACKET_LEN + profile.rtp_overhead()];
    let name = profile.name();
    measure(&format!("{name}: seal"), |n| {
        header(n).write(&[], &mut packet).unwrap();
        black_box(sender.protect_rtp(&mut packet, PACKET_LEN, 12, n).unwrap());
    });
    // A packet opens once only, so each call has its own, cold in the cache as received ones are.
    let mut sealed: Vec<Vec<u8>> = (0..u64::from(CALLS) * ROUNDS as u64)
        .map(|n| {
            header(n).write(&[], &mut packet).unwrap();
            packet[12..].fill(7);
            sender.protect_rtp(&mut packet, PACKET_LEN, 12, n).unwrap();
            packet.clone()
        })
        .collect();
    measure(&format!("{name}: parse and open"), |n| {
        let packet = &mut sealed[n as usize][..];
        let header = RtpHeader::parse(packet).unwrap();
        black_box(receiver.unprotect_rtp(packet, &header).unwrap());
    });
}
