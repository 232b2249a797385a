//! Keeps picture numbers continuous when a slot's source changes, since decoders take a jump for loss: VP8's picture id, TL0 and key
//! frame index (RFC 7741 §4.2), VP9's picture id and TL0 (RFC 9628 §4.2), and the frame number of AV1's dependency descriptor.
//!
//! VP8's picture ids are closed up too where frames were left out: libwebrtc holds frames of the upper temporal layers back while an id
//! before them is missing. VP9's are not: references are counted in picture ids there, and receivers know from them which were left out.

use crate::codec::Codec;
use crate::codec::dependency_descriptor::frame_number;
use crate::layer::MAX_SPATIAL;
use crate::packet::MediaPacket;

/// How far numbers are shifted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct PictureShift {
    pub(super) id: u16,
    pub(super) tl0: u8,
    pub(super) key: u8,
    pub(super) frame: u16,
}

/// The numbers of one packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct PictureNumbers {
    pub(super) id: Option<u16>,
    pub(super) tl0: Option<u8>,
    pub(super) key: Option<u8>,
    pub(super) frame: Option<u16>,
}

/// Picture ids have 15 bits on the wire, or 7 where the publisher uses the short form, which is kept.
const LONG_MASK: u16 = 0x7fff;
const SHORT_MASK: u16 = 0x7f;

/// From the last frame number to the first of another source: the other layers of the last picture may still come late. Receivers look
/// at distances between frames that refer to each other only.
const FRAME_GAP: u16 = MAX_SPATIAL as u16;

/// The key frame index has five bits; the rest of its byte is the temporal layer.
const KEY_MASK: u8 = 0x1f;

impl PictureNumbers {
    /// The shift that makes a picture numbered `next` the one after this.
    pub(super) fn shift_to(self, next: Self) -> PictureShift {
        let difference = |last: u8, next: u8| last.wrapping_add(1).wrapping_sub(next);
        PictureShift {
            id: self.id.zip(next.id).map_or(0, |(last, next)| last.wrapping_add(1).wrapping_sub(next)),
            tl0: self.tl0.zip(next.tl0).map_or(0, |(last, next)| difference(last, next)),
            key: self.key.zip(next.key).map_or(0, |(last, next)| difference(last, next)),
            frame: self.frame.zip(next.frame).map_or(0, |(last, next)| last.wrapping_add(FRAME_GAP).wrapping_sub(next)),
        }
    }

    /// These numbers, and those of `older` that this picture doesn't have.
    pub(super) fn or(self, older: Self) -> Self {
        let (id, tl0, key) = (self.id.or(older.id), self.tl0.or(older.tl0), self.key.or(older.key));
        Self { id, tl0, key, frame: self.frame.or(older.frame) }
    }
}

/// Where the numbers stand in a payload.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    id: Option<(usize, bool)>,
    tl0: Option<usize>,
    key: Option<usize>,
}

impl Places {
    fn of(codec: Codec, payload: &[u8]) -> Option<Self> {
        match codec {
            Codec::Vp8 => Self::vp8(payload),
            Codec::Vp9 => Self::vp9(payload),
            Codec::H264 | Codec::Av1 | Codec::Opus | Codec::Red => None,
        }
    }

    fn vp8(payload: &[u8]) -> Option<Self> {
        let extensions = payload.get(1).filter(|_| payload.first().is_some_and(|flags| flags & 0x80 != 0))?;
        let (id, mut next) = Self::id(payload, 2, extensions & 0x80 != 0)?;
        let mut places = Self { id, ..Self::default() };
        if extensions & 0x40 != 0 {
            places.tl0 = Some(next);
            next = next.saturating_add(1);
        }
        places.key = (extensions & 0x10 != 0).then_some(next);
        Some(places)
    }

    fn vp9(payload: &[u8]) -> Option<Self> {
        let flags = *payload.first()?;
        let (id, next) = Self::id(payload, 1, flags & 0x80 != 0)?;
        let (has_layer, flexible) = (flags & 0x20 != 0, flags & 0x10 != 0);
        Some(Self { id, tl0: (has_layer && !flexible).then_some(next.saturating_add(1)), key: None })
    }

    /// The place of a picture id at `at`, if there is one, and what is behind it.
    fn id(payload: &[u8], at: usize, present: bool) -> Option<(Option<(usize, bool)>, usize)> {
        if !present {
            return Some((None, at));
        }
        let long = payload.get(at)? & 0x80 != 0;
        Some((Some((at, long)), at.saturating_add(if long { 2 } else { 1 })))
    }

    fn numbers(&self, payload: &[u8]) -> PictureNumbers {
        let byte = |at: usize| payload.get(at).copied();
        PictureNumbers {
            id: self.id.and_then(|(at, long)| {
                let first = byte(at)?;
                Some(if long { u16::from_be_bytes([first & 0x7f, byte(at.saturating_add(1))?]) } else { u16::from(first) })
            }),
            tl0: self.tl0.and_then(byte),
            key: self.key.and_then(byte).map(|key| key & KEY_MASK),
            frame: None,
        }
    }
}

/// The dependency descriptor that a packet is sent with: AV1's, whose frames can't be put together again without (several of one picture
/// have but one marker). Other codecs say in their payloads what receivers need, and are sent without.
pub(super) fn descriptor<'a>(packet: &MediaPacket<'a>) -> &'a [u8] {
    if packet.info.codec.codec == Codec::Av1 { packet.dependency } else { &[] }
}

/// The numbers of a packet; none of them where its codec has none.
pub(super) fn numbers_of(packet: &MediaPacket<'_>, codec: Codec, payload: &[u8]) -> PictureNumbers {
    PictureNumbers { frame: frame_number(descriptor(packet)), ..numbers(codec, payload) }
}

/// The numbers in `payload`; none of them where the codec has none.
pub(super) fn numbers(codec: Codec, payload: &[u8]) -> PictureNumbers {
    Places::of(codec, payload).map(|places| places.numbers(payload)).unwrap_or_default()
}

/// Shifts the numbers in `payload`; returns what they are now. Nothing grows or shrinks.
pub(super) fn shift(codec: Codec, shift: PictureShift, payload: &mut [u8]) -> PictureNumbers {
    let Some(places) = Places::of(codec, payload) else { return PictureNumbers::default() };
    let mut numbers = places.numbers(payload);
    if shift == PictureShift::default() {
        return numbers;
    }
    if let (Some((at, long)), Some(id)) = (places.id, numbers.id.as_mut()) {
        *id = id.wrapping_add(shift.id) & if long { LONG_MASK } else { SHORT_MASK };
        let [high, low] = id.to_be_bytes();
        let bytes = payload.get_mut(at..).unwrap_or_default();
        match bytes {
            [first, second, ..] if long => (*first, *second) = (high | 0x80, low),
            [first, ..] if !long => *first = low,
            _ => {}
        }
    }
    if let (Some(place), Some(tl0)) = (places.tl0.and_then(|at| payload.get_mut(at)), numbers.tl0.as_mut()) {
        *tl0 = tl0.wrapping_add(shift.tl0);
        *place = *tl0;
    }
    if let (Some(place), Some(key)) = (places.key.and_then(|at| payload.get_mut(at)), numbers.key.as_mut()) {
        *key = key.wrapping_add(shift.key) & KEY_MASK;
        *place = (*place & !KEY_MASK) | *key;
    }
    numbers
}
