//! Which packets of a frame get one byte of RTP padding, so that they go out in one run.
//!
//! Browsers cut a frame into parts that differ by at most one byte, the smaller ones first: without padding such a frame is two runs, and
//! a run costs its system call. One plan serves all subscribers of a stream, since they get the same payloads.

use super::frames::MAX_FRAME;

/// A set of a frame's packets, by position.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Evening(u32);

const _: () = assert!(MAX_FRAME <= u32::BITS as usize);

impl Evening {
    /// For packets with these payload sizes, in the order in which they are sent.
    pub(crate) fn of(sizes: impl Iterator<Item = usize> + Clone) -> Self {
        let mut plan = Self::default();
        let mut begin = 0;
        // A run's sizes differ by one at most; and its last packet may be shorter as it is.
        let (mut least, mut most) = (usize::MAX, 0);
        for (index, size) in sizes.clone().enumerate().take(MAX_FRAME) {
            let (low, high) = (least.min(size), most.max(size));
            if index > begin && high.saturating_sub(low) > 1 {
                plan.even_out(begin, index, most, sizes.clone());
                begin = index;
                (least, most) = (size, size);
            } else {
                (least, most) = (low, high);
            }
        }
        plan.even_out(begin, MAX_FRAME, most, sizes);
        plan
    }

    fn even_out(&mut self, begin: usize, end: usize, most: usize, sizes: impl Iterator<Item = usize>) {
        let mut last = None;
        for (index, size) in sizes.enumerate().take(end).skip(begin) {
            let bit = 1_u32.wrapping_shl(index as u32);
            let short = size > 0 && size < most;
            self.0 |= if short { bit } else { 0 };
            last = Some(bit);
        }
        self.0 &= !last.unwrap_or(0);
    }

    pub(crate) fn contains(self, index: usize) -> bool {
        self.0 & 1_u32.wrapping_shl(index as u32) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(sizes: &[usize]) -> Vec<usize> {
        let plan = Evening::of(sizes.iter().copied());
        (0..sizes.len()).filter(|index| plan.contains(*index)).collect()
    }

    #[test]
    fn a_frame_of_two_sizes_becomes_one_run() {
        assert_eq!(padded(&[999, 999, 1000, 1000]), [0, 1]);
        assert_eq!(padded(&[999, 1000, 999, 1000]), [0, 2]);
    }

    #[test]
    fn equal_sizes_need_nothing() {
        assert!(padded(&[1000; 32]).is_empty());
        assert!(padded(&[]).is_empty());
        assert!(padded(&[7]).is_empty());
    }

    #[test]
    fn a_shorter_last_packet_fits_its_run_as_it_is() {
        assert!(padded(&[1000, 1000, 999]).is_empty());
        assert!(padded(&[1000, 1000, 300]).is_empty());
        assert_eq!(padded(&[999, 1000, 300]), [0]);
    }

    #[test]
    fn sizes_that_differ_by_more_begin_another_run() {
        assert_eq!(padded(&[999, 1000, 500, 501]), [0, 2]);
        assert!(padded(&[100, 200, 300]).is_empty());
    }

    #[test]
    fn nothing_stays_nothing() {
        assert!(padded(&[0, 1, 1]).is_empty(), "a packet without payload has padding already, or is nobody's frame");
    }
}
