//! One edge, as it tells others about itself.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

/// Longest id, name of a region or address, in bytes.
pub const LONGEST_NAME: usize = 128;

/// A name that isn't one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a name has 1 to {LONGEST_NAME} letters, digits, '.', '-', '_' or ':'")]
pub struct BadName;

macro_rules! name {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes it over when it is one: it goes into keys of a shared store and into logs.
            ///
            /// # Errors
            /// When it is empty, longer than [`LONGEST_NAME`], or has other characters.
            pub fn parse(name: &str) -> Result<Self, BadName> {
                let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
                let fits = (1..=LONGEST_NAME).contains(&name.len());
                if fits && name.bytes().all(good) { Ok(Self(name.into())) } else { Err(BadName) }
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, formatter)
            }
        }
    };
}

name! {
    /// Which edge. It stays the same when an edge is started again; what it was before is told by its *incarnation*.
    NodeId
}
name! {
    /// Where an edge stands, for instance `eu-central`: edges of one region are near each other.
    Region
}

/// How clients reach an edge, as configured: a URL. Opaque here.
pub type Address = Arc<str>;

/// SHA-256 of a certificate's DER, by which edges know each other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint(pub [u8; 32]);

/// What isn't 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a fingerprint has 64 hexadecimal digits: SHA-256 of the certificate's DER")]
pub struct BadFingerprint;

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(BadFingerprint) };
        let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(BadFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Where other edges reach this one for media.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    /// Of the certificate that it shows; none: others know it by another way.
    pub fingerprint: Option<Fingerprint>,
}

/// Where clients' media goes, as answers name it. Opaque here: clients measure by it how far an edge is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Media {
    /// By UDP.
    pub udp: Vec<SocketAddr>,
    /// By TCP.
    pub tcp: Vec<SocketAddr>,
}

/// What an edge was made for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Participants it takes at most.
    pub participants: u32,
    /// Packets it sends a second at most; 0: not known.
    pub packets_per_second: u32,
}

/// What an edge does now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Share of its processors, 0 to 1.
    pub cpu: f32,
    /// Share of its memory, 0 to 1.
    pub memory: f32,
    /// Participants on it.
    pub participants: u32,
    /// Packets it sends a second.
    pub packets_per_second: u32,
    /// Joins it refused for want of room since it last told.
    pub refused: u32,
}

/// One edge as it tells others of itself, every two seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Which.
    pub id: NodeId,
    /// Grows with every start of the edge: of two that bear one id, the higher one is alive.
    pub incarnation: u64,
    /// Where it stands.
    pub region: Region,
    /// For clients.
    pub client_url: Address,
    /// Where their media goes; none: an older edge doesn't say.
    pub media: Option<Media>,
    /// For other edges; none: it has no relay, and each of its rooms is there alone.
    pub relay: Option<Relay>,
    /// What it was made for.
    pub capacity: Capacity,
    /// What it does.
    pub load: Load,
    /// It takes nothing new, and sends away what it has.
    pub draining: bool,
}

impl Node {
    /// How full it is, 0 to 1 and beyond: by whatever is scarcest.
    #[must_use]
    pub fn fullness(&self) -> f32 {
        let share = |used: u32, of: u32| if of == 0 { 0.0 } else { used as f32 / of as f32 };
        let Load { cpu, participants, packets_per_second, .. } = self.load;
        // An edge whose load makes no sense is taken for full: it would get everything otherwise.
        let cpu = if cpu.is_finite() { cpu.max(0.0) } else { 1.0 };
        let participants = if self.capacity.participants == 0 { 1.0 } else { share(participants, self.capacity.participants) };
        cpu.max(participants).max(share(packets_per_second, self.capacity.packets_per_second))
    }
}

#[cfg(test)]
mod tests;
