//! Values, read again: the reverse of `record`, with a stand-in for what was masked.

use super::super::Numbers;
use super::super::record::{Description, Frame, FromEdge, Length, Open, Presence, Whole};
use super::fields;
use crate::wire::Item;
use crate::{LinkId, RequestId, SocketId, TransportState};
use nearcast_protocol::client::Source;
use nearcast_protocol::{Mid, ModerationAction, ParticipantId, Priority, PublicationId};

/// What stands for a secret.
const MASK: &str = "*";

/// The reverse of `Record`.
pub(in super::super) trait Restore: Sized {
    /// Reads one item; none: it is something else.
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<Self>;
}

/// The reverse of `RecordAs`.
pub(in super::super) trait RestoreAs<T> {
    /// Reads one item; none: it is something else.
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<T>;
}

impl<T: Restore> RestoreAs<T> for Whole {
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<T> {
        T::restore(item, numbers)
    }
}

impl RestoreAs<Option<String>> for Presence {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Option<String>> {
        let Item::Flag(present) = item else { return None };
        Some(present.then(|| MASK.to_owned()))
    }
}

impl RestoreAs<String> for Length {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<String> {
        let Item::Number(length) = item else { return None };
        Some(MASK.repeat(usize::try_from(*length).ok().filter(|length| *length <= super::super::record::LONG)?))
    }
}

impl RestoreAs<String> for Open {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<String> {
        text(item)
    }
}

impl RestoreAs<String> for Description {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<String> {
        text(item)
    }
}

impl RestoreAs<Vec<u8>> for FromEdge {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Vec<u8>> {
        bytes(item)
    }
}

impl RestoreAs<Vec<u8>> for Frame {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Vec<u8>> {
        bytes(item)
    }
}

fn text(item: &Item<'_>) -> Option<String> {
    if let Item::Text(text) = item { Some((*text).to_owned()) } else { None }
}

fn bytes(item: &Item<'_>) -> Option<Vec<u8>> {
    if let Item::Bytes(bytes) = item { Some(bytes.to_vec()) } else { None }
}

impl Restore for bool {
    fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Self> {
        if let Item::Flag(flag) = item { Some(*flag) } else { None }
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl Restore for $type {
            fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Self> {
                if let Item::Number(number) = item { Self::try_from(*number).ok() } else { None }
            }
        }
    )*};
}

numbers! { u8 u16 u32 u64 }

macro_rules! ids {
    ($($number:ident)* ; $($text:ident)*) => {
        $(impl Restore for $number {
            fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<Self> {
                u32::restore(item, numbers).map(Self)
            }
        })*
        $(impl Restore for $text {
            fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Self> {
                text(item).map(Self)
            }
        })*
    };
}

ids! { RequestId SocketId LinkId ; Mid ParticipantId PublicationId }

/// By number, as they are declared.
macro_rules! choices {
    ($($type:ident { $($choice:ident)* })*) => {$(
        impl Restore for $type {
            fn restore(item: &Item<'_>, _: &mut Numbers) -> Option<Self> {
                let Item::Number(number) = item else { return None };
                [$(Self::$choice),*].into_iter().find(|choice| *choice as u64 == *number)
            }
        }
    )*};
}

choices! {
    Source { Camera Microphone Screen ScreenAudio Other }
    Priority { Auto Thumbnail Speaker OnStage }
    TransportState { Connected Disconnected Failed }
    ModerationAction { Remove Readmit AskMute Mute AllowUnmute Lock Unlock End }
}

impl<T: Restore> Restore for Option<T> {
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<Self> {
        if matches!(item, Item::Nothing) { Some(None) } else { T::restore(item, numbers).map(Some) }
    }
}

impl<T: Restore> Restore for Vec<T> {
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<Self> {
        fields(item).iter().map(|(_, one)| T::restore(one, numbers)).collect()
    }
}

impl<A: Restore, B: Restore> Restore for (A, B) {
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<Self> {
        let [(_, first), (_, second)] = fields(item) else { return None };
        Some((A::restore(first, numbers)?, B::restore(second, numbers)?))
    }
}
