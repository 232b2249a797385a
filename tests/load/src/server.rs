//! What is measured: a media server in a process of its own. Another one (mediasoup…) is another implementation of [`Server`].

mod janus;
mod linked;
mod nearcast;
mod process;

pub use janus::{Installed as InstalledJanus, Janus, NoJanus};
pub use linked::{LinkedEdges, start_linked};
pub use nearcast::{Door, NearcastEdge, find_edge, target_folder};

use crate::LoadError;
use crate::client::Offer;
use crate::process::{CpuTime, cpu_time};
use crate::signalling::Signalling;
use std::net::IpAddr;
use std::path::Path;

/// How sealed media leaves a server: what the floor has to do too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cipher {
    /// SRTP_AEAD_AES_128_GCM.
    Aes128Gcm,
    /// SRTP_AEAD_AES_256_GCM.
    Aes256Gcm,
}

impl Cipher {
    /// As the profile of a DTLS handshake is named (RFC 7714 §14.2).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::Aes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }
}

/// What a server says it has done since it started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Datagrams handed to the kernel.
    pub datagrams: u64,
    /// Their bytes, UDP payload.
    pub bytes: u64,
    /// Runs of equal-sized datagrams for one destination (UDP segmentation offload) that they were sent in.
    pub runs: u64,
    /// System calls that sent them.
    pub calls: u64,
    /// Datagrams that the kernel didn't take.
    pub unsent: u64,
}

impl Counters {
    /// What was done since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            datagrams: self.datagrams - earlier.datagrams,
            bytes: self.bytes - earlier.bytes,
            runs: self.runs - earlier.runs,
            calls: self.calls - earlier.calls,
            unsent: self.unsent - earlier.unsent,
        }
    }
}

/// An admitted participant.
pub struct Admitted {
    /// The session description that answers its offer.
    pub answer: String,
    /// Its connection.
    pub signalling: Box<dyn Signalling>,
}

impl std::fmt::Debug for Admitted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Admitted").field("answer", &self.answer).finish_non_exhaustive()
    }
}

/// A server's offer to somebody who only receives.
pub struct Invitation {
    /// The session description to answer.
    pub offer: String,
    /// Takes the answer.
    pub host: Box<dyn Host>,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Invitation").field("offer", &self.offer).finish_non_exhaustive()
    }
}

/// The connection an invitation came on.
pub trait Host {
    /// Takes the answer; media may flow from now on.
    ///
    /// # Errors
    /// The server refuses it.
    fn answered(self: Box<Self>, answer: &str) -> Result<Box<dyn Signalling>, LoadError>;
}

/// A running server. Dropping it ends its process.
pub trait Server {
    /// For the table.
    fn name(&self) -> &'static str;

    /// Its process.
    fn pid(&self) -> u32;

    /// CPU time of all its processes so far.
    ///
    /// # Errors
    /// It has ended.
    fn cpu(&self) -> Result<CpuTime, LoadError> {
        cpu_time(self.pid())
    }

    /// Where it logs.
    fn log(&self) -> &Path;

    /// The local address that clients use.
    fn address(&self) -> IpAddr;

    /// Lets a participant into a room by its offer; it receives everything that it has sections for.
    ///
    /// # Errors
    /// The server's refusal.
    fn admit(&self, room: &str, identity: &str, offer: &Offer) -> Result<Admitted, LoadError>;

    /// It offers to receivers itself ([`Server::invite`]), and who sends and receives needs a connection for each.
    fn invites(&self) -> bool {
        false
    }

    /// It takes the first layer that an offer names for the best one.
    fn wants_best_first(&self) -> bool {
        false
    }

    /// Offers everything to `identity` that others publish in a room.
    ///
    /// # Errors
    /// The server's refusal, or it doesn't invite.
    fn invite(&self, _room: &str, _identity: &str) -> Result<Invitation, LoadError> {
        Err(LoadError::refused("asking for an invitation", format!("{} answers offers", self.name())))
    }

    /// Its own counters; none when it keeps none. The load then counts what arrives.
    ///
    /// # Errors
    /// It doesn't answer.
    fn counters(&self) -> Result<Option<Counters>, LoadError>;
}
