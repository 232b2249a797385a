//! What arrived of one RTP stream, and what didn't.

/// Numbers below the highest within which duplicates are told apart; a resend comes sooner than that.
const WINDOW: u64 = 1024;

/// Counts of one stream, by extended sequence number (RFC 3550 §A.1).
#[derive(Clone, Debug, Default)]
pub struct Tally {
    first: Option<u64>,
    highest: u64,
    received: u64,
    /// A bit for each number of the window, at its place modulo the window.
    seen: [u64; (WINDOW / 64) as usize],
}

impl Tally {
    /// Counts one packet by the 16 bits that travel; its extended number, or none for one that was here before.
    ///
    /// The first packet's rollover count is 1, so that one that overtook it still has a number.
    pub fn on_packet(&mut self, seq: u16) -> Option<u64> {
        let Some(first) = self.first else {
            let extended = (1 << 16) | u64::from(seq);
            (self.first, self.highest, self.received) = (Some(extended), extended, 1);
            self.mark(extended, true);
            return Some(extended);
        };
        let distance = seq.wrapping_sub(self.highest as u16) as i16;
        let extended = self.highest.wrapping_add_signed(i64::from(distance));
        if distance > 0 {
            for passed in self.highest + 1..extended {
                self.mark(passed, false);
            }
            self.highest = extended;
        } else if self.highest - extended >= WINDOW || self.is_marked(extended) {
            return None;
        }
        self.mark(extended, true);
        self.first = Some(first.min(extended));
        self.received += 1;
        Some(extended)
    }

    fn mark(&mut self, number: u64, seen: bool) {
        let bit = 1 << (number % 64);
        if let Some(word) = self.seen.get_mut((number % WINDOW / 64) as usize) {
            *word = if seen { *word | bit } else { *word & !bit };
        }
    }

    fn is_marked(&self, number: u64) -> bool {
        self.seen.get((number % WINDOW / 64) as usize).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Packets that arrived, each once.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that were sent, as far as their numbers tell.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.first.map_or(0, |first| self.highest - first + 1)
    }

    /// The highest number, as reports have it: cycles since the first packet, and 16 bits.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest.wrapping_sub(1 << 16) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(seqs: &[u16]) -> (u64, u64) {
        let mut tally = Tally::default();
        for seq in seqs {
            tally.on_packet(*seq);
        }
        (tally.received(), tally.expected())
    }

    #[test]
    fn a_gap_is_a_loss() {
        assert_eq!(counted(&[]), (0, 0));
        assert_eq!(counted(&[65_534, 65_535, 0]), (3, 3));
        assert_eq!(counted(&[10, 11, 13]), (3, 4));
    }

    #[test]
    fn late_packets_are_not_lost_and_count_once() {
        assert_eq!(counted(&[10, 12, 11, 11, 12]), (3, 3));
        assert_eq!(counted(&[0, 65_535]), (2, 2));
        let mut tally = Tally::default();
        assert_eq!([5, 6, 5].map(|seq| tally.on_packet(seq)), [Some(65_541), Some(65_542), None]);
        assert_eq!(tally.highest(), 6);
    }

    #[test]
    fn the_window_forgets_what_a_jump_passed() {
        let mut tally = Tally::default();
        tally.on_packet(0);
        tally.on_packet(1024);
        assert!(tally.on_packet(1023).is_some(), "the bit of 65535 + 1024 - 1 was cleared");
        assert!(tally.on_packet(0).is_none(), "too old to tell");
    }
}
