//! Feedback about packets and pictures: generic NACK, PLI (RFC 4585), FIR (RFC 5104), REMB (draft-alvestrand-rmcat-remb-03).

#[cfg(test)]
mod tests;

/// Marks application layer feedback as REMB.
pub(super) const REMB_ID: [u8; 4] = *b"REMB";

/// Parts sender and media source, with which every feedback packet begins (RFC 4585 §6.1), from the rest.
pub(super) fn split_sources(body: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (sender, rest) = body.split_first_chunk()?;
    let (media, rest) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*sender), u32::from_be_bytes(*media), rest))
}

/// Generic NACK: packets of a source that did not arrive (RFC 4585 §6.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The source whose packets are missing.
    pub media_ssrc: u32,
    entries: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc, rest) = split_sources(body)?;
        Some(Self { sender_ssrc, media_ssrc, entries: rest.as_chunks().0 })
    }

    /// Sequence numbers asked for, in the order given: at most 17 per four bytes of the packet, which is about 6000 in
    /// a datagram. A hostile peer may name the same ones again and again: bound what you resend, not what you read.
    pub fn lost(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.entries.iter().flat_map(|&[p0, p1, b0, b1]| {
            let first = u16::from_be_bytes([p0, p1]);
            // Bit zero of the mask is the number itself, bit n the n-th after it.
            let mask = (u32::from(u16::from_be_bytes([b0, b1])) << 1) | 1;
            (0..17u16).filter(move |step| mask & (1 << step) != 0).map(move |step| first.wrapping_add(step))
        })
    }
}

/// PLI: a decoder lost its picture and wants a key frame (RFC 4585 §6.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pli {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The source that should send one.
    pub media_ssrc: u32,
}

impl Pli {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc, _) = split_sources(body)?;
        Some(Self { sender_ssrc, media_ssrc })
    }
}

/// FIR: key frames wanted, one request number per source (RFC 5104 §4.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    entries: &'a [[u8; 8]],
}

impl<'a> Fir<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender_ssrc, _, rest) = split_sources(body)?;
        Some(Self { sender_ssrc, entries: rest.as_chunks().0 })
    }

    /// `(source, request number)`; the same number again is the same request, repeated.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u32, u8)> + use<'a> {
        self.entries.iter().map(|&[s0, s1, s2, s3, number, ..]| (u32::from_be_bytes([s0, s1, s2, s3]), number))
    }
}

/// REMB: a receiver's estimate of the rate it can take for the listed sources together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender_ssrc: u32,
    /// Bits per second; `u64::MAX` for what does not fit. A wish of the peer's, to be clamped before use.
    pub bitrate: u64,
    ssrcs: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// `None` for a malformed packet, `Some(None)` for application layer feedback of another kind.
    pub(super) fn parse(body: &'a [u8]) -> Option<Option<Self>> {
        let (sender_ssrc, _, rest) = split_sources(body)?;
        let Some((&REMB_ID, rest)) = rest.split_first_chunk() else { return Some(None) };
        let (&[count, b0, b1, b2], rest) = rest.split_first_chunk()?;
        let ssrcs = rest.as_chunks().0.get(..usize::from(count))?;
        let mantissa = u64::from(u32::from_be_bytes([0, b0 & 0x03, b1, b2]));
        let exponent = u32::from(b0 >> 2);
        let bitrate = if mantissa.leading_zeros() < exponent { u64::MAX } else { mantissa.checked_shl(exponent).unwrap_or(u64::MAX) };
        Some(Some(Self { sender_ssrc, bitrate, ssrcs }))
    }

    /// The sources meant.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.ssrcs.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }
}
