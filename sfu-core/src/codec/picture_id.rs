//! The picture number that VP8 and VP9 descriptors share.

use super::reader::Reader;

/// Number of a picture, in 7 or 15 bits (RFC 7741 §4.2, RFC 9628 §4.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PictureId {
    /// The number.
    pub value: u16,
    /// Whether it has 15 bits on the wire rather than 7.
    pub long: bool,
}

impl PictureId {
    #[inline]
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let first = reader.u8()?;
        if first & 0x80 == 0 {
            return Some(Self { value: u16::from(first), long: false });
        }
        let second = reader.u8()?;
        Some(Self { value: u16::from_be_bytes([first & 0x7f, second]), long: true })
    }
}
