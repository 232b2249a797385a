//! Stretches of the outgoing stream within which packets of one encoding are renumbered in one way.
//!
//! A new one begins wherever that way changes: another source or encoding, another target, a corrected timestamp. A packet that comes
//! late, or is sent again, is treated by the segment it belongs to, whatever holds by then; so a frame is never treated in two ways.

use super::picture::PictureShift;
use crate::codec::dependency_descriptor::ActiveTargets;
use crate::keys::PublicationKey;
use crate::layer::{LayerTag, Target, Targets};
use crate::rtp::Seq;

/// Segments remembered. A switch makes two at most, and what is older than three switches is hardly asked for.
const SEGMENTS: usize = 8;

/// How the packets of one stretch become packets of the subscriber's stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) publication: PublicationKey,
    /// Names one encoding's stream among all that the publication ever had.
    pub(super) generation: u32,
    pub(super) encoding: u8,
    /// What is forwarded of it.
    pub(super) target: Target,
    /// Decode targets that the publisher produces.
    pub(super) produced: Targets,
    /// There were other ones since the last key frame that this began with, or another target: the receiver has to be told what it gets now.
    pub(super) retargeted: bool,
    /// First packet: the publisher's number.
    pub(super) first: Seq,
    /// The subscriber's number of the first packet that was forwarded, or will be.
    pub(super) first_out: Seq,
    pub(super) timestamp_shift: u32,
    pub(super) pictures: PictureShift,
    /// The publisher's timestamp of the last picture that was forwarded before the encoding was left; later ones aren't part of it.
    pub(super) last_picture: Option<u32>,
    /// The publisher's number of the last packet that was looked at, or kept a place for, before the encoding was left.
    pub(super) last: Option<Seq>,
}

impl Segment {
    /// Whether a packet of this stretch is forwarded.
    pub(super) fn takes(&self, present: crate::layer::Targets, timestamp: u32) -> bool {
        let within = self.last_picture.is_none_or(|last| !is_later(timestamp, last));
        within && present.contains(self.target)
    }

    /// The decode targets that the receiver gets of a packet's stream, if it has to be told: not where it gets all that there is, as it
    /// takes for granted.
    pub(super) fn active_targets(&self, tag: &LayerTag) -> Option<ActiveTargets> {
        let gets = |target: Target| target.spatial <= self.target.spatial && target.temporal <= self.target.temporal;
        let known = || Target::all().filter(|target| tag.known.contains(*target));
        let reduced = || known().any(|target| tag.produced.contains(target) && !gets(target));
        if tag.known == Targets::NONE || !(self.retargeted || reduced()) {
            return None;
        }
        let bit =
            |(index, target): (u32, Target)| if tag.produced.contains(target) && gets(target) { 1_u32.wrapping_shl(index) } else { 0 };
        let mask = (0..).zip(known()).map(bit).fold(0, |mask, bit| mask | bit);
        (mask != 0).then_some(ActiveTargets { count: tag.known.count(), mask })
    }
}

/// Whether an RTP timestamp lies behind another, the shorter way round the circle.
pub(super) fn is_later(timestamp: u32, than: u32) -> bool {
    timestamp.wrapping_sub(than).cast_signed() > 0
}

/// The latest segments.
#[derive(Debug, Default)]
pub(super) struct Segments {
    ring: [Option<Segment>; SEGMENTS],
    newest: usize,
}

impl Segments {
    pub(super) fn push(&mut self, segment: Segment) {
        self.newest = self.newest.wrapping_add(1) & (SEGMENTS - 1);
        if let Some(place) = self.ring.get_mut(self.newest) {
            *place = Some(segment);
        }
    }

    pub(super) fn newest(&self) -> Option<&Segment> {
        self.ring.get(self.newest)?.as_ref()
    }

    pub(super) fn newest_mut(&mut self) -> Option<&mut Segment> {
        self.ring.get_mut(self.newest)?.as_mut()
    }

    /// Whether a packet of the stream `generation` lies in what has been dealt with, so that nothing can begin with it.
    pub(super) fn is_past(&self, publication: PublicationKey, generation: u32, seq: Seq) -> bool {
        let mut back = self.back().filter(|segment| segment.generation == generation && segment.publication == publication);
        back.next().and_then(|segment| segment.last).is_some_and(|last| seq <= last)
    }

    /// From the newest to the oldest.
    fn back(&self) -> impl Iterator<Item = &Segment> {
        let at = move |age: usize| self.ring.get(self.newest.wrapping_sub(age) & (SEGMENTS - 1));
        (0..SEGMENTS).map_while(move |age| at(age)?.as_ref())
    }

    /// The segment in which the subscriber's number `out` was given.
    pub(super) fn of_out(&self, out: Seq) -> Option<&Segment> {
        self.back().find(|segment| segment.first_out <= out)
    }

    /// The segment that a packet of the stream `generation` belongs to, and the subscriber's number that the next segment began with.
    pub(super) fn of_input(&self, publication: PublicationKey, generation: u32, seq: Seq) -> Option<(&Segment, Option<Seq>)> {
        let mut end = None;
        for segment in self.back() {
            if segment.generation == generation && segment.publication == publication && segment.first <= seq {
                return Some((segment, end));
            }
            end = Some(segment.first_out);
        }
        None
    }
}
