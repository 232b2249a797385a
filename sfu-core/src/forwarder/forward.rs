//! The way of a packet through the forwarder: is it for this subscriber, under which number and time.
//!
//! Packets that come in turn move the stream on. A number is given to each that is forwarded, and kept for each that is missing, as it may
//! be one of those. What comes late takes the number that was kept for it; when it turns out not to be for this subscriber an empty packet
//! takes it, so that nobody waits for it.

use super::format::{Accepted, SlotFormat};
use super::history::State;
use super::picture::{self, PictureNumbers, PictureShift};
use super::segment::{Segment, is_later};
use super::switch::{Approach, Flow, step};
use super::timestamps::aligned;
use super::write::Rewrite;
use super::{Backlog, Forwarder, Missed, Written};
use crate::codec::Codec;
use crate::keys::PublicationKey;
use crate::layer::{LayerTag, Target};
use crate::packet::MediaPacket;
use crate::publication::CaptureClocks;
use crate::publication::cache::VIDEO_PACKETS;
use crate::rtp::Seq;
use std::time::Instant;

/// Packets of a stream that carry the MID extension, for receivers that didn't read the SSRC from the description: a second of audio.
const MID_PACKETS: u64 = 50;

/// A source whose numbers leap further than any cache reaches starts anew: passing the leap on could take the receiver past its
/// roll-over counter (RFC 3711 §3.3.1), and this stream outlives the source.
const MAX_JUMP: u64 = VIDEO_PACKETS as u64;

/// Ticks of 90 kHz after which nothing is expected any more of an encoding that was left: a second, when a resend is of no use.
const MAX_OWED: u32 = 90_000;

/// What one call of `forward` works on.
struct Incoming<'a> {
    now: Instant,
    packet: &'a MediaPacket<'a>,
    accepted: Accepted<'a>,
    clocks: &'a CaptureClocks,
    format: &'a SlotFormat,
    source: PublicationKey,
}

impl Forwarder {
    /// Rewrites one packet into `out`. None: it isn't for this stream (not of a layer that is asked for, before the switch, no codec in
    /// common, waiting for a key frame). Afterwards [`next_missed`](Self::next_missed) is to be asked.
    pub(crate) fn forward(
        &mut self,
        now: Instant,
        packet: &MediaPacket<'_>,
        clocks: &CaptureClocks,
        format: &SlotFormat,
        out: &mut [u8],
    ) -> Option<Written> {
        let source = self.source?;
        let accepted = format.accepted(packet)?;
        let incoming = Incoming { now, packet, accepted, clocks, format, source };
        match self.flow {
            Some(flow) if flow.generation == packet.info.generation => self.go_on(&incoming, flow, out),
            Some(flow) if flow.encoding == packet.info.layer.encoding => {
                // Its publisher began anew, and so do we.
                self.leave(now, flow, 0);
                self.approach(&incoming, out)
            }
            _ => self.approach(&incoming, out),
        }
    }

