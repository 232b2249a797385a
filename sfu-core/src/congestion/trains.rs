//! What the bursts that frames are sent in say of the path: packets sent back to back arrive as far apart as the narrowest link needs for
//! each (packet trains; Dovrolis, Ramanathan, Moore, "What do packet dispersion techniques measure?", INFOCOM 2001).
//!
//! Media that stays below the estimate makes no queue where the path has become narrower but still carries it, so that nothing else would
//! show it before the next probe. Trains are no measure to go by, others' packets come between theirs; they are a reason to ask.

/// Packets sent within this of the one before belong to its train, µs.
const GAP_US: i64 = 1_000;
/// A train has so many packets: two spacings.
const MIN_PACKETS: u32 = 3;
/// Trains that are remembered: a quarter of a second at 30 frames/s.
const LEN: usize = 8;
/// Shortest time that says something, µs: four steps of the feedback's clock.
const SHORTEST_US: i64 = 1_000;
/// The middle one of the last trains came at less than this part of the estimate: something is narrower than was known.
const NARROWER: f64 = 0.7;

#[derive(Clone, Copy, Debug)]
struct Train {
    last_sent_us: i64,
    first_sent_us: i64,
    first_us: i64,
    last_us: i64,
    /// Bytes but of the first.
    bytes: u64,
    packets: u32,
}

#[derive(Debug, Default)]
pub(super) struct Trains {
    open: Option<Train>,
    /// Bits per second, newest first; as many as were seen.
    rates: [f64; LEN],
    filled: usize,
}

impl Trains {
    /// A packet sent at `sent_us` (our clock) that arrived at `arrival_us` (theirs), in order of sending.
    pub(super) fn push(&mut self, sent_us: i64, arrival_us: i64, size: u16) {
        if let Some(train) = self.open.as_mut().filter(|train| sent_us.saturating_sub(train.last_sent_us) <= GAP_US) {
            train.last_sent_us = train.last_sent_us.max(sent_us);
            train.first_us = train.first_us.min(arrival_us);
            train.last_us = train.last_us.max(arrival_us);
            train.bytes = train.bytes.saturating_add(u64::from(size));
            train.packets = train.packets.saturating_add(1);
            return;
        }
        if let Some(train) = self.open.take() {
            self.close(&train);
        }
        let (last_sent_us, first_sent_us) = (sent_us, sent_us);
        self.open = Some(Train { last_sent_us, first_sent_us, first_us: arrival_us, last_us: arrival_us, bytes: 0, packets: 1 });
    }

    fn close(&mut self, train: &Train) {
        let took_us = train.last_us.saturating_sub(train.first_us);
        let spread_us = train.last_sent_us.saturating_sub(train.first_sent_us);
        if train.packets < MIN_PACKETS {
            return;
        }
        let stretched = took_us > spread_us.saturating_add(SHORTEST_US);
        self.rates.rotate_right(1);
        if let Some(newest) = self.rates.first_mut() {
            *newest = if stretched { train.bytes as f64 * 8e6 / took_us.max(1) as f64 } else { f64::MAX };
        }
        self.filled = self.filled.saturating_add(1).min(LEN);
    }

    /// What the trains came at, when that is much less than the estimate; bits per second.
    pub(super) fn narrower_than(&self, estimate: f64) -> Option<f64> {
        if self.filled < LEN {
            return None;
        }
        let mut rates = self.rates;
        rates.sort_unstable_by(f64::total_cmp);
        rates.get(LEN / 2).copied().filter(|middle| *middle < estimate * NARROWER)
    }

    /// The receiver's clock was set anew, or what was suspected has been looked into.
    pub(super) fn reset(&mut self) {
        (self.open, self.filled) = (None, 0);
    }
}
