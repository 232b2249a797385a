//! Light WebRTC peers, many to a thread.
//!
//! A [`Peer`] is one participant: one UDP socket, one signalling connection, perhaps a [`publisher`]. `str0m` does its ICE and DTLS;
//! media and RTCP are done here ([`inbound`], [`publisher`], [`srtp`]), for a load must cost less than the server it measures. A
//! [`Crew`] is one thread that runs many peers from one epoll loop. Arrival times are the kernel's (`SO_TIMESTAMPNS`), so a busy
//! client thread doesn't lengthen the delays it measures.

mod crew;
mod inbound;
mod local;
mod offer;
mod peer;
mod publisher;
mod rtcp;
mod sections;
mod socket;
mod srtp;
mod tally;
mod tap;

pub(crate) use crew::STAGGER;
pub use crew::{Crew, Measure, Parting, PeerNumber, Play, Status};
pub use local::Local;
pub use offer::{Offer, Wish};
pub use peer::{Peer, Place};
pub use socket::{Buffers, Received, Socket};
pub use tally::Tally;

use crate::delay::Delays;

/// What a crew's peers have seen, together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) datagrams: u64,
    pub(crate) bytes: u64,
    pub(crate) delays: Delays,
    pub(crate) resends_asked: u64,
    pub(crate) resends_answered: u64,
    pub(crate) probes: u64,
    pub(crate) feedbacks: u64,
    /// The longest time without a packet of a stream that goes on.
    pub(crate) longest_gap: std::time::Duration,
    /// Packets that came behind a later one.
    pub(crate) disordered: u64,
    state: u32,
}

impl Seen {
    /// The same numbers in every run (Marsaglia's 32-bit xorshift).
    fn dice(&mut self) -> u32 {
        let mut state = if self.state == 0 { 0x2545_f491 } else { self.state };
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        self.state = state;
        state
    }
}
