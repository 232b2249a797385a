//! Redundant audio: a packet's own audio behind repeats of earlier packets'. Source: RFC 2198 §3.

#[cfg(test)]
mod tests;

/// Bytes of a repeat's header: type, age, length.
const REPEAT_HEADER_LEN: usize = 4;

/// The packet's own audio.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RedPrimary<'a> {
    /// Payload type of the audio, in the sender's numbering.
    pub payload_type: u8,
    /// The audio.
    pub block: &'a [u8],
}

/// The packet's own audio, without the repeats; `None` if the headers do not fit the payload.
#[inline]
#[must_use]
pub fn primary(payload: &[u8]) -> Option<RedPrimary<'_>> {
    let (mut headers, mut repeats_len) = (payload, 0usize);
    loop {
        match *headers {
            [last, ref blocks @ ..] if last & 0x80 == 0 => {
                return Some(RedPrimary { payload_type: last, block: blocks.get(repeats_len..)? });
            }
            [_, _, l0, l1, ref rest @ ..] => {
                let len = u16::from_be_bytes([l0 & 0x03, l1]);
                repeats_len = repeats_len.saturating_add(usize::from(len));
                headers = rest;
            }
            _ => return None,
        }
    }
}

/// Gives all blocks of `payload` the receiver's `payload_type`. Stops where headers do not fit.
#[inline]
pub fn rewrite_block_types(payload: &mut [u8], payload_type: u8) {
    let mut headers = payload;
    while let Some(head) = headers.first_mut() {
        let is_repeat = *head & 0x80 != 0;
        *head = (*head & 0x80) | (payload_type & 0x7f);
        match headers.get_mut(REPEAT_HEADER_LEN..) {
            Some(rest) if is_repeat => headers = rest,
            _ => return,
        }
    }
}
