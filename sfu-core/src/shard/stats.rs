//! What a shard counts.

use crate::durations::Durations;
use serde::Serialize;

/// How long things took, since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Timing {
    /// From answering an offer to the keys of media: ICE and DTLS, both ways of the network included.
    pub setup: Durations,
    /// Round trips to participants, looked at once a second each.
    pub round_trips: Durations,
}

/// Counters since start (monotonic) and sizes of the tables now. After the last participant left, every size is zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
#[expect(missing_docs, reason = "the names are the documentation; all count packets, messages or things but bytes_in and bytes_out")]
pub struct ShardStats {
    // Sizes now.
    pub rooms: u64,
    pub participants: u64,
    /// In other shards' parts of this shard's rooms.
    pub participants_elsewhere: u64,
    pub publications: u64,
    /// Of participants elsewhere.
    pub publications_elsewhere: u64,
    pub subscriptions: u64,
    pub sessions: u64,
    pub connections: u64,
    pub transports: u64,
    /// Of these, whose media goes over TCP.
    pub transports_over_tcp: u64,
    /// Of these, whose media comes from where a TURN server is.
    pub transports_over_turn: u64,
    pub tuples: u64,
    pub tuples_over_tcp: u64,
    pub ufrags: u64,
    pub publication_ids: u64,
    /// Ways by which publications come here over another part than their home, or could, and such ways from here.
    pub branches: u64,
    pub children: u64,
    // Traffic since start.
    pub datagrams_in: u64,
    pub bytes_in: u64,
    pub datagrams_out: u64,
    pub bytes_out: u64,
    pub runs_out: u64,
    pub packets_forwarded: u64,
    /// Of these, with a byte of padding that made them fit their frame's run.
    pub packets_padded: u64,
    /// Of those forwarded, packets of video that had to wait for their subscriber's pacer.
    pub packets_paced: u64,
    pub packets_resent: u64,
    /// Asked for when a subscriber had been sent its share again.
    pub resends_over_budget: u64,
    /// Packets handed to other shards' parts of a room, and taken from them.
    pub relayed_out: u64,
    pub relayed_in: u64,
    /// Of those handed to other parts, packets that had come from another part.
    pub passed_on: u64,
    /// Times a publication came over another part than its home from then on, and times it didn't any more and was taken from its home at once.
    pub adoptions: u64,
    pub fallbacks: u64,
    pub nacks_sent: u64,
    pub nacks_received: u64,
    pub keyframe_requests_sent: u64,
    pub keyframe_requests_received: u64,
    /// Times a subscriber was given a better or a worse layer of a video, and times a video was paused for want of bandwidth or attention.
    pub layer_switches_up: u64,
    pub layer_switches_down: u64,
    pub layer_pauses: u64,
    pub wishes_received: u64,
    /// Times a publisher was told which of its encodings somebody wants.
    pub encodings_told: u64,
    /// Audio publications that took another's place among the loudest of their room.
    pub loudest_changes: u64,
    /// Audio packets that were not passed on, their publication not being among the loudest.
    pub packets_not_among_loudest: u64,
    /// Packets that were not passed on, a moderator having muted their publication.
    pub packets_blocked: u64,
    pub data_messages: u64,
    pub heartbeats: u64,
    /// Receiver-estimated maximum bitrates taken note of (REMB).
    pub rembs_received: u64,
    /// Feedback on transport-wide numbers.
    pub transport_feedbacks_received: u64,
    /// Times an estimate fell because a queue grew.
    pub rate_cuts: u64,
    /// Packets sent to see whether a path carries more.
    pub probe_packets: u64,
    pub probe_bytes: u64,
    // Joins and leaves since start.
    pub joins: u64,
    pub resumes: u64,
    /// Sessions that went on over a new transport.
    pub transports_renewed: u64,
    pub leaves: u64,
    // Negotiated SRTP profiles since start.
    pub srtp_aes256_gcm: u64,
    pub srtp_aes128_gcm: u64,
    pub srtp_aes128_cm_sha1_80: u64,
    /// Checks by which somebody measured how far this edge is (`ice/distance.rs`).
    pub distance_checks: u64,
    // Dropped since start, by reason.
    pub dropped_unknown_address: u64,
    pub dropped_unknown_kind: u64,
    pub dropped_stun: u64,
    pub dropped_before_keys: u64,
    pub dropped_srtp: u64,
    pub dropped_malformed: u64,
    pub dropped_unknown_stream: u64,
    pub dropped_duplicate: u64,
    pub dropped_data: u64,
    /// Packets that came faster than the edge drained.
    pub dropped_backlog: u64,
    /// Packets that the guard at the way out stopped: a number used twice, or a time before the last one. A fault of the edge; none is expected.
    pub egress_refused: u64,
    /// Participants let go of because handling what they sent ran into a fault of the edge. None is expected.
    pub peer_panics: u64,
    pub dtls_failed: u64,
    /// Transports that were answered, and those of them that ended without having carried anything: no check came, or the handshake didn't end.
    pub transports_begun: u64,
    pub transports_never_up: u64,
    // What receivers have said of packets that were sent to them.
    pub packets_answered: u64,
    /// Of these.
    pub packets_lost: u64,
    // Participants' seconds by how well they are connected (docs/quality.md).
    pub quality_excellent: u64,
    pub quality_good: u64,
    pub quality_poor: u64,
    pub quality_lost: u64,
    /// The scores of these seconds, added up.
    pub quality_score_sum: u64,
}
