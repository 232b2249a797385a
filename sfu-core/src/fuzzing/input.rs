//! Bytes read as a plan: numbers and chunks, until there are none left.

/// What is left of the bytes.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    rest: &'a [u8],
}

impl<'a> Plan<'a> {
    /// All of them.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// The next two bytes; zeros where there are none.
    pub fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte().unwrap_or(0), self.byte().unwrap_or(0)])
    }

    /// The next four.
    pub fn long(&mut self) -> u32 {
        u32::from(self.word()) << 16 | u32::from(self.word())
    }

    /// A chunk with its length in front (two bytes), of `most` bytes at most and never more than there are.
    pub fn chunk(&mut self, most: usize) -> &'a [u8] {
        let length = usize::from(self.word()).min(most).min(self.rest.len());
        let (chunk, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        chunk
    }

    /// Everything that is left.
    #[must_use]
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}
