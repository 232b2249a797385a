//! One slot's stream to one subscriber: whatever sources, encodings and layers feed it, the subscriber sees a single SSRC without gaps.
//!
//! In: packets of the bound publication, of the encodings that [`Forwarder::wants`]. Out: plain RTP packets, written where they will be
//! sealed. What is forwarded is decided at the first packet of a frame and holds for all of it, also for what comes late (`forward.rs`).
//! Invariants, each with a test of the same name in `forwarder/tests/`:
//! * `one_ssrc_no_gaps`: numbers stay contiguous when the source changes or layers are left out, and a gap in the source is the same gap
//!   here;
//! * `video_starts_with_a_key_frame`, and so does another encoding, until which the old one flows;
//! * `timestamps_never_run_backwards`, and `no_two_pictures_share_a_timestamp`;
//! * `frames_are_forwarded_whole_or_not_at_all`, and in their order once;
//! * `a_resend_finds_the_packet_it_was_sent_as`;
//! * `a_number_is_sealed_with_one_content`: AES-GCM gives its key away otherwise.
//!
//! Not here: who is bound to what (`shard::subscribe`), which layer (`allocation`), SRTP (`peer`).

mod budget;
mod format;
mod forward;
mod history;
mod picture;
mod resend;
mod segment;
mod switch;
#[cfg(test)]
mod tests;
mod timestamps;
mod underway;
mod write;

pub(crate) use budget::ResendBudget;
pub(crate) use format::SlotFormat;
pub(crate) use underway::{ResendsUnderway, Underway};

use crate::keys::PublicationKey;
use crate::layer::LayerChoice;
use crate::publication::cache::{AUDIO_PACKETS, VIDEO_PACKETS};
use crate::rtp::Seq;
use crate::sdp::CodecKey;
use history::History;
use picture::PictureNumbers;
use segment::Segments;
use switch::{Approach, Flow};
use timestamps::Timeline;

/// A plain packet, ready to be sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Written {
    /// Bytes written.
    pub(crate) len: usize,
    pub(crate) header_len: usize,
    /// SRTP packet index (RFC 3711 §3.3.1).
    pub(crate) index: u64,
    /// Where the two bytes of the transport-wide number (draft-holmer-rmcat-transport-wide-cc-extensions-01) wait to be filled in, from
    /// the start of the packet; none where the packet carries no such number.
    pub(crate) transport_cc_at: Option<usize>,
}

/// A packet that came before the forwarder was ready for it, and belongs behind what was just forwarded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Missed {
    /// Index into the publication's encodings.
    pub(crate) encoding: u8,
    /// The publisher's number.
    pub(crate) seq: Seq,
}

/// The packets to be taken from the cache, from the next to the last.
#[derive(Clone, Copy, Debug)]
struct Backlog {
    next: Missed,
    last: Seq,
}

/// Numbers of a sender report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SentCounters {
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// The forwarder of one slot.
#[derive(Debug)]
pub(crate) struct Forwarder {
    ssrc: u32,
    rtx_ssrc: Option<u32>,
    video: bool,
    source: Option<PublicationKey>,
    /// What is asked for.
    layer: Option<LayerChoice>,
    /// What is being forwarded; none while paused, or waiting for a key frame.
    flow: Option<Flow>,
    approach: Option<Approach>,
    backlog: Option<Backlog>,
    /// The encoding that was last left: packets that came late may complete its last picture.
    owed: Option<u8>,
    segments: Segments,
    time: Timeline,
    /// What is to be added to the newest segment's timestamps in the long run.
    shift_aim: u32,
    pictures: PictureNumbers,
    history: History,
    next_rtx: Seq,
    /// Numbers below it are not sealed again.
    resend_floor: Seq,
    sent: SentCounters,
    total_sent: u64,
    /// Of the last packet.
    codec: Option<CodecKey>,
}

