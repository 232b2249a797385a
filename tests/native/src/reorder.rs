//! Puts packets back into their order. A recorder has time: it waits for a missing packet until many later ones are there,
//! which is longer than any repair takes.

use std::collections::BTreeMap;

/// Later packets that may be held while one is missing: over a second of video at the rates of these tests.
const MOST_HELD: usize = 128;

/// What became of a packet that was put in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// After everything before it.
    InOrder,
    /// After a later one.
    Late,
    /// It had come already, or too late to be of use.
    Duplicate,
}

/// Packets of one RTP stream on their way into their order.
pub(crate) struct Reorder<P> {
    held: BTreeMap<u64, P>,
    /// The number that is due, extended; none before the first packet.
    due: Option<u64>,
    highest: u64,
    lost: u64,
}

impl<P> Default for Reorder<P> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), due: None, highest: 0, lost: 0 }
    }
}

impl<P> Reorder<P> {
    /// Takes a packet with its RTP sequence number.
    pub(crate) fn push(&mut self, sequence: u16, packet: P) -> Arrival {
        let Some(due) = self.due else {
            // Away from zero, so that a packet before the first one has a number too.
            let first = (1 << 32) | u64::from(sequence);
            (self.due, self.highest) = (Some(first), first);
            self.held.insert(first, packet);
            return Arrival::InOrder;
        };
        let step = sequence.wrapping_sub(self.highest as u16) as i16; // the shorter way round the circle
        let number = self.highest.saturating_add_signed(i64::from(step));
        if number < due || self.held.contains_key(&number) {
            return Arrival::Duplicate;
        }
        self.held.insert(number, packet);
        if number > self.highest {
            self.highest = number;
            Arrival::InOrder
        } else {
            Arrival::Late
        }
    }

    /// The next packet in order, when it is there or no longer worth waiting for what comes before it. True: something is
    /// missing before it.
    pub(crate) fn pop(&mut self) -> Option<(P, bool)> {
        let due = self.due?;
        let first = *self.held.keys().next()?;
        if first != due && self.held.len() <= MOST_HELD {
            return None;
        }
        let (number, packet) = self.held.pop_first()?;
        self.lost = self.lost.saturating_add(number.saturating_sub(due));
        self.due = Some(number.saturating_add(1));
        Some((packet, number != due))
    }

    /// Packets that still wait for one before them.
    pub(crate) fn waiting(&self) -> u64 {
        self.held.len() as u64
    }

    /// Packets that were given up.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(reorder: &mut Reorder<u16>) -> Vec<(u16, bool)> {
        std::iter::from_fn(|| reorder.pop()).collect()
    }

    #[test]
    fn a_repaired_packet_takes_its_place_across_the_wrap() {
        let mut reorder = Reorder::default();
        for sequence in [65_534, 65_535, 1, 2] {
            reorder.push(sequence, sequence);
        }
        assert_eq!(ready(&mut reorder), [(65_534, false), (65_535, false)]);
        assert_eq!(reorder.push(0, 0), Arrival::Late);
        assert_eq!(ready(&mut reorder), [(0, false), (1, false), (2, false)]);
        assert_eq!(reorder.lost(), 0);
    }

    #[test]
    fn what_never_comes_is_given_up_and_counted() {
        let mut reorder = Reorder::default();
        reorder.push(0, 0);
        assert_eq!(ready(&mut reorder), [(0, false)]);
        for sequence in 3..3 + MOST_HELD as u16 {
            assert_eq!(reorder.push(sequence, sequence), Arrival::InOrder);
            assert!(ready(&mut reorder).is_empty(), "still waiting at {sequence}");
        }
        reorder.push(200, 200);
        assert_eq!(ready(&mut reorder).first(), Some(&(3, true)));
        assert_eq!(reorder.lost(), 2);
    }

    #[test]
    fn a_packet_counts_once() {
        let mut reorder = Reorder::default();
        assert_eq!(reorder.push(7, 7), Arrival::InOrder);
        assert_eq!(reorder.push(7, 7), Arrival::Duplicate);
        assert_eq!(ready(&mut reorder), [(7, false)]);
        assert_eq!(reorder.push(7, 7), Arrival::Duplicate, "also after it was taken");
        assert_eq!(reorder.push(6, 6), Arrival::Duplicate, "nothing waits for what came before the first");
    }
}