    /// A packet of the encoding that is being forwarded.
    fn go_on(&mut self, incoming: &Incoming<'_>, mut flow: Flow, out: &mut [u8]) -> Option<Written> {
        let (info, now) = (&incoming.packet.info, incoming.now);
        let tag = &info.layer;
        if info.seq <= flow.newest {
            return self.fill(incoming, out);
        }
        let gap = info.seq.since(flow.newest).saturating_sub(1);
        if gap > MAX_JUMP {
            self.leave(now, flow, 0);
            return self.approach(incoming, out);
        }
        let new_picture = info.timestamp != flow.timestamp;
        // Though its first packet may be missing: nothing of it has been forwarded.
        if new_picture && self.is_to_leave(flow) {
            self.leave(now, flow, gap);
            self.turn();
            return None;
        }
        // Within a frame that is left out nothing is missed.
        let left_out = !new_picture && !flow.forwards && !tag.starts_frame && tag.layer == flow.layer;
        if gap > 0 && !left_out {
            self.keep(now, flow, gap);
            flow.kept = true;
        }

        let starts_picture = new_picture && (gap == 0 || (tag.starts_frame && tag.layer.spatial == 0));
        let mut segment = *self.segments.newest()?;
        let target = if starts_picture { self.target(segment.target, flow, tag) } else { segment.target };
        let forwards = tag.present.contains(target);
        // Of a picture whose first packets were left out too: nothing of it has a time yet.
        let shift =
            if (new_picture || !flow.begun) && forwards { self.shift(incoming, &segment, flow.kept) } else { segment.timestamp_shift };
        let retargeted = (target, tag.produced) != (segment.target, segment.produced);
        if retargeted || shift != segment.timestamp_shift {
            let (produced, retargeted) = (tag.produced, segment.retargeted || retargeted);
            segment = Segment {
                target,
                produced,
                retargeted,
                timestamp_shift: shift,
                first: info.seq,
                first_out: self.history.next(),
                ..segment
            };
            self.segments.push(segment);
        }
        let begun = forwards || (flow.begun && !new_picture);
        flow = Flow { newest: info.seq, timestamp: info.timestamp, layer: tag.layer, forwards, begun, ..flow };
        if forwards {
            return self.emit(incoming, &segment, flow, out);
        }
        flow.open &= !new_picture && !info.marker;
        if incoming.accepted.codec.codec == Codec::Vp8 {
            let id = picture::numbers(Codec::Vp8, incoming.packet.payload).id;
            if id.is_some() && id != flow.left_out {
                flow.left_out = id;
                flow.picture_shift = flow.picture_shift.wrapping_sub(1);
            }
        }
        self.flow = Some(flow);
        self.turn();
        None
    }

    /// Writes a packet that came in turn.
    fn emit(&mut self, incoming: &Incoming<'_>, segment: &Segment, mut flow: Flow, out: &mut [u8]) -> Option<Written> {
        let (info, now) = (&incoming.packet.info, incoming.now);
        let with_mid = self.total_sent < MID_PACKETS;
        let rewrite = self.rewrite(incoming, segment, flow.picture_shift, self.history.next(), with_mid);
        let (written, pictures) = rewrite.write(incoming.packet, &incoming.accepted, incoming.format, out)?;
        self.history.give(now, info.seq, rewrite.timestamp, flow.picture_shift, State::Whole, with_mid);
        self.pictures = pictures.or(self.pictures);
        self.time.note(rewrite.timestamp, now);
        self.codec = Some(incoming.accepted.codec);
        self.count(incoming.accepted.payload.len());
        flow.open = self.video && !rewrite.marker;
        flow.kept = false;
        self.flow = Some(flow);
        self.turn();
        Some(written)
    }

    /// A packet that came late.
    fn fill(&mut self, incoming: &Incoming<'_>, out: &mut [u8]) -> Option<Written> {
        let (info, now) = (&incoming.packet.info, incoming.now);
        let (segment, end) = self.segments.of_input(incoming.source, info.generation, info.seq)?;
        let segment = *segment;
        if segment.last_picture.is_some_and(|last| is_later(info.timestamp.wrapping_sub(MAX_OWED), last)) {
            self.owed = None;
            return None;
        }
        let number = self.history.number_of(info.seq, segment.first_out, end)?;
        let kept = self.history.find(number).filter(|sent| sent.state == State::Kept)?;
        let with_mid = self.total_sent < MID_PACKETS;
        let mut rewrite = self.rewrite(incoming, &segment, kept.picture_shift, number, with_mid);
        let claimed = rewrite.timestamp;
        rewrite.timestamp = self.history.time_for(number, claimed)?;
        let whole = segment.takes(info.layer.present, info.timestamp) && claimed == rewrite.timestamp;
        let (written, state, payload, pictures) = if whole {
            let (written, pictures) = rewrite.write(incoming.packet, &incoming.accepted, incoming.format, out)?;
            (written, State::Whole, incoming.accepted.payload.len(), pictures)
        } else {
            (rewrite.empty(incoming.format, out)?, State::Empty, 0, PictureNumbers::default())
        };
        self.history.fill(now, number, rewrite.timestamp, state, with_mid);
        if state == State::Whole && self.time.is_next(rewrite.timestamp) {
            self.pictures = pictures.or(self.pictures);
            self.time.note(rewrite.timestamp, now);
        }
        self.count(payload);
        Some(written)
    }

