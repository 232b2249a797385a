//! Properties of a sender and a receiver that hold the same keys, and of everybody else, in every profile.

mod bounds;
mod hostile;
mod libsrtp;
mod order;

use super::{MasterKey, SrtpError, SrtpProfile, SrtpReceiver, SrtpSender, Unprotected};
use crate::rtp::{EgressHeader, RtpHeader};

const SSRC: u32 = 0x1234_5678;

fn master(profile: SrtpProfile, seed: u8) -> MasterKey {
    let bytes: Vec<u8> = (seed..).take(64).collect();
    MasterKey::new(profile, &bytes[..profile.key_len()], &bytes[40..40 + profile.salt_len()]).unwrap()
}

fn pair(profile: SrtpProfile) -> (SrtpSender, SrtpReceiver) {
    let master = master(profile, 7);
    (SrtpSender::new(&master).unwrap(), SrtpReceiver::new(&master).unwrap())
}

/// An RTP packet, with an extension, that says its index in its payload.
fn plain(ssrc: u32, index: u64) -> (Vec<u8>, usize) {
    let header = EgressHeader { marker: false, payload_type: 96, seq: (index & 0xffff) as u16, timestamp: 3000, ssrc };
    let mut packet = vec![0; 64];
    let header_len = header.write(&[(3, &index.to_be_bytes()[6..])], &mut packet).unwrap();
    packet.truncate(header_len);
    packet.extend_from_slice(&index.to_be_bytes());
    (packet, header_len)
}

fn sealed(sender: &SrtpSender, ssrc: u32, index: u64) -> Vec<u8> {
    let (mut packet, header_len) = plain(ssrc, index);
    let len = packet.len();
    packet.resize(len + sender.profile().rtp_overhead(), 0xee);
    let sealed_len = sender.protect_rtp(&mut packet, len, header_len, index).unwrap();
    assert_eq!(sealed_len, packet.len());
    packet
}

fn open(receiver: &mut SrtpReceiver, packet: &[u8]) -> Result<(Vec<u8>, u64), SrtpError> {
    let mut packet = packet.to_vec();
    let header = RtpHeader::parse(&packet).unwrap();
    let Unprotected { len, index } = receiver.unprotect_rtp(&mut packet, &header)?;
    packet.truncate(len);
    Ok((packet, index))
}

/// Sends and opens one packet; checks that it came through as it was.
fn pass(sender: &SrtpSender, receiver: &mut SrtpReceiver, index: u64) {
    let (opened, opened_index) = open(receiver, &sealed(sender, SSRC, index)).unwrap();
    assert_eq!((opened, opened_index), (plain(SSRC, index).0, index));
}

/// A receiver report about nobody, from `ssrc`.
fn report(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 1], &ssrc.to_be_bytes()[..]].concat()
}

fn sealed_report(sender: &mut SrtpSender, ssrc: u32) -> Vec<u8> {
    let mut packet = report(ssrc);
    let len = packet.len();
    packet.resize(len + sender.profile().rtcp_overhead(), 0xee);
    let sealed_len = sender.protect_rtcp(&mut packet, len).unwrap();
    assert_eq!(sealed_len, packet.len());
    packet
}

fn open_report(receiver: &mut SrtpReceiver, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut packet = packet.to_vec();
    let len = receiver.unprotect_rtcp(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}
