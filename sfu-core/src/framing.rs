//! Datagrams on a TCP connection: each behind its length in two bytes (RFC 4571 §2, RFC 6544 §3).
//!
//! Everything on an ICE connection is framed so: checks, DTLS, SRTP. A length that no such packet has means that the other side speaks
//! something else, or has lost its place for good; there is no finding it again, so the connection is to be closed.
//!
//! Invariants, each with a test of the same name: `frames_come_out_as_they_went_in_however_they_were_cut`,
//! `a_frame_larger_than_any_packet_ends_the_connection`, `the_buffer_never_grows`.

/// Bytes of the length before each frame.
pub const PREFIX: usize = 2;

/// The largest frame taken. A frame could have 65,535 bytes, but what belongs here is made to fit a datagram of an Ethernet path: browsers
/// send 1200 bytes of RTP and as much of DTLS.
pub const LARGEST_FRAME: usize = 2_048;

/// Room for what one read may bring: a frame that has just not ended, and a few more.
const BUFFER: usize = 8 * 1024;

/// Why a connection can't go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a frame of {0} bytes, more than the {LARGEST_FRAME} that any packet of a call has")]
pub struct FrameTooLong(pub usize);

/// Puts frames together out of what a connection brings.
#[derive(Debug)]
pub struct Deframer {
    buffer: Vec<u8>,
    /// What is here: read, and not yet taken.
    start: usize,
    end: usize,
}

impl Default for Deframer {
    fn default() -> Self {
        Self { buffer: vec![0; BUFFER], start: 0, end: 0 }
    }
}

impl Deframer {
    /// Where the next bytes of the connection are to be read to: never empty once all frames have been taken. Follow with
    /// [`Deframer::filled`].
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end.saturating_sub(self.start));
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes were read there.
    pub fn filled(&mut self, bytes: usize) {
        self.end = self.end.saturating_add(bytes).min(self.buffer.len());
    }

    /// The next whole frame; none: more has to be read first. Frames without contents are passed over.
    ///
    /// # Errors
    /// What comes is no frame of a call.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, FrameTooLong> {
        loop {
            let Some(&[high, low]) = self.buffer.get(self.start..self.end).and_then(|here| here.first_chunk()) else { return Ok(None) };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length > LARGEST_FRAME {
                return Err(FrameTooLong(length));
            }
            let from = self.start.saturating_add(PREFIX);
            let to = from.saturating_add(length);
            if to > self.end {
                return Ok(None);
            }
            self.start = to;
            if length > 0 {
                return Ok(self.buffer.get_mut(from..to));
            }
        }
    }
}

/// The length to be sent before a datagram; none: it is longer than a frame can be.
#[must_use]
pub fn prefix(datagram: &[u8]) -> Option<[u8; PREFIX]> {
    u16::try_from(datagram.len()).ok().map(u16::to_be_bytes)
}

#[cfg(test)]
mod tests;
