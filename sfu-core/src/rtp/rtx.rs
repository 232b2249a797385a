//! Retransmission payload framing: the original sequence number in front of the original payload. Source: RFC 4588 §4.

#[cfg(test)]
mod tests;

/// Bytes that the original sequence number (OSN) takes in front of the payload.
const OSN_LEN: usize = 2;

/// Splits an RTX payload into the original sequence number and the original payload.
///
/// `None` for payloads shorter than the number: padding-only probes on the RTX stream, to be counted and dropped.
#[inline]
#[must_use]
pub fn rtx_decode(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (&osn, original) = payload.split_first_chunk::<OSN_LEN>()?;
    Some((u16::from_be_bytes(osn), original))
}

/// Writes `original_seq` and `original` into `out` as an RTX payload; returns its length.
///
/// `None`, with `out` untouched, if it does not fit.
#[inline]
#[must_use]
pub fn rtx_encode(original_seq: u16, original: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = original.len().checked_add(OSN_LEN)?;
    let (osn, body) = out.get_mut(..len)?.split_first_chunk_mut::<OSN_LEN>()?;
    *osn = original_seq.to_be_bytes();
    body.copy_from_slice(original);
    Some(len)
}
