//! How values are written into an entry, and read again outside of the browser. Each value is one item, so that an entry can be looked at
//! without knowing what it is.
//!
//! Text and bytes have no way of their own to be written: whoever lists a field of such a type in `table` says what is kept of it.

use super::Entry;
use super::mask::{self, CLIENT, FRAME, Keep, SERVER};
use crate::cpu::CpuLimits;
use crate::encodings::Caps;
use crate::peer_ladder::PeerRung;
use crate::{
    Adapted, Code, DataMessage, Judgement, LinkId, PublishRequest, Reason, RequestId, SessionConfig, SessionError, SlotCounts, SocketId,
    State, Step, StepTaken, Subject, TransportId, TransportState,
};
use alloc::{string::String, vec::Vec};
use nearcast_protocol::client::Source;
use nearcast_protocol::{
    EncodingDemand, LayerReason, LayerState, LeaveReason, Mid, ModerationAction, ParticipantId, Priority, PublicationId, PublicationInfo,
    Speaker, Wish,
};

#[cfg(not(target_arch = "wasm32"))]
pub(super) use super::trace::{Restore, RestoreAs};

/// Can be written as it is.
pub(super) trait Record {
    /// Writes one item.
    fn record(&self, entry: &mut Entry);
}

/// A way to write a `T`.
pub(super) trait RecordAs<T> {
    /// Writes one item.
    fn record(value: &T, entry: &mut Entry);
}

/// As it is.
pub(super) struct Whole;
/// Whether it is there.
pub(super) struct Presence;
/// How long it is, as far as a limit can tell.
pub(super) struct Length;
/// Text that says nothing of anybody.
pub(super) struct Open;
/// What is negotiated.
pub(super) struct Description;
/// A number that changes with what is negotiated.
pub(super) struct Changes;
/// A message of the edge, masked.
pub(super) struct FromEdge;
/// A message to the edge, masked.
pub(super) struct ToEdge;
/// A message between participants, masked.
pub(super) struct Frame;
/// Not at all.
pub(super) struct Hidden;

/// Above every limit on the length of a text.
pub(super) const LONG: usize = 300;

impl<T: Record> RecordAs<T> for Whole {
    fn record(value: &T, entry: &mut Entry) {
        value.record(entry);
    }
}

impl<T> RecordAs<T> for Hidden {
    fn record(_: &T, entry: &mut Entry) {
        entry.out.null();
    }
}

impl<T> RecordAs<Option<T>> for Presence {
    fn record(value: &Option<T>, entry: &mut Entry) {
        entry.out.flag(value.is_some());
    }
}

impl RecordAs<String> for Length {
    fn record(value: &String, entry: &mut Entry) {
        entry.out.number(value.len().min(LONG) as u64);
    }
}

impl RecordAs<String> for Open {
    fn record(value: &String, entry: &mut Entry) {
        entry.out.text(value);
    }
}

impl RecordAs<String> for Description {
    fn record(value: &String, entry: &mut Entry) {
        entry.out.text(&mask::negotiated(value));
    }
}

impl RecordAs<String> for Changes {
    fn record(value: &String, entry: &mut Entry) {
        entry.out.number(mask::sum(value));
    }
}

fn message(message: &[u8], keep: &Keep, entry: &mut Entry) {
    let masked = mask::masked(message, keep, &mut entry.compared);
    entry.out.bytes(&masked);
}

impl RecordAs<Vec<u8>> for FromEdge {
    fn record(value: &Vec<u8>, entry: &mut Entry) {
        message(value, &SERVER, entry);
    }
}

impl RecordAs<Vec<u8>> for ToEdge {
    fn record(value: &Vec<u8>, entry: &mut Entry) {
        message(value, &CLIENT, entry);
    }
}

impl RecordAs<Vec<u8>> for Frame {
    fn record(value: &Vec<u8>, entry: &mut Entry) {
        message(value, &FRAME, entry);
    }
}

/// Names of our own.
impl Record for &'static str {
    fn record(&self, entry: &mut Entry) {
        entry.out.text(self);
    }
}

impl Record for bool {
    fn record(&self, entry: &mut Entry) {
        entry.out.flag(*self);
    }
}

impl Record for u64 {
    fn record(&self, entry: &mut Entry) {
        entry.out.number(*self);
    }
}

impl<T: Record> Record for Option<T> {
    fn record(&self, entry: &mut Entry) {
        match self {
            Some(value) => value.record(entry),
            None => entry.out.null(),
        }
    }
}

/// Not of everything: bytes are not to be written as they are, and readings of statistics have a way of their own.
macro_rules! lists {
    ($($type:ty),*) => {$(
        impl Record for Vec<$type> {
            fn record(&self, entry: &mut Entry) {
                entry.out.array(self.len());
                self.iter().for_each(|one| one.record(entry));
            }
        }
    )*};
}

