//! Events tell the whole story, in an order that makes sense.

use super::*;
use nearcast_protocol::Permissions;
use nearcast_protocol::client::Source;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn id(kind: &str, number: u8) -> String {
    format!("{kind}{number}")
}

fn publication(number: u8, muted: bool) -> PublicationInfo {
    PublicationInfo {
        id: PublicationId(id("pub", number)),
        video: number.is_multiple_of(2),
        source: Source::Other,
        name: String::new(),
        muted,
        blocked: false,
    }
}

fn participant(number: u8, publications: Vec<PublicationInfo>) -> ParticipantInfo {
    let text = id("p", number);
    ParticipantInfo { id: ParticipantId(text.clone()), identity: text.clone(), name: text, role: None, publications }
}

/// Publication `n` always belongs to participant `n / 4`, as ids are never reused.
fn owner(publication: u8) -> ParticipantId {
    ParticipantId(id("p", publication / 4))
}

fn snapshot(others: Vec<ParticipantInfo>, slots: Vec<SlotBinding>) -> Joined {
    Joined {
        id: 1,
        session: "s".into(),
        room: "r".into(),
        participant: participant(99, vec![]),
        others,
        permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
        slots,
        answer: None,
        resumed: true,
        resume_window_ms: 30_000,
        edges: Vec::new(),
        ice_servers: Vec::new(),
        mode: Default::default(),
        direct: false,
        locked: false,
        claim: None,
    }
}

/// What an app knows that only listens. Panics when the events contradict one another.
#[derive(Debug, Default, PartialEq)]
struct Listener {
    people: BTreeSet<ParticipantId>,
    publications: BTreeMap<PublicationId, (ParticipantId, bool)>,
    tracks: BTreeMap<PublicationId, Mid>,
}

impl Listener {
    fn hear(&mut self, events: &[Event]) {
        for event in events {
            match event.clone() {
                Event::ParticipantJoined { id, .. } => assert!(self.people.insert(id), "joined twice"),
                Event::ParticipantLeft { id, .. } => {
                    assert!(self.people.remove(&id), "left without joining");
                    assert!(self.publications.values().all(|(owner, _)| *owner != id), "left before their publications");
                }
                Event::PublicationAdded { participant, publication, .. } => {
                    assert!(self.people.contains(&participant), "publication of nobody");
                    assert!(self.publications.insert(publication.id, (participant, publication.muted)).is_none(), "added twice");
                }
                Event::PublicationRemoved { publication, .. } => {
                    assert!(!self.tracks.contains_key(&publication), "removed before its track");
                    assert!(self.publications.remove(&publication).is_some(), "removed without being added");
                }
                Event::PublicationMuted { publication, muted } => {
                    let known = self.publications.get_mut(&publication).expect("muted without being added");
                    assert_ne!(core::mem::replace(&mut known.1, muted), muted, "muted twice");
                }
                Event::TrackSubscribed { publication, mid } => {
                    assert!(self.publications.contains_key(&publication), "track of nothing");
                    assert!(self.tracks.values().all(|other| *other != mid), "two publications in one slot");
                    let before = self.tracks.insert(publication, mid);
                    assert!(before.is_none_or(|before| before.0.is_empty()), "one publication in two slots");
                }
                Event::TrackUnsubscribed { publication } => assert!(self.tracks.remove(&publication).is_some(), "ended without starting"),
                other => panic!("not of a room: {other:?}"),
            }
        }
    }

