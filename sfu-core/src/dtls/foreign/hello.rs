//! What a ClientHello says about SRTP (RFC 5764 §4.1.1), read ahead of the library: as a server it takes the client's first choice, and
//! most clients put AES-CM first, which costs six times as much.

/// Content type, version, epoch and sequence number, length.
const RECORD_HEADER: usize = 13;

/// Type, length, message sequence, fragment offset and length.
const HANDSHAKE_HEADER: usize = 12;

/// Extension type `use_srtp`.
const USE_SRTP: u16 = 14;

/// Profiles with AES-GCM (RFC 7714 §14.2).
const GCM: [u16; 2] = [7, 8];

/// The client can do AES-GCM. False as well for what isn't a ClientHello in one piece: then the client's own order holds.
pub(super) fn offers_gcm(datagram: &[u8]) -> bool {
    read(datagram).unwrap_or(false)
}

fn read(datagram: &[u8]) -> Option<bool> {
    let (&kind, &message) = (datagram.first()?, datagram.get(RECORD_HEADER)?);
    if kind != 22 || message != 1 {
        return None;
    }
    let mut rest = Reader(datagram.get(RECORD_HEADER.checked_add(HANDSHAKE_HEADER)?..)?);
    rest.take(2 + 32)?; // version, random
    rest.counted_by_byte()?; // session
    rest.counted_by_byte()?; // cookie
    rest.counted()?; // cipher suites
    rest.counted_by_byte()?; // compression methods
    let mut extensions = Reader(rest.counted()?);
    while let Some(kind) = extensions.number() {
        let mut extension = Reader(extensions.counted()?);
        if kind == USE_SRTP {
            let mut profiles = Reader(extension.counted()?);
            return Some(std::iter::from_fn(|| profiles.number()).any(|profile| GCM.contains(&profile)));
        }
    }
    None
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()).map(u16::from_be_bytes)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = self.number()?;
        self.take(usize::from(count))
    }

    fn counted_by_byte(&mut self) -> Option<&'a [u8]> {
        let count = *self.take(1)?.first()?;
        self.take(usize::from(count))
    }
}