impl Forwarder {
    /// `first_seq`: random, below 2^15 so that wrapping is rare at the start (RFC 3550 §5.1, RFC 3711 §3.3.1).
    pub(crate) fn new(ssrc: u32, rtx_ssrc: Option<u32>, video: bool, first_seq: u16) -> Self {
        let first = Seq::first(first_seq & 0x7fff);
        Self {
            ssrc,
            rtx_ssrc,
            video,
            source: None,
            layer: Some(LayerChoice::FIRST),
            flow: None,
            approach: None,
            backlog: None,
            owed: None,
            segments: Segments::default(),
            time: Timeline::new(video),
            shift_aim: 0,
            pictures: PictureNumbers::default(),
            history: History::new(if video { VIDEO_PACKETS } else { AUDIO_PACKETS }, first),
            next_rtx: first,
            resend_floor: first,
            sent: SentCounters::default(),
            total_sent: 0,
            codec: None,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn rtx_ssrc(&self) -> Option<u32> {
        self.rtx_ssrc
    }

    /// The browser offered (or stopped offering) RTX for this slot.
    pub(crate) fn set_rtx_ssrc(&mut self, rtx_ssrc: Option<u32>) {
        self.rtx_ssrc = rtx_ssrc;
    }

    /// The subscriber negotiated other payload types or extension ids: a number that was sealed once must not be sealed with other bytes,
    /// so nothing from before is resent.
    pub(crate) fn forget_sent(&mut self) {
        self.resend_floor = self.history.next();
    }

    /// From now on the packets of `publication` feed this stream: all of its first encoding, until [`set_layer`](Self::set_layer).
    pub(crate) fn bind(&mut self, publication: PublicationKey) {
        self.unbind();
        self.source = Some(publication);
        self.layer = Some(LayerChoice::FIRST);
    }

    pub(crate) fn unbind(&mut self) {
        self.source = None;
        self.flow = None;
        self.approach = None;
        self.backlog = None;
        self.owed = None;
    }

    /// What the subscriber is to get from now on; none pauses the stream. Takes effect where the pictures allow it.
    pub(crate) fn set_layer(&mut self, layer: Option<LayerChoice>) {
        self.layer = layer;
        // A key frame from before must not be begun with when its encoding is asked for again.
        self.approach = self.approach.filter(|approach| layer.is_some_and(|layer| layer.encoding == approach.encoding));
    }

    /// Whether packets of this encoding should be offered to [`forward`](Self::forward) at all.
    #[inline]
    pub(crate) fn wants(&self, encoding: u8) -> bool {
        let asked = self.layer.is_some_and(|layer| layer.encoding == encoding);
        let flows = self.flow.is_some_and(|flow| flow.encoding == encoding);
        self.source.is_some() && (asked || flows || self.owed == Some(encoding))
    }

    /// The encoding whose next key frame would start the picture, or change it to what was asked for.
    pub(crate) fn needs_keyframe(&self) -> Option<u8> {
        let layer = self.layer.filter(|_| self.video && self.source.is_some())?;
        let waits = match &self.flow {
            Some(flow) if flow.encoding == layer.encoding => {
                // More pictures can be had without one. A bigger one can't, nor a smaller one where layers stand alone; where they don't, a
                // smaller one is here before anybody asks.
                self.segments.newest().is_some_and(|segment| segment.target.spatial != layer.target.spatial)
            }
            _ => self.approach.is_none_or(|approach| approach.encoding != layer.encoding || approach.start.is_none()),
        };
        waits.then_some(layer.encoding)
    }

    /// The encoding that is asked for, when no picture has been begun that would have to be ended first.
    pub(crate) fn may_leave_for(&self) -> Option<u8> {
        let busy = self.backlog.is_some() || self.flow.is_some_and(|flow| flow.open);
        self.layer.filter(|_| !busy).map(|layer| layer.encoding)
    }

    /// What is being forwarded now.
    pub(crate) fn current(&self) -> Option<LayerChoice> {
        let flow = self.flow?;
        self.segments.newest().map(|segment| LayerChoice { encoding: flow.encoding, target: segment.target })
    }

    pub(crate) fn counters(&self) -> SentCounters {
        self.sent
    }

    /// What to add to the RTP timestamps of the [current](Self::current) encoding; none while nothing flows.
    pub(crate) fn timestamp_shift(&self) -> Option<u32> {
        self.flow.map(|_| self.shift_aim)
    }

    /// Whether [`next_missed`](Self::next_missed) is to be asked before anything else is forwarded.
    #[inline]
    pub(crate) fn has_missed(&self) -> bool {
        self.backlog.is_some()
    }

    /// The next packet to be taken from the cache, when one is there, and passed to [`forward`](Self::forward); to be asked after every
    /// call of it until there is none.
    ///
    /// A key frame of the encoding to be switched to often begins while a frame of the old one is half sent. It goes out when that one
    /// has ended.
    #[inline]
    pub(crate) fn next_missed(&mut self) -> Option<Missed> {
        let backlog = self.backlog.as_mut()?;
        let missed = backlog.next;
        if missed.seq > backlog.last {
            self.backlog = None;
            return None;
        }
        backlog.next.seq = missed.seq.forward(1);
        Some(missed)
    }

    fn count(&mut self, payload: usize) {
        self.total_sent = self.total_sent.saturating_add(1);
        self.sent.packets = self.sent.packets.wrapping_add(1);
        self.sent.octets = self.sent.octets.wrapping_add(payload as u32);
    }
}