lists! { Judgement, RequestId, (RequestId, Mid), LayerState, Speaker, EncodingDemand, PublicationId, (PublicationId, Mid) }

impl<A: Record, B: Record> Record for (A, B) {
    fn record(&self, entry: &mut Entry) {
        entry.out.array(2);
        self.0.record(entry);
        self.1.record(entry);
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl Record for $type {
            fn record(&self, entry: &mut Entry) {
                entry.out.number((*self).into());
            }
        }
    )*};
}

numbers! { u8 u16 u32 }

macro_rules! ids {
    ($($number:ident)* ; $($text:ident)*) => {
        $(impl Record for $number {
            fn record(&self, entry: &mut Entry) {
                entry.out.number(self.0.into());
            }
        })*
        $(impl Record for $text {
            fn record(&self, entry: &mut Entry) {
                entry.out.text(self.as_str());
            }
        })*
    };
}

ids! { RequestId SocketId TransportId LinkId ; Mid ParticipantId PublicationId }

macro_rules! choices {
    ($($type:ident)*) => {$(
        impl Record for $type {
            fn record(&self, entry: &mut Entry) {
                entry.out.number(*self as u64);
            }
        }
    )*};
}

choices! { Source Priority TransportState LeaveReason LayerReason ModerationAction }

/// What was judged, not what was measured: that is in the readings. Numbers of a judgement may be NaN, whose bits differ between machines.
impl Record for Judgement {
    fn record(&self, entry: &mut Entry) {
        entry.out.array(5);
        match &self.subject {
            Subject::Uplink => entry.out.number(0),
            Subject::Downlink => entry.out.number(1),
            Subject::Publication(id) => id.record(entry),
            Subject::Participant(id) => id.record(entry),
        }
        self.news.record(entry);
        self.quality.score.record(entry);
        entry.out.number(self.quality.level as u64);
        entry.out.number(self.quality.cause as u64);
    }
}

/// As it was before there was moderation: that it is blocked is told by an event of its own.
impl Record for PublicationInfo {
    fn record(&self, entry: &mut Entry) {
        let Self { id, video, source, name: _, muted, blocked: _ } = self;
        entry.out.array(5);
        id.record(entry);
        video.record(entry);
        source.record(entry);
        entry.out.null();
        muted.record(entry);
    }
}

/// In words, which don't change when a choice is added in the middle.
macro_rules! named {
    ($($type:ident)*) => {$(
        impl Record for $type {
            fn record(&self, entry: &mut Entry) {
                entry.out.text(self.name());
            }
        }
    )*};
}

named! { Code Reason State Step }

/// The way to write a field: as it is, unless the table says otherwise.
macro_rules! how {
    () => {
        $crate::journal::record::Whole
    };
    ($how:ident) => {
        $crate::journal::record::$how
    };
}
pub(super) use how;

/// Structs, field by field: one that is missing here doesn't compile. `restored`: part of an input, so that it must be read again too.
macro_rules! structs {
    ($($type:ident { $($field:ident $(as $how:ident)?),* })*) => {$(
        impl Record for $type {
            fn record(&self, entry: &mut Entry) {
                let Self { $($field),* } = self;
                entry.out.array([$(stringify!($field)),*].len());
                $(<how!($($how)?) as RecordAs<_>>::record($field, entry);)*
            }
        }
    )*};
    (restored $($type:ident { $($field:ident $(as $how:ident)?),* })*) => {
        structs! { $($type { $($field $(as $how)?),* })* }
        $(
            #[cfg(not(target_arch = "wasm32"))]
            impl Restore for $type {
                fn restore(item: &crate::wire::Item<'_>, numbers: &mut super::Numbers) -> Option<Self> {
                    let mut fields = super::trace::fields(item).iter().map(|(_, field)| field);
                    Some(Self { $($field: <how!($($how)?) as RestoreAs<_>>::restore(fields.next()?, numbers)?),* })
                }
            }
        )*
    };
}

structs! { restored
    SessionConfig { auto_subscribe, join_timeout_ms, give_up_after_ms, slots, client as Open }
    SlotCounts { audio, video }
    PublishRequest { request, source, name as Length, muted, dtx }
    Wish { publication, width, height, visible, max_fps, priority }
}

structs! {
    LayerState { publication, width, height, fps, bitrate, paused, reason }
    Speaker { participant, level }
    StepTaken { step, reason, at as Hidden, took_ms }
    Caps { cpu, direct, paused }
    CpuLimits { max_fps, no_top_layer, cheap_codec, receive_lines }
    PeerRung { height, bitrate }
    Adapted { what, step, active, reason }
    EncodingDemand { rid as Open, active, spatial_layers }
    DataMessage { peer, topic as Presence, payload as Hidden, text }
    SessionError { code, message as Hidden, retryable, retry_after_ms }
}