    fn of(room: &Room) -> Self {
        let publications = |other: &Participant| {
            let owner = other.id.clone();
            other.publications.clone().into_iter().map(move |one| (one.info.id, (owner.clone(), one.info.muted)))
        };
        Self {
            people: room.others.iter().map(|other| other.id.clone()).collect(),
            publications: room.others.iter().flat_map(publications).collect(),
            tracks: room.shown.iter().map(|(mid, publication)| (publication.clone(), mid.clone())).collect(),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Join(u8, Vec<(u8, bool)>),
    Leave(u8),
    Add(u8, bool),
    Remove(u8),
    Mute(u8, bool),
    Bind(u8, Option<u8>),
    /// Another transport: names of sections mean nothing any more.
    Renew,
    Settle,
    Snapshot(BTreeMap<u8, bool>, Vec<(u8, u8)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = 0..24_u8;
    let step = prop_oneof![
        (0..6_u8, prop::collection::vec((0..4_u8, any::<bool>()), 0..4)).prop_map(|(who, publications)| Step::Join(who, publications)),
        (0..6_u8).prop_map(Step::Leave),
        (number.clone(), any::<bool>()).prop_map(|(publication, muted)| Step::Add(publication, muted)),
        number.clone().prop_map(Step::Remove),
        (number.clone(), any::<bool>()).prop_map(|(publication, muted)| Step::Mute(publication, muted)),
        (0..8_u8, prop::option::of(number.clone())).prop_map(|(mid, publication)| Step::Bind(mid, publication)),
        Just(Step::Renew),
        Just(Step::Settle),
        (prop::collection::btree_map(number.clone(), any::<bool>(), 0..12), prop::collection::vec((0..8_u8, number), 0..8))
            .prop_map(|(publications, slots)| Step::Snapshot(publications, slots)),
    ];
    prop::collection::vec(step, 0..40)
}

fn apply(room: &mut Room, step: Step, events: &mut Vec<Event>) {
    match step {
        Step::Join(who, publications) => {
            let mut publications: Vec<_> = publications.into_iter().map(|(n, muted)| publication(who * 4 + n, muted)).collect();
            publications.sort_by(|a, b| a.id.cmp(&b.id));
            publications.dedup_by(|a, b| a.id == b.id);
            room.participant_joined(&participant(who, publications), events);
        }
        Step::Leave(who) => room.participant_left(&ParticipantId(id("p", who)), LeaveReason::Left, events),
        Step::Add(n, muted) => room.publication_added(&owner(n), &publication(n, muted), events),
        Step::Remove(n) => room.publication_removed(&owner(n), &PublicationId(id("pub", n)), events),
        Step::Mute(n, muted) => room.publication_muted(&PublicationId(id("pub", n)), muted, events),
        Step::Bind(mid, n) => {
            room.bind(&SlotBinding { mid: Mid(id("", mid)), publication: n.map(|n| PublicationId(id("pub", n))) }, events);
        }
        Step::Renew => room.transport_renewed(),
        Step::Settle => room.settle(events),
        Step::Snapshot(publications, slots) => {
            let people: BTreeSet<u8> = publications.keys().map(|n| n / 4).collect();
            let of = |who: u8| publications.iter().filter(|(n, _)| **n / 4 == who).map(|(n, muted)| publication(*n, *muted)).collect();
            let others: Vec<_> = people.into_iter().map(|who| participant(who, of(who))).collect();
            let slots =
                slots.into_iter().map(|(mid, n)| SlotBinding { mid: Mid(id("", mid)), publication: Some(PublicationId(id("pub", n))) });
            let snapshot = snapshot(others, slots.collect());
            room.reconcile(&snapshot, false, events);
            let known: BTreeMap<_, _> =
                publications.into_iter().map(|(n, muted)| (PublicationId(id("pub", n)), (owner(n), muted))).collect();
            assert_eq!(Listener::of(room).publications, known, "the model is the snapshot");
        }
    }
}

proptest! {
    #[test]
    fn replaying_the_events_gives_the_room(steps in steps()) {
        let mut room = Room::new(true);
        let mut listener = Listener::default();
        for step in steps {
            if matches!(step, Step::Renew) {
                listener.tracks.values_mut().for_each(|mid| mid.0.clear());
            }
            let mut events = Vec::new();
            apply(&mut room, step, &mut events);
            listener.hear(&events);
            prop_assert_eq!(&listener, &Listener::of(&room));
        }
    }

    #[test]
    fn the_same_snapshot_twice_changes_nothing(steps in steps(), publications in prop::collection::btree_map(0..24_u8, any::<bool>(), 0..12)) {
        let mut room = Room::new(true);
        for step in steps.into_iter().chain([Step::Snapshot(publications.clone(), vec![])]) {
            apply(&mut room, step, &mut Vec::new());
        }
        let mut events = Vec::new();
        apply(&mut room, Step::Snapshot(publications, vec![]), &mut events);
        prop_assert_eq!(events, vec![]);
    }
}

#[test]
fn a_slot_told_before_its_publication_is_not_forgotten() {
    let mut room = Room::new(true);
    let mut events = Vec::new();
    room.bind(&SlotBinding { mid: "3".into(), publication: Some("pub1".into()) }, &mut events);
    assert_eq!(events, []);
    room.participant_joined(&participant(0, vec![publication(1, false)]), &mut events);
    assert_eq!(events.last(), Some(&Event::TrackSubscribed { publication: "pub1".into(), mid: "3".into() }));
}

#[test]
fn a_publication_the_edge_dropped_while_we_were_away_is_told() {
    let mut room = Room::new(true);
    room.published("mine".into());
    let mut events = Vec::new();
    room.reconcile(&snapshot(vec![], vec![]), false, &mut events);
    assert_eq!(events, [Event::LocalUnpublished { publication: "mine".into() }]);
    assert!(!room.unpublished(&"mine".into()));
}

#[test]
fn who_comes_along_to_another_session_is_the_same() {
    let mut room = Room::new(true);
    let mut events = Vec::new();
    room.participant_joined(&participant(0, vec![publication(0, false), publication(1, false)]), &mut events);
    room.bind(&SlotBinding { mid: "3".into(), publication: Some("pub0".into()) }, &mut events);
    room.transport_renewed();
    events.clear();
    let elsewhere = Joined { resumed: false, ..snapshot(vec![], vec![]) };
    room.reconcile(&elsewhere, true, &mut events);
    assert_eq!(events, [], "they may still come");
    let again = ParticipantInfo { id: "new".into(), ..participant(0, vec![PublicationInfo { id: "new0".into(), ..publication(0, true) }]) };
    room.participant_joined(&again, &mut events);
    room.bind(&SlotBinding { mid: "1".into(), publication: Some("new0".into()) }, &mut events);
    room.settle(&mut events);
    assert_eq!(
        events,
        [
            Event::ParticipantRenamed { was: "p0".into(), id: "new".into() },
            Event::PublicationRenamed { was: "pub0".into(), id: "new0".into() },
            Event::PublicationRemoved { participant: "new".into(), publication: "pub1".into() },
            Event::PublicationMuted { publication: "new0".into(), muted: true },
            Event::TrackSubscribed { publication: "new0".into(), mid: "1".into() },
        ]
    );
}
