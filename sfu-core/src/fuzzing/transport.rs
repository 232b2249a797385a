//! STUN, DTLS and SCTP of one transport.

use super::Plan;
use crate::data_channel::{Channel, DataChannels};
use crate::dtls::{Certificate, Clientele, DtlsEvent, DtlsRole, DtlsTransport};
use crate::ice::{IceLite, hmac_sha1};
use crate::remote::Remote;
use crate::sdp::{Fingerprint, IceCredentials};
use is::stun::{StunMessage, TransId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Most SCTP that one packet may be answered with: an INIT's cookie, a window of acknowledgements, what was queued.
const MOST_ANSWERS: usize = 64;

/// A datagram that may be a check, as an ICE-lite agent takes it. What isn't authentic is not answered and changes nothing.
pub fn check(bytes: &[u8]) {
    let from = Remote::from(SocketAddr::from(([192, 0, 2, 1], 1)));
    let (ours, password) = ("00edge", "edge-password-of-22-chars");
    let agent = || IceLite::new(IceCredentials { ufrag: ours.into(), pwd: password.into() }, "browser".into());
    let _shard = crate::steer(bytes);
    let mut response = [0; 256];
    if let Ok(message) = StunMessage::parse(bytes) {
        let mut agent = agent();
        let answered = agent.handle_check(Instant::now(), from, &message, &mut response);
        assert_eq!(answered.is_some(), agent.last_check().is_some());
        if let Some((_, length)) = answered {
            assert!(length <= bytes.len() + 64, "an answer must not be much larger than what asked for it");
        } else {
            assert!(agent.nominated().is_none(), "what isn't authentic nominates nothing");
        }
    }
    // And an authentic one with one byte changed: unless that byte is no part of what is authenticated, it is nobody's.
    let mut plan = Plan::new(bytes);
    let (place, flip) = (plan.word(), plan.byte().unwrap_or(0));
    let mut buffer = [0; 300];
    let request = StunMessage::binding_request("00edge:browser", TransId::new(), true, 7, 100, true);
    let Ok(length) = request.to_bytes(Some(password.as_bytes()), &mut buffer, hmac_sha1) else { return };
    let Some(signed) = buffer.get_mut(..length) else { return };
    if let Some(byte) = signed.get_mut(usize::from(place)) {
        *byte ^= flip;
    }
    if let Ok(message) = StunMessage::parse(signed) {
        let _answered = agent().handle_check(Instant::now(), from, &message, &mut response);
    }
}

/// One certificate for all: making one takes longer than anything that is looked at here.
fn certificate() -> Option<Certificate> {
    thread_local! {
        static CERTIFICATE: Option<Certificate> = Certificate::generate().ok();
    }
    CERTIFICATE.with(Clone::clone)
}

/// Datagrams of a DTLS client, as our server takes them in a handshake with `foreign` clients or with ours.
pub fn handshake(bytes: &[u8], foreign: bool) {
    let Some(certificate) = certificate() else { return };
    let mut now = Instant::now();
    let clientele = if foreign { Clientele::Foreign } else { Clientele::Ours };
    let mut server = DtlsTransport::new(&certificate, Fingerprint([7; 32]), clientele, DtlsRole::Server, now);
    let mut plan = Plan::new(bytes);
    while let Some(step) = plan.byte() {
        let datagram = plan.chunk(1_500);
        server.handle_datagram(now, datagram);
        let mut answers: usize = 0;
        while let Some(answer) = server.poll_transmit() {
            answers = answers.saturating_add(answer.len());
        }
        // RFC 9147 §5.1 sets a factor of three for clients whose address isn't known; here it is. A flight, and no more.
        assert!(answers <= 16 * 1024, "{answers} bytes for {}", datagram.len());
        while let Some(event) = server.poll_event() {
            assert!(matches!(event, DtlsEvent::Closed(_)), "nobody has the certificate that is expected");
        }
        now += Duration::from_millis(u64::from(step));
        server.handle_timeout(now);
    }
    assert!(!server.is_connected());
}

/// Decrypted SCTP packets, as the data channels take them.
pub fn associations(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let mut now = Instant::now();
    let mut channels = DataChannels::new();
    while let Some(step) = plan.byte() {
        let mut packet = plan.chunk(1_500).to_vec();
        if step & 1 == 0 {
            with_checksum(&mut packet);
        }
        channels.handle_packet(now, packet);
        if step & 2 != 0 {
            let _sent = channels.send(now, Channel::Reliable, &[7; 100]);
        }
        let mut answers = 0;
        while channels.poll_transmit().is_some() {
            answers += 1;
        }
        assert!(answers <= MOST_ANSWERS, "{answers} packets for one");
        while let Some((_, message)) = channels.poll_received(now) {
            assert!(message.len() <= crate::data_channel::MAX_MESSAGE);
            self::channels(&message);
        }
        now += Duration::from_millis(u64::from(step) * 4);
        channels.handle_timeout(now);
    }
}

/// One message of a data channel.
pub fn channels(bytes: &[u8]) {
    let Some(frame) = crate::data_channel::parse(bytes) else { return };
    use nearcast_protocol::wire::Cbor;
    let again = nearcast_protocol::DataFrame::from_cbor(&frame.to_cbor());
    assert_eq!(again.as_ref().ok(), Some(&frame), "what was read is what would be written");
}

/// Writes the checksum that SCTP demands (RFC 9260 §6.8), or every packet would be dropped at the door.
fn with_checksum(packet: &mut [u8]) {
    let Some(place) = packet.get_mut(8..12) else { return };
    place.fill(0);
    let mut crc = u32::MAX;
    for byte in &*packet {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    if let Some(place) = packet.get_mut(8..12) {
        place.copy_from_slice(&(!crc).to_le_bytes());
    }
}
