//! Transport-wide congestion control feedback: which packets arrived, and when.
//! Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.

use super::feedback::split_sources;

#[cfg(test)]
mod tests;

/// Unit of the reference time: 64 ms.
pub(super) const REFERENCE_TIME_US: i64 = 64_000;
/// Unit of the receive deltas: 250 µs.
pub(super) const DELTA_US: i64 = 250;

/// What a chunk says of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Symbol {
    /// It did not arrive.
    Lost,
    /// It arrived; its delta is one unsigned byte.
    SmallDelta,
    /// It arrived; its delta is two signed bytes.
    LargeDelta,
}

impl Symbol {
    /// `None` for the reserved value.
    fn from_bits(bits: u16) -> Option<Self> {
        match bits & 3 {
            0 => Some(Self::Lost),
            1 => Some(Self::SmallDelta),
            2 => Some(Self::LargeDelta),
            _ => None,
        }
    }

    pub(super) fn bits(self) -> u16 {
        match self {
            Self::Lost => 0,
            Self::SmallDelta => 1,
            Self::LargeDelta => 2,
        }
    }

    pub(super) fn delta_len(self) -> usize {
        usize::from(self.bits())
    }
}

/// A packet status chunk, taken apart symbol by symbol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Chunk {
    Run { bits: u16, left: u16 },
    OneBit { bits: u16, left: u16 },
    TwoBit { bits: u16, left: u16 },
}

impl Chunk {
    const EMPTY: Self = Self::Run { bits: 0, left: 0 };

    fn parse(chunk: [u8; 2]) -> Self {
        let chunk = u16::from_be_bytes(chunk);
        match chunk >> 14 {
            0 | 1 => Self::Run { bits: chunk >> 13, left: chunk & 0x1fff },
            2 => Self::OneBit { bits: chunk, left: 14 },
            _ => Self::TwoBit { bits: chunk, left: 7 },
        }
    }

    fn left(self) -> u16 {
        match self {
            Self::Run { left, .. } | Self::OneBit { left, .. } | Self::TwoBit { left, .. } => left,
        }
    }

    /// Takes the next symbol's bits; `None` when there are no more.
    fn next_bits(&mut self) -> Option<u16> {
        match self {
            Self::Run { bits, left } => {
                *left = left.checked_sub(1)?;
                Some(*bits)
            }
            Self::OneBit { bits, left } => {
                *left = left.checked_sub(1)?;
                Some(bits.checked_shr(u32::from(*left))? & 1)
            }
            Self::TwoBit { bits, left } => {
                *left = left.checked_sub(1)?;
                Some(bits.checked_shr(u32::from(*left).saturating_mul(2))? & 3)
            }
        }
    }

    /// Bytes of delta that the first `count` symbols of a chunk that nothing was taken of ask for; `None` if one of them is the reserved one.
    fn delta_len(self, count: u16) -> Option<usize> {
        match self {
            Self::Run { bits, left } => Some(Symbol::from_bits(bits)?.delta_len().saturating_mul(usize::from(left.min(count)))),
            // All at once: each set bit is one byte.
            Self::OneBit { bits, left } => Some(first_bits(bits, left, count).count_ones() as usize),
            // A set bit is one byte in the lower place of a symbol, two in the upper; both are the reserved symbol.
            Self::TwoBit { bits, left } => {
                let bits = first_bits(bits, left.saturating_mul(2), count.saturating_mul(2));
                let (upper, lower) = ((bits >> 1) & 0x1555, bits & 0x1555);
                let bytes = lower.count_ones().saturating_add(upper.count_ones().saturating_mul(2));
                (upper & lower == 0).then_some(bytes as usize)
            }
        }
    }
}

/// The upper `count` of the lower `len` bits, the others 0.
fn first_bits(bits: u16, len: u16, count: u16) -> u16 {
    let beyond = len.saturating_sub(count);
    let kept = bits & 1_u16.checked_shl(u32::from(len)).unwrap_or(0).wrapping_sub(1);
    kept.checked_shr(u32::from(beyond)).unwrap_or(0).checked_shl(u32::from(beyond)).unwrap_or(0)
}

