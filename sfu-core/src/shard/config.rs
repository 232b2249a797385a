//! What a shard is told at start.

use crate::clock::WallClock;
use crate::dtls::Certificate;
use crate::link_report::LinkScorer;
use crate::sdp::Candidates;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Who holds a part of a room. 0 to 254: a shard of this process by its number. Above: a shard of another edge, under a number that the carrier
/// gave it when their link came up and never gives again, so that what was meant for a link that is down can't reach the next one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ShardId(pub u32);

impl ShardId {
    /// The first number that names no shard of this process.
    pub const FIRST_ELSEWHERE: Self = Self(256);

    /// As the index into a table of this process's shards; far beyond its end for those of others.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<u8> for ShardId {
    fn from(local: u8) -> Self {
        Self(local.into())
    }
}

/// Bounds on what one process, room and participant may hold. Crossing one is refused with `limit-reached` or `room-full`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Participants in one room. Default 2,000: what one shard can tell about each other without a pause that media would notice.
    pub participants_per_room: usize,
    /// Publications of one participant. Default 16: camera, microphone, screen with sound, and a dozen spares.
    pub publications_per_participant: usize,
    /// Receiving sections of one participant. Default 128.
    pub slots_per_participant: usize,
    /// Rooms of one shard. Default 10,000.
    pub rooms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { participants_per_room: 2_000, publications_per_participant: 16, slots_per_participant: 128, rooms: 10_000 }
    }
}

/// What a shard is told at start.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// Which shard this is; every ICE username of its peers begins with it.
    pub shard: ShardId,
    /// How many shards there are; a room may have a part on each.
    pub shards: u8,
    /// Where UDP is served: put into every answer, best first.
    pub candidates: Vec<SocketAddr>,
    /// Where TCP connections are taken (RFC 6544), likewise. Browsers use them where no UDP comes through.
    pub tcp_candidates: Vec<SocketAddr>,
    /// One per process, shared by its shards.
    pub certificate: Arc<Certificate>,
    /// How long a participant with neither signalling nor media is kept. Default 30 s.
    pub resume_window: Duration,
    /// Bounds.
    pub limits: Limits,
    /// Audio publications of a room that are passed on at a time: the loudest, who spoke lately among them. Default 10; 0: all.
    pub audio_top_k: usize,
    /// Makes what scores a participant's connection; none: nobody is told of qualities.
    pub scorer: Option<fn() -> Box<dyn LinkScorer>>,
    /// For the NTP timestamps of sender reports.
    pub wall_clock: WallClock,
    /// How publications reach many edges.
    pub trees: Trees,
}

/// How publications reach many edges (docs/cluster.md, "Over which edges media goes").
#[derive(Clone, Debug)]
pub struct Trees {
    /// Where this edge stands: edges that name the same region are near each other.
    pub region: Arc<str>,
    /// Edges that one edge sends a publication to before others pass it on. 0: as many as want it.
    pub fan_out: usize,
}

impl Default for Trees {
    fn default() -> Self {
        Self { region: Arc::from("default"), fan_out: crate::relay::tree::FAN_OUT }
    }
}

/// Another edge, as its links know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// Its id.
    pub edge: Arc<str>,
    /// Of several processes of it, which: grows with every start.
    pub incarnation: u64,
    /// Where it stands.
    pub region: Arc<str>,
    /// What its link takes one way.
    pub one_way: Duration,
}

impl ShardConfig {
    /// What answers announce.
    pub(crate) fn candidates(&self) -> Candidates<'_> {
        Candidates { udp: &self.candidates, tcp: &self.tcp_candidates }
    }
}