    /// A packet of an encoding that isn't being forwarded: perhaps the one that was asked for.
    fn approach(&mut self, incoming: &Incoming<'_>, out: &mut [u8]) -> Option<Written> {
        let (info, now) = (&incoming.packet.info, incoming.now);
        let encoding = info.layer.encoding;
        let Some(layer) = self.layer.filter(|layer| layer.encoding == encoding) else { return self.fill(incoming, out) };
        if self.segments.is_past(incoming.source, info.generation, info.seq) {
            return self.fill(incoming, out);
        }
        let known = self.approach.filter(|known| known.encoding == encoding && known.generation == info.generation);
        let mut approach = known.unwrap_or(Approach::new(encoding, info.generation, info.seq));
        approach.newest = approach.newest.max(info.seq);
        let starts = !self.video || (info.keyframe && info.layer.starts_frame);
        let busy = self.flow.is_some_and(|flow| flow.open);
        if starts && !busy {
            if let Some(flow) = self.flow {
                self.leave(now, flow, 0);
            }
            self.approach = None;
            if approach.newest > info.seq {
                let next = Missed { encoding, seq: info.seq.forward(1) };
                self.backlog = Some(Backlog { next, last: approach.newest });
            }
            return self.begin(incoming, layer.target, out);
        }
        if starts && approach.start.is_none_or(|(start, _)| start < info.seq) {
            approach.start = Some((info.seq, now));
        }
        let patient = busy && !approach.has_waited(now);
        self.approach = Some(approach);
        if approach.start.is_some() {
            if !patient {
                if let Some(flow) = self.flow.as_mut() {
                    flow.open = false;
                }
                self.turn();
            }
            return None;
        }
        self.fill(incoming, out)
    }

    /// Starts feeding from another stream with the first packet of a key frame, or any packet of sound.
    fn begin(&mut self, incoming: &Incoming<'_>, target: Target, out: &mut [u8]) -> Option<Written> {
        let (info, accepted) = (&incoming.packet.info, &incoming.accepted);
        let clock_rate = accepted.codec.codec.clock_rate();
        let known = self.segments.newest().filter(|last| last.publication == incoming.source).and_then(|last| {
            if last.generation == info.generation {
                return Some(self.shift_aim);
            }
            let clock = |encoding: u8| incoming.clocks.get(usize::from(encoding)).copied().flatten();
            Some(aligned(self.shift_aim, clock(last.encoding)?, clock(info.layer.encoding)?, clock_rate))
        });
        let shift = self.time.join(incoming.now, info.timestamp, clock_rate, known);
        self.shift_aim = shift.aim;
        let numbers = picture::numbers_of(incoming.packet, accepted.codec.codec, accepted.payload);
        let pictures = self.pictures.shift_to(numbers);
        let segment = Segment {
            publication: incoming.source,
            generation: info.generation,
            encoding: info.layer.encoding,
            target,
            produced: info.layer.produced,
            retargeted: false,
            first: info.seq,
            first_out: self.history.next(),
            timestamp_shift: shift.now,
            pictures,
            last_picture: None,
            last: None,
        };
        self.segments.push(segment);
        let flow = Flow {
            encoding: info.layer.encoding,
            generation: info.generation,
            newest: info.seq,
            timestamp: info.timestamp,
            layer: info.layer.layer,
            forwards: true,
            begun: true,
            open: true,
            kept: false,
            picture_shift: pictures.id,
            left_out: None,
        };
        self.emit(incoming, &segment, flow, out)
    }

    /// What is forwarded from this packet on, which began, or goes on, as `flow` says.
    fn target(&self, current: Target, flow: Flow, tag: &LayerTag) -> Target {
        match self.layer {
            Some(layer) if layer.target != current && layer.encoding == flow.encoding => step(current, layer.target, tag),
            _ => current,
        }
    }

