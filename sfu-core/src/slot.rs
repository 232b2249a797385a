//! One receiving section of a participant's description: a place that publications are put into and taken out of by a message,
//! without a new offer.

use crate::egress::guard::Guard;
use crate::forwarder::{Forwarder, SlotFormat};
use crate::keys::{ParticipantKey, PublicationKey};
use crate::layer::LayerChoice;
use crate::sdp::CodecKey;
use nearcast_protocol::Mid;
use nearcast_protocol::client::Source;
use std::time::Instant;

/// What is played in sync: a participant's face with its voice, a screen with its sound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SyncGroup {
    pub(crate) owner: ParticipantKey,
    class: SyncClass,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SyncClass {
    Face,
    Screen,
    Alone(PublicationKey),
}

impl SyncGroup {
    pub(crate) fn of(owner: ParticipantKey, source: Source, publication: PublicationKey) -> Self {
        let class = match source {
            Source::Camera | Source::Microphone => SyncClass::Face,
            Source::Screen | Source::ScreenAudio => SyncClass::Screen,
            Source::Other => SyncClass::Alone(publication),
        };
        Self { owner, class }
    }
}

/// One slot.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) mid: Mid,
    pub(crate) video: bool,
    /// Position among the slots of its kind; the audio and the video slot of one position share a media stream and are synchronised.
    pub(crate) pair: usize,
    /// False while the section is not willing to receive.
    pub(crate) active: bool,
    /// The section is gone for good; the place waits to be taken by another.
    pub(crate) retired: bool,
    pub(crate) format: SlotFormat,
    pub(crate) forwarder: Forwarder,
    /// What has left of the forwarder's stream.
    pub(crate) guard: Guard,
    pub(crate) bound: Option<(PublicationKey, SyncGroup)>,
    /// The layer that was decided on since the slot was bound; none yet, or a pause.
    pub(crate) chosen: Option<Option<LayerChoice>>,
    /// What its subscriber gets, and what it would get if it were sent or if there were a little more bandwidth.
    pub(crate) wants: [Option<LayerChoice>; 2],
    /// The last sender report: its NTP time as report blocks echo it, and when it went. None since the slot was bound anew.
    pub(crate) last_report_sent: Option<(u32, Instant)>,
    /// The last report about it. None since the slot was bound anew.
    pub(crate) reported: Option<Reported>,
}

/// What the receiver of a stream said of it (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported {
    pub(crate) at: Instant,
    /// Since the report before, in 256ths.
    pub(crate) fraction_lost: u8,
    /// RTP ticks.
    pub(crate) jitter: u32,
    /// Packets sent until then.
    pub(crate) packets: u32,
}

impl Slot {
    /// What its media stream and its CNAME are called: the same for both halves of a pair.
    pub(crate) fn stream_name(&self) -> String {
        format!("slot-{}", self.pair)
    }

    /// Whether resends of `codec` have a stream of their own (RTX). Where they haven't, a packet must stay the same to the byte when it is
    /// sent again, since AES-GCM must never seal two different ones under one number.
    pub(crate) fn repairs_elsewhere(&self, codec: CodecKey) -> bool {
        self.forwarder.rtx_ssrc().is_some() && self.format.rtx_payload_type(codec).is_some()
    }

    pub(crate) fn is_free(&self) -> bool {
        self.active && self.bound.is_none()
    }
}

/// Picks the slot for a publication of `group`: beside the slot that already plays the group's other half, else where both halves are
/// free, else any free one.
pub(crate) fn choose(slots: &[Slot], video: bool, group: SyncGroup) -> Option<usize> {
    let other_half = |pair: usize| slots.iter().find(|slot| slot.video != video && slot.pair == pair);
    let free = || slots.iter().enumerate().filter(|(_, slot)| slot.video == video && slot.is_free());
    let beside = free().find(|(_, slot)| other_half(slot.pair).and_then(|other| other.bound).is_some_and(|(_, held)| held == group));
    let both_free = || free().find(|(_, slot)| other_half(slot.pair).is_none_or(|other| other.bound.is_none()));
    beside.or_else(both_free).or_else(|| free().next()).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::NegotiatedSection;
    use slotmap::SlotMap;

    fn slots(pairs: usize) -> Vec<Slot> {
        let slot = |pair, video| Slot {
            mid: "0".into(),
            video,
            pair,
            active: true,
            retired: false,
            format: SlotFormat::new("0".into(), NegotiatedSection::default()),
            forwarder: Forwarder::new(1, None, video, 0),
            guard: Guard::default(),
            bound: None,
            chosen: None,
            wants: [None; 2],
            last_report_sent: None,
            reported: None,
        };
        (0..pairs).map(|pair| slot(pair, false)).chain((0..pairs).map(|pair| slot(pair, true))).collect()
    }

    #[test]
    fn voice_and_face_of_one_participant_share_a_pair_whichever_comes_first() {
        let mut participants: SlotMap<ParticipantKey, ()> = SlotMap::with_key();
        let mut publications: SlotMap<PublicationKey, ()> = SlotMap::with_key();
        let (ada, ben) = (participants.insert(()), participants.insert(()));
        let mut slots = slots(3);
        for (owner, source) in [(ada, Source::Camera), (ben, Source::Microphone), (ben, Source::Camera), (ada, Source::Microphone)] {
            let publication = publications.insert(());
            let group = SyncGroup::of(owner, source, publication);
            let index = choose(&slots, source == Source::Camera, group).unwrap();
            slots[index].bound = Some((publication, group));
        }
        for owner in [ada, ben] {
            let pairs: Vec<_> =
                slots.iter().filter(|slot| slot.bound.is_some_and(|(_, group)| group.owner == owner)).map(|slot| slot.pair).collect();
            assert_eq!(pairs.len(), 2);
            assert_eq!(pairs[0], pairs[1]);
        }
    }

    #[test]
    fn a_full_house_has_no_slot() {
        let mut participants: SlotMap<ParticipantKey, ()> = SlotMap::with_key();
        let mut publications: SlotMap<PublicationKey, ()> = SlotMap::with_key();
        let (ada, publication) = (participants.insert(()), publications.insert(()));
        let group = SyncGroup::of(ada, Source::Camera, publication);
        let mut slots = slots(1);
        let index = choose(&slots, true, group).unwrap();
        slots[index].bound = Some((publication, group));
        assert_eq!(choose(&slots, true, group), None);
    }
}
