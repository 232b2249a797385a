//! RTCP on the wire: reading compounds without copying, writing them into a buffer, recording arrivals for feedback.
//!
//! In: an opened RTCP datagram, or numbers to report. Out: borrowed packets, or bytes ready to be sealed.
//! Invariants, each with a test of the same name in `rtcp/*/tests.rs`:
//! * `no_panic_on_any_bytes`; a malformed packet ends its compound, those before it stay usable;
//! * `written_compounds_read_back`: the parser reads what the writer wrote;
//! * `nothing_is_half_written`: a packet that does not fit leaves the compound as it was;
//! * iteration is bounded by the bytes of the packet, never by a count that somebody wrote into it alone.
//!
//! Not here: when to send what (`peer`, `room`), what feedback means for a rate (`bwe`), sealing (`srtp`).

mod feedback;
mod packet;
mod report;
mod source;
mod transport_feedback;
mod twcc_recorder;
mod write;

pub use feedback::{Fir, Nack, Pli, Remb};
pub use packet::{Packets, RtcpError, RtcpPacket, packets};
pub use report::{ReceiverReport, ReportBlock, SenderInfo, SenderReport};
pub use source::{Bye, Sdes};
pub use transport_feedback::{Arrivals, PacketStatus, TransportFeedback};
pub use twcc_recorder::TwccRecorder;
pub use write::{CompoundWriter, MAX_REPORT_BLOCKS, RtcpWriteError};

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1).
mod packet_type {
    pub(super) const SENDER_REPORT: u8 = 200;
    pub(super) const RECEIVER_REPORT: u8 = 201;
    pub(super) const SDES: u8 = 202;
    pub(super) const BYE: u8 = 203;
    pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
    pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
}

/// Feedback message types, which take the place of the count (RFC 4585 §6.2, §6.3; RFC 5104 §4.3.1).
mod feedback_type {
    /// Of transport feedback: generic NACK.
    pub(super) const NACK: u8 = 1;
    /// Of transport feedback: transport-wide congestion control.
    pub(super) const TWCC: u8 = 15;
    /// Of payload feedback: picture loss indication.
    pub(super) const PLI: u8 = 1;
    /// Of payload feedback: full intra request.
    pub(super) const FIR: u8 = 4;
    /// Of payload feedback: application layer feedback, such as REMB.
    pub(super) const APPLICATION: u8 = 15;
}
