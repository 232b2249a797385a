//! Wrapping wire numbers, unwrapped to 64 bits on arrival so that the rest of the code can compare them.

#[cfg(test)]
mod tests;

/// Where a stream's first number is placed: room for late packets from before it, without going below zero.
const ORIGIN: u64 = 1 << 32;

/// RTP sequence number: 16 bits on the wire (RFC 3550 §5.1), unwrapped to 64 on arrival. A stream starts at 2^32 + wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Seq(u64);

impl Seq {
    /// The first number of a stream.
    #[must_use]
    pub fn first(wire: u16) -> Self {
        Self(ORIGIN | u64::from(wire))
    }

    /// The number that SRTP found for a packet: its 48-bit packet index (RFC 3711 §3.3.1), ROC · 2^16 + sequence number.
    #[must_use]
    pub fn from_packet_index(index: u64) -> Self {
        Self(ORIGIN.saturating_add(index))
    }

    /// The SRTP packet index (RFC 3711 §3.3.1) of this number in a stream that began with rollover counter zero.
    /// `None` for numbers from before the stream's origin, which cannot be sealed.
    #[must_use]
    pub fn packet_index(self) -> Option<u64> {
        self.0.checked_sub(ORIGIN)
    }

    /// The value nearest to `self` whose low 16 bits are `wire`. Exactly half-way around counts as older.
    #[must_use]
    pub fn unwrap_next(self, wire: u16) -> Self {
        let step = wire.wrapping_sub(self.wire()).cast_signed(); // the shorter way round the circle
        Self(self.0.saturating_add_signed(i64::from(step)))
    }

    /// The low 16 bits, as they go on the wire.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the low 16 bits are what the wire carries")]
    pub fn wire(self) -> u16 {
        self.0 as u16
    }

    /// The unwrapped number itself.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }

    /// What [`Seq::value`] gave, on the edge that unwrapped it.
    #[must_use]
    pub fn from_value(value: u64) -> Self {
        Self(value)
    }

    /// The number `count` packets later.
    #[must_use]
    pub fn forward(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The number `count` packets earlier.
    #[must_use]
    pub fn backward(self, count: u64) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// Packets from `earlier` to `self`; zero when `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