/// When the packets of a sender arrived at its receiver. Checked as a whole when parsed: iterating cannot fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransportFeedback<'a> {
    /// Who reports.
    pub sender_ssrc: u32,
    /// A source the report is about; which one says nothing, numbers are transport-wide.
    pub media_ssrc: u32,
    /// Transport-wide number of the first packet reported.
    pub base_seq: u16,
    /// Packets reported.
    pub status_count: u16,
    /// The receiver's clock in 64 ms, 24 bits signed; wraps every 12 days.
    pub reference_time: i32,
    /// Counts feedback packets, to notice lost ones.
    pub feedback_count: u8,
    chunks: &'a [[u8; 2]],
    deltas: &'a [u8],
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc, rest) = split_sources(body)?;
        let (&[b0, b1, c0, c1, r0, r1, r2, feedback_count], rest) = rest.split_first_chunk()?;
        let status_count = u16::from_be_bytes([c0, c1]);
        let (chunks, deltas) = split_chunks(status_count, rest)?;
        Some(Self {
            sender_ssrc,
            media_ssrc,
            base_seq: u16::from_be_bytes([b0, b1]),
            status_count,
            reference_time: i32::from_be_bytes([r0, r1, r2, 0]) >> 8, // keeps the sign of 24 bits
            feedback_count,
            chunks,
            deltas,
        })
    }

    /// The packets reported on, in sequence order: exactly `status_count` of them.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals<'a> {
        Arrivals {
            chunks: self.chunks,
            chunk: Chunk::EMPTY,
            deltas: self.deltas,
            next_seq: self.base_seq,
            left: self.status_count,
            clock_us: i64::from(self.reference_time).saturating_mul(REFERENCE_TIME_US),
        }
    }
}

/// The chunks that `status_count` symbols take, and the deltas they ask for; `None` if either is cut short.
fn split_chunks(status_count: u16, bytes: &[u8]) -> Option<(&[[u8; 2]], &[u8])> {
    let (mut left, mut delta_len, mut chunk_count) = (status_count, 0usize, 0usize);
    let (all, _) = bytes.as_chunks::<2>();
    while left > 0 {
        let chunk = Chunk::parse(*all.get(chunk_count)?);
        delta_len = delta_len.saturating_add(chunk.delta_len(left)?);
        left = left.saturating_sub(chunk.left());
        chunk_count = chunk_count.saturating_add(1);
    }
    let deltas = bytes.get(chunk_count.saturating_mul(2)..)?.get(..delta_len)?;
    Some((all.get(..chunk_count)?, deltas))
}

/// What feedback says of one packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PacketStatus {
    /// Transport-wide number.
    pub seq: u16,
    /// Arrival on the receiver's clock in µs, to 250 µs; wraps with the reference time. `None`: not arrived, or not yet.
    pub arrival_us: Option<i64>,
}

/// See [`TransportFeedback::arrivals`].
#[derive(Clone, Debug)]
pub struct Arrivals<'a> {
    chunks: &'a [[u8; 2]],
    chunk: Chunk,
    deltas: &'a [u8],
    next_seq: u16,
    left: u16,
    clock_us: i64,
}

impl Iterator for Arrivals<'_> {
    type Item = PacketStatus;

    fn next(&mut self) -> Option<PacketStatus> {
        self.left = self.left.checked_sub(1)?;
        let bits = loop {
            if let Some(bits) = self.chunk.next_bits() {
                break bits;
            }
            let (chunk, rest) = self.chunks.split_first()?;
            (self.chunk, self.chunks) = (Chunk::parse(*chunk), rest);
        };
        let delta = match (Symbol::from_bits(bits)?, self.deltas) {
            (Symbol::Lost, _) => None,
            (Symbol::SmallDelta, &[delta, ref rest @ ..]) => {
                self.deltas = rest;
                Some(i64::from(delta))
            }
            (Symbol::LargeDelta, &[d0, d1, ref rest @ ..]) => {
                self.deltas = rest;
                Some(i64::from(i16::from_be_bytes([d0, d1])))
            }
            _ => return None, // deltas were counted when parsed
        };
        let arrival_us = delta.map(|delta| {
            self.clock_us = self.clock_us.saturating_add(delta.saturating_mul(DELTA_US));
            self.clock_us
        });
        let seq = self.next_seq;
        self.next_seq = seq.wrapping_add(1);
        Some(PacketStatus { seq, arrival_us })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Arrivals<'_> {}
