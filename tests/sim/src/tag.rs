//! What every media payload carries, so that a receiver can tell whose packet it is, which one, and when it was captured.

use std::time::Duration;

/// Bytes of a tag.
pub(crate) const TAG_LEN: usize = 26;

const MAGIC: [u8; 4] = *b"ncst";

/// The true identity of one packet.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag {
    /// Number of the client that sent it.
    pub client: u16,
    /// Number of the source within the client.
    pub source: u16,
    /// Number of the frame within the source.
    pub frame: u32,
    /// Number of the packet within the frame.
    pub part: u16,
    /// Packets of the frame.
    pub parts: u16,
    /// Which of the source's encodings, or of its spatial layers; 0 the smallest.
    pub encoding: u8,
    /// Temporal layer of the frame.
    pub temporal: u8,
    /// When it was captured, in virtual time since the world began; microseconds.
    pub captured: u64,
}

impl Tag {
    /// When it was captured, in virtual time since the world began.
    #[must_use]
    pub fn captured(&self) -> Duration {
        Duration::from_micros(self.captured)
    }

    pub(crate) fn bytes(&self) -> [u8; TAG_LEN] {
        let mut bytes = [0; TAG_LEN];
        let parts: [&[u8]; 8] = [
            &MAGIC,
            &self.client.to_be_bytes(),
            &self.source.to_be_bytes(),
            &self.frame.to_be_bytes(),
            &self.part.to_be_bytes(),
            &self.parts.to_be_bytes(),
            &[self.encoding, self.temporal],
            &self.captured.to_be_bytes(),
        ];
        bytes.copy_from_slice(&parts.concat());
        bytes
    }

    /// The tag at the beginning of `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(&MAGIC)?;
        let (client, bytes) = bytes.split_first_chunk()?;
        let (source, bytes) = bytes.split_first_chunk()?;
        let (frame, bytes) = bytes.split_first_chunk()?;
        let (part, bytes) = bytes.split_first_chunk()?;
        let (parts, bytes) = bytes.split_first_chunk()?;
        let (&[encoding, temporal], bytes) = bytes.split_first_chunk()?;
        let (captured, _) = bytes.split_first_chunk()?;
        Some(Self {
            client: u16::from_be_bytes(*client),
            source: u16::from_be_bytes(*source),
            frame: u32::from_be_bytes(*frame),
            part: u16::from_be_bytes(*part),
            parts: u16::from_be_bytes(*parts),
            encoding,
            temporal,
            captured: u64::from_be_bytes(*captured),
        })
    }
}
