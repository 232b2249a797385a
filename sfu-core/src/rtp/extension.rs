//! Reading header extensions: the raw elements (RFC 8285), and the known ones in a typed struct, in one pass.

use std::ops::RangeInclusive;

use super::{ExtensionKind, ExtensionMap};

#[cfg(test)]
mod tests;

/// "Defined by profile" value of the one-byte form (RFC 8285 §4.2).
pub(super) const ONE_BYTE_PROFILE: u16 = 0xbede;
/// The same of the two-byte form, whose low four bits are free for applications (RFC 8285 §4.3).
pub(super) const TWO_BYTE_PROFILE: u16 = 0x1000;
/// Ids of the one-byte form. Id 15, and id 0 with a length, end the processing of a block (RFC 8285 §4.2).
const ONE_BYTE_IDS: RangeInclusive<u8> = 1..=14;

/// Iterates over `(id, data)` of a header extension block. Stops at an element that does not fit its block.
///
/// Blocks of neither RFC 8285 form yield nothing.
#[derive(Clone, Debug)]
pub struct ExtensionElements<'a> {
    rest: &'a [u8],
    two_byte: bool,
}

impl<'a> ExtensionElements<'a> {
    pub(super) fn empty() -> Self {
        Self { rest: &[], two_byte: false }
    }

    pub(super) fn new(profile: u16, block: &'a [u8]) -> Self {
        let two_byte = profile & 0xfff0 == TWO_BYTE_PROFILE;
        let known = two_byte || profile == ONE_BYTE_PROFILE;
        Self { rest: if known { block } else { &[] }, two_byte }
    }
}

impl<'a> Iterator for ExtensionElements<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // An id of zero is a padding byte, in both forms.
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let (id, len, data) = match (self.two_byte, self.rest) {
            (true, &[id, len, ref data @ ..]) => (id, usize::from(len), data),
            (false, &[head, ref data @ ..]) if ONE_BYTE_IDS.contains(&(head >> 4)) => {
                (head >> 4, usize::from(head & 0x0f).saturating_add(1), data)
            }
            _ => (0, usize::MAX, self.rest), // longer than anything: ends below
        };
        let Some((data, rest)) = data.split_at_checked(len) else {
            self.rest = &[];
            return None;
        };
        self.rest = rest;
        Some((id, data))
    }
}

/// Client-to-mixer audio level (RFC 6464 §3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AudioLevel {
    /// The sender's own voice detection.
    pub voice: bool,
    /// Loudness in -dBov: 0 is the loudest possible, 127 is silence.
    pub level: u8,
}

/// The known extensions of one packet; `None` where absent or malformed. Slices point into the packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extensions<'a> {
    /// Media section id.
    pub mid: Option<&'a [u8]>,
    /// Stream id of the layer.
    pub rid: Option<&'a [u8]>,
    /// Stream id of the layer that this RTX stream repairs.
    pub repaired_rid: Option<&'a [u8]>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u16>,
    /// Loudness of this packet.
    pub audio_level: Option<AudioLevel>,
    /// Sender's clock in 2^-18 s, 24 bits, wraps every 64 s.
    pub abs_send_time: Option<u32>,
    /// Rotation byte: camera, flip and rotation bits as on the wire.
    pub video_orientation: Option<u8>,
    /// Playout delay limits, three bytes: two 12-bit numbers in units of 10 ms.
    pub playout_delay: Option<&'a [u8]>,
    /// Dependency descriptor, undecoded: what it means depends on the last template structure of the stream.
    pub dependency_descriptor: Option<&'a [u8]>,
    /// Video layers allocation, undecoded.
    pub video_layers_allocation: Option<&'a [u8]>,
    /// Absolute capture time, undecoded: 8 or 16 bytes.
    pub abs_capture_time: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    #[inline]
    pub(super) fn read(elements: ExtensionElements<'a>, map: &ExtensionMap) -> Self {
        let mut found = Self::default();
        for (id, data) in elements {
            let Some(kind) = map.kind_of(id) else { continue };
            match kind {
                ExtensionKind::Mid => found.mid = Some(data),
                ExtensionKind::Rid => found.rid = Some(data),
                ExtensionKind::RepairedRid => found.repaired_rid = Some(data),
                // Version 2 of the extension appends two bytes, a feedback request, to the number.
                ExtensionKind::TransportCc => found.transport_cc = data.first_chunk().map(|b| u16::from_be_bytes(*b)),
                ExtensionKind::AudioLevel => {
                    found.audio_level = data.first().map(|b| AudioLevel { voice: b & 0x80 != 0, level: b & 0x7f });
                }
                ExtensionKind::AbsSendTime => {
                    found.abs_send_time = data.first_chunk().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]));
                }
                ExtensionKind::VideoOrientation => found.video_orientation = data.first().copied(),
                ExtensionKind::PlayoutDelay => found.playout_delay = Some(data),
                ExtensionKind::DependencyDescriptor => found.dependency_descriptor = Some(data),
                ExtensionKind::VideoLayersAllocation => found.video_layers_allocation = Some(data),
                ExtensionKind::AbsCaptureTime => found.abs_capture_time = Some(data),
            }
        }
        found
    }
}
