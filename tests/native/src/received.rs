//! What arrived, slot by slot, in numbers that tests can wait for.

use crate::clip::Kind;
use nearcast_protocol::client::Source;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Slots by mid.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Received(pub BTreeMap<String, SlotFigures>);

impl Received {
    /// The slot that carries, or last carried, this source of this participant.
    #[must_use]
    pub fn of(&self, identity: &str, source: Source) -> Option<&SlotFigures> {
        self.0.values().find(|slot| slot.identity.as_deref() == Some(identity) && slot.source == Some(source))
    }

    pub(crate) fn slot(&mut self, mid: &str) -> &mut SlotFigures {
        self.0.entry(mid.to_owned()).or_default()
    }
}

/// What one slot carried since joining.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SlotFigures {
    /// Of what it carries, or carried last.
    pub publication: Option<String>,
    /// Whose publication that is.
    pub identity: Option<String>,
    /// What it shows or sounds like.
    pub source: Option<Source>,
    /// How many different publications it carried.
    pub publications: u32,
    /// What the track is.
    pub kind: Option<Kind>,
    /// RTP packets, each counted once.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Packets that came a second time.
    pub duplicates: u64,
    /// Packets that came after a later one: repaired or reordered.
    pub late: u64,
    /// Packets that never came, though many later ones did.
    pub lost: u64,
    /// Packets left out at the end because one before them was still missing.
    pub unfinished: u64,
    /// Whole frames, by their last packet.
    pub frames: u64,
    /// How many of them can be decoded without another (video).
    pub key_frames: u64,
    /// Of the latest key frame.
    pub width: u16,
    /// Of the latest key frame.
    pub height: u16,
    /// Requests for a key frame that were sent.
    pub key_frames_asked: u64,
    /// Milliseconds from `join` to the first packet.
    pub first_packet_ms: Option<f64>,
    /// Milliseconds from `join` to the last packet.
    pub last_packet_ms: Option<f64>,
    /// Milliseconds from `join` to the first frame that can be decoded.
    pub first_frame_ms: Option<f64>,
    /// Where it was recorded.
    pub file: Option<PathBuf>,
}
