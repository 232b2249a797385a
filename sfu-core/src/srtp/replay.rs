//! Which packet indices of a source were seen: estimation of the rollover counter, replay window, table of sources.

use super::SrtpError;

#[cfg(test)]
mod tests;

/// Indices per word of a window.
const BITS: u64 = 64;
/// 48-bit packet indices (RFC 3711 §3.2.1): there are no more.
pub(super) const MAX_RTP_INDEX: u64 = (1 << 48) - 1;

/// The newest index of a source, and which of those just before it were seen.
///
/// A ring of `WORDS` words: an index keeps its place as the window moves on, so moving only clears what is entered
/// (the scheme of RFC 6479). Reaches back at least `64 * (WORDS - 1)` indices from the newest.
#[derive(Clone, Debug)]
pub(super) struct ReplayWindow<const WORDS: usize> {
    newest: u64,
    seen: [u64; WORDS],
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    /// A window that has seen only `index`.
    pub(super) fn starting_at(index: u64) -> Self {
        let mut window = Self { newest: index, seen: [0; WORDS] };
        window.mark(index);
        window
    }

    /// Most likely packet index of a packet with sequence number `seq` (RFC 3711 §3.3.1, appendix A).
    ///
    /// # Errors
    /// [`SrtpError::TooOld`] before the source's start, [`SrtpError::KeyExhausted`] past the last index.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "parts the index into sequence number and rollover counter")]
    pub(super) fn estimate(&self, seq: u16) -> Result<u64, SrtpError> {
        let newest_seq = self.newest as u16;
        let roc = self.newest >> 16;
        let roc = if newest_seq < 0x8000 {
            if seq.saturating_sub(newest_seq) > 0x8000 { roc.checked_sub(1).ok_or(SrtpError::TooOld)? } else { roc }
        } else if newest_seq.saturating_sub(0x8000) > seq {
            roc.saturating_add(1)
        } else {
            roc
        };
        let index = (roc << 16) | u64::from(seq);
        if index > MAX_RTP_INDEX { Err(SrtpError::KeyExhausted) } else { Ok(index) }
    }

    /// Refuses indices that were seen, or that are too old to know.
    ///
    /// # Errors
    /// [`SrtpError::Replayed`] or [`SrtpError::TooOld`].
    #[inline]
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        if index > self.newest {
            return Ok(());
        }
        if (self.newest / BITS).saturating_sub(index / BITS) >= WORDS as u64 {
            return Err(SrtpError::TooOld);
        }
        let (word, bit) = Self::place(index);
        if self.seen.get(word).is_some_and(|seen| seen & bit != 0) { Err(SrtpError::Replayed) } else { Ok(()) }
    }

    /// Records an index that [`check`](Self::check) let through and whose packet proved authentic.
    #[inline]
    pub(super) fn accept(&mut self, index: u64) {
        if index > self.newest {
            let (from, to) = (self.newest / BITS, index / BITS);
            let entered = to.saturating_sub(from).min(WORDS as u64);
            for step in 1..=entered {
                let (word, _) = Self::place(from.saturating_add(step).saturating_mul(BITS));
                if let Some(seen) = self.seen.get_mut(word) {
                    *seen = 0;
                }
            }
            self.newest = index;
        }
        self.mark(index);
    }

    fn mark(&mut self, index: u64) {
        let (word, bit) = Self::place(index);
        if let Some(seen) = self.seen.get_mut(word) {
            *seen |= bit;
        }
    }

    /// Word and bit of an index.
    #[inline]
    fn place(index: u64) -> (usize, u64) {
        let word = (index / BITS).checked_rem(WORDS as u64).unwrap_or_default();
        (usize::try_from(word).unwrap_or_default(), 1 << (index % BITS))
    }
}

/// A window per source, at most `max` of them. Sources are few: a scan of their numbers beats hashing.
#[derive(Debug)]
pub(super) struct SsrcTable<const WORDS: usize> {
    ssrcs: Vec<u32>,
    windows: Vec<ReplayWindow<WORDS>>,
    max: usize,
}

impl<const WORDS: usize> SsrcTable<WORDS> {
    pub(super) fn new(max: usize) -> Self {
        Self { ssrcs: Vec::new(), windows: Vec::new(), max }
    }

    /// Where `ssrc` is; `Ok(None)` if it is new and there is room for it.
    ///
    /// # Errors
    /// [`SrtpError::TooManySsrcs`] if there is not.
    #[inline]
    pub(super) fn find(&self, ssrc: u32) -> Result<Option<usize>, SrtpError> {
        match self.ssrcs.iter().position(|known| *known == ssrc) {
            None if self.ssrcs.len() >= self.max => Err(SrtpError::TooManySsrcs),
            place => Ok(place),
        }
    }

    /// The window at a place that [`find`](Self::find) returned.
    #[inline]
    pub(super) fn window(&self, place: usize) -> Option<&ReplayWindow<WORDS>> {
        self.windows.get(place)
    }

    /// Records that an authentic packet with `index` came from `ssrc`, whose place is `place`.
    #[inline]
    pub(super) fn accept(&mut self, ssrc: u32, place: Option<usize>, index: u64) {
        match place.and_then(|place| self.windows.get_mut(place)) {
            Some(window) => window.accept(index),
            None => {
                self.ssrcs.push(ssrc);
                self.windows.push(ReplayWindow::starting_at(index));
            }
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        while let Some(place) = self.ssrcs.iter().position(|known| !keep(*known)) {
            self.ssrcs.swap_remove(place);
            self.windows.swap_remove(place);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ssrcs.len()
    }
}
