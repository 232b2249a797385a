//! Takes a bit stream apart, most significant bit first.

#[cfg(test)]
mod tests;

/// What is left of a bit stream.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits taken so far.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bits taken so far.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next bit.
    #[inline]
    pub(super) fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let shift = 7_usize.saturating_sub(self.position % 8);
        self.position = self.position.saturating_add(1);
        Some((byte >> shift) & 1 == 1)
    }

    /// The next `count` bits, at most 32, as a number.
    #[inline]
    pub(super) fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count.min(32) {
            value = (value << 1) | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// A number below `values` in which small ones take a bit less: `ns(n)` of the AV1 bitstream and RTP specifications.
    pub(super) fn non_symmetric(&mut self, values: u32) -> Option<u32> {
        let width = 32_u32.saturating_sub(values.leading_zeros());
        let short = 1_u32.checked_shl(width)?.saturating_sub(values);
        let value = self.bits(width.saturating_sub(1))?;
        if value < short {
            return Some(value);
        }
        let extra = u32::from(self.flag()?);
        Some((value << 1).saturating_sub(short).saturating_add(extra))
    }

    /// An Exp-Golomb number: `ue(v)` of ITU-T H.264 §9.1.
    pub(super) fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0_u32;
        while !self.flag()? {
            zeros = zeros.saturating_add(1);
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.bits(zeros)?;
        Some(1_u32.wrapping_shl(zeros).wrapping_sub(1).saturating_add(rest))
    }
}
