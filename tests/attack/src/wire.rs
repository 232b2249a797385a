//! Bytes that no honest client sends, and how fast they are thrown.

use aws_lc_rs::hmac;
use is::stun::{StunMessage, TransId};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// What was thrown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Thrown {
    /// Datagrams, messages or requests.
    pub count: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Thrown {
    /// One more.
    pub fn note(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
    }
}

impl std::ops::Add for Thrown {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { count: self.count + other.count, bytes: self.bytes + other.bytes }
    }
}

/// Between two looks at the clock.
const BATCH: u64 = 32;

/// Calls `throw` about `rate` times a second for `length`; it returns the bytes it sent. On a busy machine it is fewer times.
pub fn throw_at(rate: u64, length: Duration, mut throw: impl FnMut(u64) -> usize) -> Thrown {
    let (began, mut thrown) = (Instant::now(), Thrown::default());
    while began.elapsed() < length {
        for _ in 0..BATCH.min(rate) {
            let bytes = throw(thrown.count);
            thrown.note(bytes);
        }
        let due = Duration::from_secs_f64(thrown.count as f64 / rate as f64);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
    }
    thrown
}

/// Sends one datagram; what the kernel doesn't take is lost, as on a network.
pub fn send(socket: &UdpSocket, to: SocketAddr, datagram: &[u8]) -> usize {
    socket.send_to(datagram, to).unwrap_or(0)
}

/// A socket of a stranger.
#[must_use]
pub fn stranger() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
    socket.set_nonblocking(true).expect("a socket that doesn't wait");
    socket
}

/// Datagrams and bytes that have come to a socket.
#[must_use]
pub fn answers(socket: &UdpSocket) -> Thrown {
    let (mut buffer, mut came) = ([0; 2_048], Thrown::default());
    while let Ok(length) = socket.recv(&mut buffer) {
        came.note(length);
    }
    came
}

/// HMAC-SHA1 (RFC 8489 §14.5), by a library.
fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    hmac::sign(&key, &parts.concat()).as_ref().try_into().expect("20 bytes")
}

/// A connectivity check that nominates.
#[must_use]
pub fn check(local: &str, remote: &str, password: &str) -> Vec<u8> {
    let mut buffer = vec![0; 500];
    let message_name = format!("{local}:{remote}");
    let message = StunMessage::binding_request(&message_name, TransId::new(), true, 7, 100, true);
    let length = message.to_bytes(Some(password.as_bytes()), &mut buffer, hmac_sha1).expect("500 bytes are enough");
    buffer.truncate(length);
    buffer
}

/// A plain RTP packet, with the section's name in the MID extension if one is given.
#[must_use]
pub fn rtp(payload_type: u8, seq: u16, timestamp: u32, ssrc: u32, mid: Option<u8>, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80 | (u8::from(mid.is_some()) << 4), 0x80 | payload_type];
    packet.extend(seq.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    if let Some(digit) = mid {
        packet.extend([0xbe, 0xde, 0, 1, 0x10, digit, 0, 0]);
    }
    packet.extend(payload);
    packet
}

/// A VP8 packet that is a frame of its own (RFC 7741 §4.2).
#[must_use]
pub fn vp8(key: bool, picture: u16) -> Vec<u8> {
    let [high, low] = picture.to_be_bytes();
    vec![0x90, 0x80, 0x80 | high, low, u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 7, 7, 7]
}

/// An SCTP packet with its checksum (RFC 9260 §6.8).
#[must_use]
pub fn sctp(tag: u32, chunks: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x13, 0x88, 0x13, 0x88];
    packet.extend(tag.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(chunks);
    let mut crc = u32::MAX;
    for byte in &packet {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    packet[8..12].copy_from_slice(&(!crc).to_le_bytes());
    packet
}
