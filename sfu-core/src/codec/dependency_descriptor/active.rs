//! Telling a receiver which decode targets it gets: `active_decode_targets_bitmask` (appendix A.8.2, A.8.3), written into a descriptor.
//!
//! A receiver decodes the best target that is active, and takes what is missing of it for lost. So whoever leaves targets out has to say so.

use super::{BitReader, MANDATORY_LEN, Structure};

/// Longest element of a header extension (RFC 8285 §4.3).
pub const LONGEST: usize = 255;

/// Bits before the flags.
const MANDATORY_BITS: usize = MANDATORY_LEN * 8;

/// Decode targets that a receiver gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ActiveTargets {
    /// How many the stream has: 1 to 32.
    pub count: u8,
    /// Bit n: target n is among them.
    pub mask: u32,
}

/// Writes `descriptor` into `out` as one that tells `active`, whatever it told before; returns its length. It grows by a few bytes at
/// most. None: it can't be read, or there is no room.
#[must_use]
pub fn tell_active_targets(descriptor: &[u8], active: ActiveTargets, out: &mut [u8; LONGEST]) -> Option<usize> {
    let mut reader = BitReader::new(descriptor);
    reader.bits(MANDATORY_BITS as u32)?;
    let mut flags = [false; 5];
    if descriptor.len() > MANDATORY_LEN {
        for flag in &mut flags {
            *flag = reader.flag()?;
        }
    }
    let [has_structure, has_active, custom_indications, custom_references, custom_chains] = flags;
    let flags_end = reader.position();
    let mut count = active.count;
    if has_structure {
        count = Structure::read(&mut reader)?.decode_targets();
    }
    let structure_end = reader.position();
    if has_active {
        reader.bits(u32::from(count))?;
    }
    let rest = reader.position();

    let mut writer = Writer { out, position: 0 };
    writer.copy(descriptor, 0..MANDATORY_BITS)?;
    for flag in [has_structure, true, custom_indications, custom_references, custom_chains] {
        writer.put(flag)?;
    }
    writer.copy(descriptor, flags_end..structure_end)?;
    for target in (0..count).rev() {
        writer.put(active.mask.checked_shr(u32::from(target)).unwrap_or(0) & 1 == 1)?;
    }
    writer.copy(descriptor, rest..descriptor.len().saturating_mul(8))?;
    Some(writer.finish())
}

struct Writer<'a> {
    out: &'a mut [u8; LONGEST],
    /// Bits written so far.
    position: usize,
}

impl Writer<'_> {
    fn put(&mut self, bit: bool) -> Option<()> {
        let place = self.out.get_mut(self.position / 8)?;
        let shift = self.position % 8;
        let kept = if shift == 0 { 0 } else { *place };
        *place = kept | (u8::from(bit) << 7_usize.saturating_sub(shift));
        self.position = self.position.saturating_add(1);
        Some(())
    }

    fn copy(&mut self, from: &[u8], bits: std::ops::Range<usize>) -> Option<()> {
        bits.into_iter().try_for_each(|at| self.put((from.get(at / 8)? >> 7_usize.saturating_sub(at % 8)) & 1 == 1))
    }

    fn finish(self) -> usize {
        self.position.div_ceil(8)
    }
}
