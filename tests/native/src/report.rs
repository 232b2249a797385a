//! What a call came to, printed as the last line.

use crate::clip::Kind;
use crate::received::Received;
use nearcast_protocol::client::Source;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole call in figures. As JSON: one line, `event` is `report`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Our id in the room.
    pub participant: String,
    /// Milliseconds since `join` was called.
    pub timings: Timings,
    /// One for each track of ours.
    pub published: Vec<Published>,
    /// One for each slot that carried something.
    pub received: Received,
    /// What ICE, DTLS and SRTP came to, in the `webrtc` crate's words.
    pub transport: Transport,
    /// RTCP that went each way.
    pub rtcp: Rtcp,
    /// How the session ended, when it did before we left.
    pub closed: Option<String>,
}

/// Milliseconds from the call of `join` to…
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timings {
    /// …the open WebSocket.
    pub signalling: f64,
    /// …the offer, ready to be sent.
    pub offered: f64,
    /// …the answer.
    pub joined: f64,
    /// …the ICE pair that was nominated.
    pub ice_connected: Option<f64>,
    /// …the end of the DTLS handshake.
    pub connected: Option<f64>,
    /// …the reliable data channel.
    pub channel_open: Option<f64>,
}

/// One track of ours.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// Its section.
    pub mid: String,
    /// What the edge calls it.
    pub publication: String,
    /// What it shows or sounds like.
    pub source: Source,
    /// What it is.
    pub kind: Kind,
    /// Frames sent.
    pub frames: u64,
    /// How many of them were key frames (video).
    pub key_frames: u64,
    /// Requests for a key frame (PLI or FIR) that came from the edge.
    pub key_frames_asked: u64,
    /// Frames left out to get to a key frame at once.
    pub skipped: u64,
}

/// What the transport came to. Empty where the `webrtc` crate doesn't say.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Transport {
    /// Such as `AEAD_AES_128_GCM`.
    pub srtp_cipher: String,
    /// Of DTLS.
    pub dtls_cipher: String,
    /// Of DTLS, as hexadecimal digits.
    pub tls_version: String,
}

/// RTCP packets by kind (`nack`, `pli`, `fir`, `twcc`, `remb`, `sender_report`, `receiver_report`, `source_description`, `other`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rtcp {
    /// From the edge.
    pub received: BTreeMap<&'static str, u64>,
    /// To the edge.
    pub sent: BTreeMap<&'static str, u64>,
    /// Media packets sent again because the edge reported them lost.
    pub resent: u64,
}
