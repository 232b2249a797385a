//! Packets about the sources themselves: SDES (names) and BYE. Source: RFC 3550 §6.5, §6.6.

#[cfg(test)]
mod tests;

/// SDES item type of the canonical name (RFC 3550 §6.5.1).
pub(super) const CNAME: u8 = 1;

/// SDES: names of sources.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sdes<'a> {
    chunk_count: u8,
    chunks: &'a [u8],
}

impl<'a> Sdes<'a> {
    pub(super) fn parse(chunk_count: u8, body: &'a [u8]) -> Self {
        Self { chunk_count, chunks: body }
    }

    /// `(source, canonical name)` of each chunk that has one, at most 31. Ends at a malformed chunk.
    pub fn cnames(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let mut rest = self.chunks;
        (0..self.chunk_count)
            .map_while(move |_| {
                let (chunk, after) = parse_chunk(rest)?;
                rest = after;
                Some(chunk)
            })
            .filter_map(|(ssrc, cname)| Some((ssrc, cname?)))
    }
}

type Chunk<'a> = (u32, Option<&'a [u8]>);

/// Source and name of the first chunk, and what follows it.
fn parse_chunk(bytes: &[u8]) -> Option<(Chunk<'_>, &[u8])> {
    let (ssrc, mut items) = bytes.split_first_chunk()?;
    let mut cname = None;
    loop {
        match *items {
            [0, ..] => break,
            [kind, len, ref rest @ ..] => {
                let (text, rest) = rest.split_at_checked(usize::from(len))?;
                if kind == CNAME {
                    cname = Some(text);
                }
                items = rest;
            }
            _ => return None,
        }
    }
    // The list ends in one to four zeros, up to the next word (RFC 3550 §6.5). Packets are whole words.
    let zeros = match items.len() & 3 {
        0 => 4,
        partial => partial,
    };
    Some(((u32::from_be_bytes(*ssrc), cname), items.get(zeros..)?))
}

/// BYE: sources that end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bye<'a> {
    ssrcs: &'a [[u8; 4]],
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        Some(Self { ssrcs: body.as_chunks().0.get(..usize::from(count))? })
    }

    /// The sources, at most 31.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.ssrcs.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }
}
