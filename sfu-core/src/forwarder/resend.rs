//! Sending again what a subscriber lost, and filling a probe with what it may have lost.

use super::format::{Accepted, SlotFormat};
use super::history::{History, Sent, State};
use super::picture::PictureShift;
use super::segment::Segment;
use super::write::Rewrite;
use super::{Forwarder, Written};
use crate::keys::PublicationKey;
use crate::packet::MediaPacket;
use crate::rtp::Seq;
use std::time::{Duration, Instant};

/// A packet that a subscriber asked for again, or is to get again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resend {
    out: Seq,
    sent: Sent,
    segment: Segment,
}

impl Resend {
    pub(crate) fn publication(&self) -> PublicationKey {
        self.segment.publication
    }

    /// Which of its encodings: an index.
    #[cfg(test)]
    pub(crate) fn encoding(&self) -> u8 {
        self.segment.encoding
    }

    /// The stream generation the number belongs to.
    pub(crate) fn generation(&self) -> u32 {
        self.segment.generation
    }

    /// The publisher's number.
    pub(crate) fn seq(&self) -> Seq {
        History::input_of(self.sent, self.segment.first)
    }
}

impl Forwarder {
    /// The publication and the publisher's number of the packet that was sent as `wire`, or for which that number was kept; notes that it
    /// is being resent. None: it was just sent, was sent too often, or is too old to be of use.
    pub(crate) fn find_for_resend(&mut self, wire: u16, now: Instant, round_trip: Option<Duration>) -> Option<Resend> {
        let out = self.history.next().unwrap_next(wire);
        let found = self.locate(out)?;
        self.history.note_resend(out, now, round_trip).then_some(found)
    }

    /// How often the packet that was sent as `wire` was sent again.
    pub(crate) fn resends_of(&self, wire: u16) -> u8 {
        self.history.find(self.history.next().unwrap_next(wire)).map_or(0, Sent::resends)
    }

    /// A resend of the packet that was sent as `wire` arrived: it isn't sent again.
    pub(crate) fn on_resend_arrived(&mut self, wire: u16) {
        self.history.note_arrival(self.history.next().unwrap_next(wire));
    }

    /// The newest packet that went out once only: of more use in a probe than padding. Notes that it is being resent.
    pub(crate) fn recent_for_probe(&mut self, now: Instant) -> Option<Resend> {
        self.rtx_ssrc?;
        let out = self.history.newest_sent_once()?;
        let found = self.locate(out)?;
        self.history.note_resend(out, now, None).then_some(found)
    }

    fn locate(&self, out: Seq) -> Option<Resend> {
        let sent = self.history.find(out)?;
        let segment = *self.segments.of_out(out)?;
        Some(Resend { out, sent, segment })
    }

    /// Writes a resend: on the RTX stream (RFC 4588) when there is one, else the very bytes that were sent before.
    ///
    /// Without RTX there are no resends for who gets transport-wide numbers: another number would be other bytes under an index that was
    /// sealed before.
    pub(crate) fn resend(&mut self, resend: &Resend, packet: &MediaPacket<'_>, format: &SlotFormat, out: &mut [u8]) -> Option<Written> {
        let accepted = format.accepted(packet)?;
        let info = &packet.info;
        let claimed = info.timestamp.wrapping_add(resend.segment.timestamp_shift);
        let (whole, timestamp) = match resend.sent.state {
            State::Whole => (true, resend.sent.timestamp),
            State::Empty => (false, resend.sent.timestamp),
            State::Kept => {
                let timestamp = self.history.time_for(resend.out, claimed)?;
                (resend.segment.takes(info.layer.present, info.timestamp) && timestamp == claimed, timestamp)
            }
        };
        let rtx = self.rtx_ssrc.zip(format.rtx_payload_type(accepted.codec));
        let sealed = resend.sent.state != State::Kept;
        let rewrite = Rewrite {
            payload_type: accepted.payload_type,
            seq: resend.out,
            timestamp,
            ssrc: self.ssrc,
            marker: self.marker(packet, &resend.segment),
            with_mid: resend.sent.with_mid(),
            pictures: PictureShift { id: resend.sent.picture_shift, ..resend.segment.pictures },
            active: resend.segment.active_targets(&info.layer),
            original: None,
        };
        let rewrite = match rtx {
            Some((ssrc, payload_type)) => {
                let seq = self.next_rtx;
                self.next_rtx = seq.forward(1);
                Rewrite { payload_type, seq, ssrc, with_mid: true, original: Some(resend.out.wire()), ..rewrite }
            }
            None if sealed && (resend.out < self.resend_floor || format.has_transport_cc()) => return None,
            None => rewrite,
        };
        let written = write(&rewrite, whole, packet, &accepted, format, out)?;
        if !sealed {
            self.history.settle(resend.out, timestamp, if whole { State::Whole } else { State::Empty });
        }
        Some(written)
    }

    /// A probe of `padding` bytes (1 to 255) and a header, on the RTX stream. None: there is no such stream, or nothing was sent yet.
    pub(crate) fn padding(&mut self, format: &SlotFormat, padding: u8, out: &mut [u8]) -> Option<Written> {
        let ssrc = self.rtx_ssrc?;
        let payload_type = format.rtx_payload_type(self.codec?)?;
        let rewrite = Rewrite {
            payload_type,
            seq: self.next_rtx,
            timestamp: self.time.last()?,
            ssrc,
            marker: false,
            with_mid: true,
            pictures: PictureShift::default(),
            active: None,
            original: None,
        };
        let written = rewrite.padding(padding.max(1), format, out)?;
        self.next_rtx = self.next_rtx.forward(1);
        Some(written)
    }
}

fn write(
    rewrite: &Rewrite,
    whole: bool,
    packet: &MediaPacket<'_>,
    accepted: &Accepted<'_>,
    format: &SlotFormat,
    out: &mut [u8],
) -> Option<Written> {
    if whole { rewrite.write(packet, accepted, format, out).map(|(written, _)| written) } else { rewrite.empty(format, out) }
}
