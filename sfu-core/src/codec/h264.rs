//! H.264 payloads: which NAL units a packet holds. Source: RFC 6184 §5, ITU-T H.264 table 7-1.

mod sps;
#[cfg(test)]
mod tests;

use super::Resolution;

/// Slice of an IDR picture.
const IDR: u8 = 5;
/// Sequence parameter set.
const SPS: u8 = 7;
/// Several NAL units of one time in one packet (RFC 6184 §5.7.1).
const STAP_A: u8 = 24;
/// A piece of a NAL unit (RFC 6184 §5.8).
const FU_A: u8 = 28;

/// Whether decoding can start with this packet: it begins an IDR picture, or holds a sequence parameter set, which
/// encoders send right in front of one.
#[inline]
#[must_use]
pub fn is_keyframe(payload: &[u8]) -> bool {
    match *payload {
        [head, ref units @ ..] if head & 0x1f == STAP_A => aggregated(units).any(|unit| match *unit {
            [head, ref body @ ..] => starts_keyframe(head & 0x1f, body),
            [] => false,
        }),
        [head, fragment, ref body @ ..] if head & 0x1f == FU_A => fragment & 0x80 != 0 && starts_keyframe(fragment & 0x1f, body),
        [head, ref body @ ..] => starts_keyframe(head & 0x1f, body),
        [] => false,
    }
}

/// Whether the packet is of a picture that no other refers to, so that it may be dropped: a slice with `nal_ref_idc` 0. `None` when the
/// packet doesn't tell: parameter sets and supplemental information may stand in front of any picture.
#[inline]
#[must_use]
pub fn is_disposable(payload: &[u8]) -> Option<bool> {
    let (head, kind) = match *payload {
        [head, ref units @ ..] if head & 0x1f == STAP_A => {
            let slice = aggregated(units).filter_map(|unit| unit.first()).find(|head| is_slice(**head & 0x1f))?;
            (*slice, *slice & 0x1f)
        }
        [head, fragment, ..] if head & 0x1f == FU_A => (head, fragment & 0x1f),
        [head, ..] => (head, head & 0x1f),
        [] => return None,
    };
    is_slice(kind).then_some(head & 0x60 == 0)
}

/// Whether the packet can be the first of a picture: it isn't a later piece of a NAL unit.
#[inline]
#[must_use]
pub fn may_start_picture(payload: &[u8]) -> bool {
    match *payload {
        [head, fragment, ..] if head & 0x1f == FU_A => fragment & 0x80 != 0,
        [] => false,
        _ => true,
    }
}

/// Table 7-1: a slice or a part of one.
fn is_slice(kind: u8) -> bool {
    (1..=IDR).contains(&kind)
}

/// Size of the pictures from here on, when the packet holds a sequence parameter set.
#[must_use]
pub fn size(payload: &[u8]) -> Option<Resolution> {
    match *payload {
        [head, ref units @ ..] if head & 0x1f == STAP_A => aggregated(units).find_map(size_in),
        _ => size_in(payload),
    }
}

fn size_in(unit: &[u8]) -> Option<Resolution> {
    let (head, body) = unit.split_first()?;
    if head & 0x1f == SPS { sps::size(body) } else { None }
}

fn starts_keyframe(kind: u8, body: &[u8]) -> bool {
    match kind {
        SPS => true,
        // The slice header opens with the number of its first macroblock, Exp-Golomb coded: zero is a single set bit.
        IDR => body.first().is_some_and(|first| first & 0x80 != 0),
        _ => false,
    }
}

/// The NAL units behind a STAP-A header; ends at one that does not fit.
fn aggregated(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk()?;
        let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        rest = after;
        Some(unit)
    })
}
