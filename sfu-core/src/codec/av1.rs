//! AV1 payloads: aggregation header and OBU elements. Source: RTP Payload Format For AV1 (AOMedia) §4.4, §4.5; AV1
//! bitstream specification §5.3.2.

use super::reader::Reader;

#[cfg(test)]
mod tests;

/// OBU type of a sequence header (AV1 bitstream specification §6.2.2).
const SEQUENCE_HEADER: u8 = 1;
/// OBU type of a temporal delimiter, which should not be sent but is tolerated.
const TEMPORAL_DELIMITER: u8 = 2;

/// The first byte of every AV1 payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AggregationHeader {
    /// Z: the first element continues an OBU of the packet before.
    pub continues: bool,
    /// Y: the last element goes on in the next packet.
    pub is_continued: bool,
    /// W: number of elements, 1..=3; 0 means that each has a length in front.
    pub element_count: u8,
    /// N: the packet begins a coded video sequence.
    pub starts_sequence: bool,
}

impl AggregationHeader {
    /// Reads the header; `None` if `payload` is empty.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        payload.first().map(|header| Self {
            continues: header & 0x80 != 0,
            is_continued: header & 0x40 != 0,
            element_count: (header >> 4) & 0x03,
            starts_sequence: header & 0x08 != 0,
        })
    }
}

/// The OBU elements of a packet, whole or fragments, in order; ends at one that does not fit.
pub fn elements(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let counted = AggregationHeader::parse(payload).map_or(0, |header| header.element_count);
    let mut rest = payload.get(1..).unwrap_or_default();
    let mut index = 0u8;
    std::iter::from_fn(move || {
        index = index.saturating_add(1);
        if rest.is_empty() || (counted > 0 && index > counted) {
            return None;
        }
        if index == counted {
            return Some(std::mem::take(&mut rest));
        }
        let mut reader = Reader::new(rest);
        let len = leb128(&mut reader)?;
        let (element, after) = reader.rest().split_at_checked(len)?;
        rest = after;
        Some(element)
    })
}

/// Whether the packet is the first of a coded video sequence, which begins with a key frame: by its N bit, or, for senders that
/// do not set it, by a sequence header in front.
#[inline]
#[must_use]
pub fn is_keyframe(payload: &[u8]) -> bool {
    match AggregationHeader::parse(payload) {
        None | Some(AggregationHeader { continues: true, .. }) => false,
        Some(AggregationHeader { starts_sequence: true, .. }) => true,
        Some(_) => {
            let first = elements(payload).filter_map(obu_type).find(|kind| *kind != TEMPORAL_DELIMITER);
            first == Some(SEQUENCE_HEADER)
        }
    }
}

/// Type in the OBU header that an element begins with; meaningless for a continued fragment.
fn obu_type(element: &[u8]) -> Option<u8> {
    element.first().map(|header| (header >> 3) & 0x0f)
}

/// A length in base 128, least significant digit first; `None` past what a packet could hold.
fn leb128(reader: &mut Reader<'_>) -> Option<usize> {
    let mut value = 0usize;
    for shift in [0, 7, 14] {
        let byte = reader.u8()?;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