    /// What is added to the timestamps from a new picture on.
    fn shift(&mut self, incoming: &Incoming<'_>, segment: &Segment, kept: bool) -> u32 {
        let timestamp = incoming.packet.info.timestamp;
        let shift = segment.timestamp_shift;
        // What is missing before it has the shift of before.
        if shift != self.shift_aim && !kept {
            if self.time.is_next(timestamp.wrapping_add(self.shift_aim)) {
                return self.shift_aim;
            }
            self.shift_aim = shift;
        }
        if self.time.is_next(timestamp.wrapping_add(shift)) {
            return shift;
        }
        let clock_rate = incoming.accepted.codec.codec.clock_rate();
        let joined = self.time.join(incoming.now, timestamp, clock_rate, None);
        self.shift_aim = joined.aim;
        joined.now
    }

    /// The encoding that flows is to give way: to nothing, or to a key frame that waits.
    fn is_to_leave(&self, flow: Flow) -> bool {
        match self.layer {
            None => true,
            Some(layer) => layer.encoding != flow.encoding && self.waiting_start(layer.encoding).is_some(),
        }
    }

    fn waiting_start(&self, encoding: u8) -> Option<Seq> {
        self.approach.filter(|approach| approach.encoding == encoding)?.start.map(|(start, _)| start)
    }

    /// Ends what flows. The last `gap` packets, which are missing, may belong to its last picture.
    fn leave(&mut self, now: Instant, flow: Flow, gap: u64) {
        let kept = if self.video && flow.open { gap } else { 0 };
        self.keep(now, flow, kept);
        if let (Some(segment), Some(last)) = (self.segments.newest_mut(), self.time.last()) {
            segment.last_picture = Some(last.wrapping_sub(segment.timestamp_shift));
            segment.last = Some(flow.newest.forward(kept));
        }
        self.owed = Some(flow.encoding);
        self.flow = None;
    }

    /// Lets a key frame that waits follow, when what flows doesn't need its place any more.
    fn turn(&mut self) {
        let Some(approach) = self.approach else { return };
        let Some((start, _)) = approach.start else { return };
        let asked = self.layer.is_some_and(|layer| layer.encoding == approach.encoding);
        let busy = self.flow.is_some_and(|flow| flow.open || flow.encoding == approach.encoding);
        if !asked || busy {
            return;
        }
        self.backlog = Some(Backlog { next: Missed { encoding: approach.encoding, seq: start }, last: approach.newest });
        if let Some(approach) = self.approach.as_mut() {
            approach.start = None;
        }
    }

    /// Keeps numbers for `gap` packets behind the newest.
    fn keep(&mut self, now: Instant, flow: Flow, gap: u64) {
        for step in 1..=gap {
            self.history.give(now, flow.newest.forward(step), 0, flow.picture_shift, State::Kept, false);
        }
    }

    fn rewrite(&self, incoming: &Incoming<'_>, segment: &Segment, picture_shift: u16, seq: Seq, with_mid: bool) -> Rewrite {
        Rewrite {
            payload_type: incoming.accepted.payload_type,
            seq,
            timestamp: incoming.packet.info.timestamp.wrapping_add(segment.timestamp_shift),
            ssrc: self.ssrc,
            marker: self.marker(incoming.packet, segment),
            with_mid,
            pictures: PictureShift { id: picture_shift, ..segment.pictures },
            active: segment.active_targets(&incoming.packet.info.layer),
            original: None,
        }
    }

    /// Whether a packet is the last of its picture as the subscriber sees it: in scalable coding the upper layers that are left out
    /// take the marker with them (RFC 9628 §4.1).
    pub(super) fn marker(&self, packet: &MediaPacket<'_>, segment: &Segment) -> bool {
        let tag = &packet.info.layer;
        packet.info.marker || (self.video && tag.ends_frame && tag.layer.spatial == segment.target.spatial)
    }
}
