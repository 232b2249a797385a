//! Everything that can be recorded: the number of each kind, its fields, and for text and bytes what is kept of them (`as …`, see `record`).
//!
//! A variant or a field that is missing here stops this file from compiling. To add one, add a line with the next free number. Never change
//! a number or an order of fields: old traces are read by them. `0: socket` is the first field of a tuple and the word for it in timelines.

use super::record::{Record, RecordAs, how};
use super::{EVENTS, Entry, OUTPUTS};
use crate::{Event, Input, Output};

#[cfg(not(target_arch = "wasm32"))]
use super::{Numbers, record::RestoreAs};
#[cfg(not(target_arch = "wasm32"))]
use crate::wire::Item;

/// What a kind and its fields are called.
#[cfg(not(target_arch = "wasm32"))]
type Words = (u64, &'static str, &'static [&'static str]);

macro_rules! inputs {
    ($($number:literal $variant:ident { $($field:tt: $word:ident $(as $how:ident)?),* })*) => {
        /// Writes an input that came so many microseconds after the one before.
        pub(super) fn record_input(input: &Input, since: u64, entry: &mut Entry) {
            match input {
                $(Input::$variant { $($field: $word),* } => {
                    entry.out.number($number);
                    entry.out.number(since);
                    $(<how!($($how)?) as RecordAs<_>>::record($word, entry);)*
                })*
            }
        }

        /// Reads one again.
        #[cfg(not(target_arch = "wasm32"))]
        pub(super) fn restore_input(kind: u64, fields: &[Item<'_>], numbers: &mut Numbers) -> Option<Input> {
            let mut fields = fields.iter();
            let input = match kind {
                $($number => Input::$variant { $($field: <how!($($how)?) as RestoreAs<_>>::restore(fields.next()?, numbers)?),* },)*
                _ => return None,
            };
            fields.next().is_none().then_some(input)
        }

        #[cfg(not(target_arch = "wasm32"))]
        pub(super) const INPUT_WORDS: &[Words] = &[$(($number, stringify!($variant), &[$(stringify!($word)),*])),*];
    };
}

macro_rules! decisions {
    ($record:ident, $words:ident, $of:ident from $base:ident;
     $($number:literal $variant:ident { $($field:tt: $word:ident $(as $how:ident)?),* })*) => {
        /// Writes a decision.
        pub(super) fn $record(decided: &$of, entry: &mut Entry) {
            match decided {
                $($of::$variant { $($field: $word),* } => {
                    entry.out.number($base + $number);
                    $(<how!($($how)?) as RecordAs<_>>::record($word, entry);)*
                })*
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        pub(super) const $words: &[Words] = &[$(($base + $number, stringify!($variant), &[$(stringify!($word)),*])),*];
    };
}

inputs! {
    1 Start {}
    2 Token { 0: token as Presence }
    3 SocketOpened { 0: socket }
    4 SocketMessage { 0: socket, 1: message as FromEdge }
    5 SocketClosed { 0: socket }
    6 NetworkAvailable {}
    7 OfferMade { sdp: sdp as Description, mids: mids }
    8 OfferFailed {}
    9 AnswerApplied {}
    10 AnswerFailed {}
    11 Transport { 0: state }
    12 Data { frame: frame as Frame, reliable: reliable }
    13 Publish { 0: publish }
    14 Unpublish { request: request, publication: publication }
    15 Mute { request: request, publication: publication, muted: muted }
    16 Subscribe { request: request, publication: publication }
    17 Unsubscribe { request: request, publication: publication }
    18 Wish { 0: wish }
    19 Leave {}
    20 Stats { 0: numbers }
    21 PageHidden { 0: hidden }
    22 AdaptNothing {}
    23 TransportRefused {}
    24 IceServer { address: address, works: works }
    25 DirectLimit { 0: most }
    26 LinkDescribed { link: link, sdp: sdp as Description, sections: sections }
    27 LinkCandidate { link: link, candidate: candidate as Length }
    28 LinkState { link: link, state: state }
    29 Moderate { request: request, action: action, target: target as Length }
}

decisions! { record_output, OUTPUT_WORDS, Output from OUTPUTS;
    0 FetchToken {}
    1 OpenSocket { socket: socket, edge: edge as Presence }
    2 Send { 0: message as ToEdge }
    3 CloseSocket { 0: socket }
    4 MakeOffer { publish: publish, grow: grow, restart: restart }
    5 ApplyAnswer { sdp: sdp as Changes }
    6 RollBack {}
    7 DropSender { request: request }
    8 ReleaseSender { publication: publication }
    9 SetEncodings { publication: publication, encodings: encodings }
    10 CloseTransport { 0: transport }
    11 Event { 0: event }
    12 ReadStats {}
    13 Cap { 0: caps }
    14 OpenTransport { 0: transport }
    15 SendBeat { 0: frame as Frame }
    16 SetIceServers { 0: servers as Hidden }
    17 LeaveOutIceServers { 0: addresses }
    18 OfferLink { link: link, publications: publications }
    19 DescribeLink { link: link, sdp: sdp as Changes }
    20 AddCandidate { link: link, candidate: candidate as Hidden }
    21 CloseLink { 0: link }
    22 CapLink { link: link, rung: rung }
    23 Hold { 0: held }
    24 Keep {}
    25 CloseKept {}
}

decisions! { record_event, EVENT_WORDS, Event from EVENTS;
    0 Joined { room: room as Hidden, id: id, identity: identity as Hidden, name: name as Hidden, role: role as Hidden }
    1 StateChanged { state: state, reason: reason }
    2 ParticipantJoined { id: id, identity: identity as Hidden, name: name as Hidden, role: role as Hidden }
    3 ParticipantLeft { id: id, reason: reason }
    4 PublicationAdded { participant: participant, publication: publication, subscribed: subscribed }
    5 PublicationRemoved { participant: participant, publication: publication }
    6 PublicationMuted { publication: publication, muted: muted }
    7 TrackSubscribed { publication: publication, mid: mid }
    8 TrackUnsubscribed { publication: publication }
    9 LocalUnpublished { publication: publication }
    10 Layers { estimate: estimate, layers: layers }
    11 Speakers { 0: speakers }
    12 Data { message: message, reliable: reliable }
    13 Published { request: request, publication: publication, mid: mid }
    14 Done { request: request }
    15 Failed { request: request, error: error }
    16 Closed { error: error }
    17 Quality { 0: judgements }
    18 Adapted { 0: adapted }
    19 Step { 0: taken }
    20 ParticipantRenamed { was: was, id: id }
    21 PublicationRenamed { was: was, id: id }
    22 Republished { request: request, was: was, publication: publication, mid: mid }
    23 TrackRouted { publication: publication, link: link, mid: mid }
    24 PathChanged { participant: participant, direct: direct, reason: reason }
    25 Moderated { action: action, publication: publication }
    26 MayModerate {}
}

/// An event is an output with a kind of its own behind it.
impl Record for Event {
    fn record(&self, entry: &mut Entry) {
        record_event(self, entry);
    }
}
