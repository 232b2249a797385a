//! Sender and receiver reports. Source: RFC 3550 §6.4.1, §6.4.2.

#[cfg(test)]
mod tests;

/// Bytes of one report block.
pub(super) const BLOCK_LEN: usize = 24;
/// Bytes of the sender information.
pub(super) const INFO_LEN: usize = 20;

/// A sender's clocks and counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SenderInfo {
    /// Wall clock at sending: seconds since 1900 in the upper, fraction in the lower 32 bits.
    pub ntp: u64,
    /// The same moment on the stream's media clock.
    pub rtp_timestamp: u32,
    /// Packets sent since the stream began, modulo 2^32.
    pub packets: u32,
    /// Payload bytes sent since the stream began, modulo 2^32.
    pub octets: u32,
}

impl SenderInfo {
    /// The middle 32 bits of the wall clock: what receivers echo as [`ReportBlock::last_sr`].
    #[must_use]
    pub fn compact_ntp(&self) -> u32 {
        let [_, _, middle @ .., _, _] = self.ntp.to_be_bytes();
        u32::from_be_bytes(middle)
    }

    fn parse(bytes: &[u8; INFO_LEN]) -> Self {
        let [n0, n1, n2, n3, n4, n5, n6, n7, r0, r1, r2, r3, p0, p1, p2, p3, o0, o1, o2, o3] = *bytes;
        Self {
            ntp: u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
            rtp_timestamp: u32::from_be_bytes([r0, r1, r2, r3]),
            packets: u32::from_be_bytes([p0, p1, p2, p3]),
            octets: u32::from_be_bytes([o0, o1, o2, o3]),
        }
    }
}

/// How one source is received.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReportBlock {
    /// The source reported on.
    pub ssrc: u32,
    /// Loss since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits signed: duplicates make it negative. Writing clamps it.
    pub cumulative_lost: i32,
    /// Highest sequence number received, with the count of wraps in the upper 16 bits.
    pub highest_seq: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// [`SenderInfo::compact_ntp`] of the last sender report from this source; zero if there was none.
    pub last_sr: u32,
    /// From that report's arrival to this one, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    fn parse(bytes: &[u8; BLOCK_LEN]) -> Self {
        let [s0, s1, s2, s3, fraction_lost, c0, c1, c2, h0, h1, h2, h3, j0, j1, j2, j3, l0, l1, l2, l3, d0, d1, d2, d3] = *bytes;
        Self {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            fraction_lost,
            cumulative_lost: i32::from_be_bytes([c0, c1, c2, 0]) >> 8, // keeps the sign of 24 bits
            highest_seq: u32::from_be_bytes([h0, h1, h2, h3]),
            jitter: u32::from_be_bytes([j0, j1, j2, j3]),
            last_sr: u32::from_be_bytes([l0, l1, l2, l3]),
            delay_since_last_sr: u32::from_be_bytes([d0, d1, d2, d3]),
        }
    }

    /// The block as on the wire, five words after the source; the cumulative loss clamped to 24 bits.
    pub(super) fn words(&self) -> [[u8; 4]; 6] {
        let [_, c0, c1, c2] = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
        [
            self.ssrc.to_be_bytes(),
            [self.fraction_lost, c0, c1, c2],
            self.highest_seq.to_be_bytes(),
            self.jitter.to_be_bytes(),
            self.last_sr.to_be_bytes(),
            self.delay_since_last_sr.to_be_bytes(),
        ]
    }
}

/// SR: what a source sends, and how it receives others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SenderReport<'a> {
    /// The reporting source.
    pub ssrc: u32,
    /// Its clocks and counts.
    pub info: SenderInfo,
    blocks: &'a [[u8; BLOCK_LEN]],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let (ssrc, rest) = body.split_first_chunk()?;
        let (info, rest) = rest.split_first_chunk()?;
        Some(Self { ssrc: u32::from_be_bytes(*ssrc), info: SenderInfo::parse(info), blocks: blocks(count, rest)? })
    }

    /// The report blocks, at most 31.
    pub fn reports(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::parse)
    }
}

/// RR: how a participant receives others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReceiverReport<'a> {
    /// The reporting source.
    pub ssrc: u32,
    blocks: &'a [[u8; BLOCK_LEN]],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let (ssrc, rest) = body.split_first_chunk()?;
        Some(Self { ssrc: u32::from_be_bytes(*ssrc), blocks: blocks(count, rest)? })
    }

    /// The report blocks, at most 31.
    pub fn reports(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::parse)
    }
}

/// The first `count` blocks of `bytes`; what follows them is for profiles (RFC 3550 §6.4.3).
fn blocks(count: u8, bytes: &[u8]) -> Option<&[[u8; BLOCK_LEN]]> {
    bytes.as_chunks().0.get(..usize::from(count))
}
