//! VP8 payload descriptor. Source: RFC 7741 §4.2, §4.3.

use super::reader::Reader;
use super::{PictureId, Resolution};

#[cfg(test)]
mod tests;

/// The descriptor in front of every VP8 payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vp8Descriptor {
    /// No other frame refers to this one: it may be dropped.
    pub non_reference: bool,
    /// The packet begins a partition.
    pub start_of_partition: bool,
    /// Index of the partition the packet begins in; 0 holds the frame header.
    pub partition: u8,
    /// Number of the frame.
    pub picture_id: Option<PictureId>,
    /// Running number of the base temporal layer's frames.
    pub tl0_pic_idx: Option<u8>,
    /// Temporal layer, 0..=3.
    pub tid: Option<u8>,
    /// The frame refers to the base layer only: a subscriber may switch up to its layer here.
    pub layer_sync: bool,
    /// Temporal key frame index, 0..=31.
    pub key_idx: Option<u8>,
    /// Bytes of the descriptor: where the VP8 payload header starts.
    pub header_len: usize,
}

impl Vp8Descriptor {
    /// Reads the descriptor at the front of `payload`; `None` if it is cut short.
    #[inline]
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let flags = reader.u8()?;
        let extensions = if flags & 0x80 == 0 { 0 } else { reader.u8()? };
        let picture_id = if extensions & 0x80 == 0 { None } else { Some(PictureId::read(&mut reader)?) };
        let tl0_pic_idx = if extensions & 0x40 == 0 { None } else { Some(reader.u8()?) };
        let layer = if extensions & 0x30 == 0 { 0 } else { reader.u8()? };
        let has_tid = extensions & 0x20 != 0;
        Some(Self {
            non_reference: flags & 0x20 != 0,
            start_of_partition: flags & 0x10 != 0,
            partition: flags & 0x07,
            picture_id,
            tl0_pic_idx,
            tid: has_tid.then_some(layer >> 6),
            layer_sync: has_tid && layer & 0x20 != 0,
            key_idx: (extensions & 0x10 != 0).then_some(layer & 0x1f),
            header_len: reader.taken(),
        })
    }

    /// Writes other numbers into the descriptor of `payload`, from which this one was parsed. Those that it does not
    /// have stay away, and a 7-bit picture id stays one: the low bits of `picture_id` are written.
    #[inline]
    pub fn rewrite(&self, payload: &mut [u8], picture_id: u16, tl0_pic_idx: u8) {
        let Some((_, rest)) = payload.split_first_chunk_mut::<2>() else { return };
        let [high, low] = picture_id.to_be_bytes();
        let rest = match (self.picture_id, rest) {
            (None, rest) => rest,
            (Some(PictureId { long: false, .. }), [id, rest @ ..]) => {
                *id = low & 0x7f;
                rest
            }
            (Some(PictureId { long: true, .. }), [id_high, id_low, rest @ ..]) => {
                (*id_high, *id_low) = (high | 0x80, low);
                rest
            }
            _ => return,
        };
        if let (Some(_), Some(tl0)) = (self.tl0_pic_idx, rest.first_mut()) {
            *tl0 = tl0_pic_idx;
        }
    }
}

/// Whether the packet is the first of a key frame: it begins partition 0, whose header has the inverse key frame bit clear.
#[inline]
#[must_use]
pub fn is_keyframe(payload: &[u8]) -> bool {
    let Some(descriptor) = Vp8Descriptor::parse(payload) else { return false };
    let frame_header = payload.get(descriptor.header_len);
    descriptor.start_of_partition && descriptor.partition == 0 && frame_header.is_some_and(|header| header & 1 == 0)
}

/// Size of the key frame that begins with this packet (RFC 6386 §9.1).
#[must_use]
pub fn key_frame_size(payload: &[u8]) -> Option<Resolution> {
    let descriptor = Vp8Descriptor::parse(payload).filter(|_| is_keyframe(payload))?;
    // Three bytes of frame tag, three of start code, then 14 bits each of width and height with two of scale above them.
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *payload.get(descriptor.header_len..)?.first_chunk()? else { return None };
    let side = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
    Some(Resolution { width: side(w0, w1), height: side(h0, h1) })
}
