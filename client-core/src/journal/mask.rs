//! What is nobody's business is taken out before it is written: tokens, session ids, credentials, addresses, names of people and rooms, what
//! they say to each other. All text and all bytes of a message are masked, unless the lists below name them: those are ids and what is
//! negotiated, which decisions compare. A field that a newer message brings is masked until somebody adds it here.
//!
//! What is masked stays what it was to a decision: text stays text, and empty if it was; bytes become none; a message that can't be read
//! becomes one that can't be read either. Masking twice is masking once. Both together make a replay of masked inputs give the masked decisions.

use crate::wire::{Item, Writer};
use Keep::{Each, Fields, Kinds, Nothing, Sdp, Sum, Text};
use alloc::{string::String, vec::Vec};

/// What is kept of an item.
pub(super) enum Keep {
    /// Numbers and flags, which are always kept.
    Nothing,
    /// The text.
    Text,
    /// The lines of a description that decisions depend on.
    Sdp,
    /// A number that changes with those lines: enough for what is only compared.
    Sum,
    /// Of these fields.
    Fields(&'static [(u64, Keep)]),
    /// Of each in a list.
    Each(&'static Keep),
    /// By the kind of a message.
    Kinds(&'static [Keep]),
}

const PUBLICATION: Keep = Fields(&[(0, Text)]);
const PARTICIPANT: Keep = Fields(&[(0, Text), (4, Each(&PUBLICATION))]);
/// A section of the transport, and its publication.
const BOUND: Keep = Fields(&[(0, Text), (1, Text)]);
const ANSWER: Keep = Fields(&[(0, Sdp), (1, Each(&BOUND))]);
/// Addresses of servers, without what they are opened with.
const ICE_SERVER: Keep = Fields(&[(0, Each(&Text))]);
const FIRST_ID: Keep = Fields(&[(0, Text)]);

/// `ServerMessage`, by number.
pub(super) const SERVER: Keep = Kinds(&[
    Fields(&[(
        0,
        Fields(&[(3, PARTICIPANT), (4, Each(&PARTICIPANT)), (6, Each(&BOUND)), (7, ANSWER), (10, Each(&Text)), (11, Each(&ICE_SERVER))]),
    )]),
    Fields(&[(1, ANSWER)]),
    Nothing,
    Nothing,
    Fields(&[(0, PARTICIPANT)]),
    FIRST_ID,
    Fields(&[(0, Text), (1, PUBLICATION)]),
    BOUND,
    FIRST_ID,
    Fields(&[(0, BOUND)]),
    Nothing,
    Fields(&[(0, Each(&FIRST_ID))]),
    Nothing,
    Nothing,
    Fields(&[(1, Each(&FIRST_ID))]),
    Fields(&[(0, Text), (1, Each(&FIRST_ID))]),
    Fields(&[(0, Each(&FIRST_ID))]),
    FIRST_ID,
    Nothing,
    Fields(&[(0, Each(&ICE_SERVER))]),
]);

const OFFER: Keep = Fields(&[(0, Sum), (1, Each(&Fields(&[(0, Text), (4, Text)])))]);
const WISHES: Keep = Fields(&[(0, Each(&PUBLICATION))]);

/// `ClientEnvelope`, its message by number.
pub(super) const CLIENT: Keep = Fields(&[(
    1,
    Kinds(&[
        Fields(&[(0, Fields(&[(2, OFFER), (4, Text)]))]),
        Fields(&[(0, OFFER)]),
        FIRST_ID,
        FIRST_ID,
        FIRST_ID,
        FIRST_ID,
        Nothing,
        Nothing,
        WISHES,
        Fields(&[(0, OFFER)]),
        FIRST_ID,
    ]),
)]);

/// `DataFrame`.
pub(super) const FRAME: Keep = Fields(&[(0, Text), (1, Text)]);

/// The message with only that left; none: it can't be read.
pub(super) fn masked(message: &[u8], keep: &Keep) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    if let Some(item) = Item::read(message) {
        mask(&item, keep, &mut out);
    }
    out.0
}

/// Arrays become maps with places for keys: to the reader of messages they are the same.
fn mask(item: &Item<'_>, keep: &Keep, out: &mut Writer) {
    match item {
        Item::Number(number) => out.number(*number),
        Item::Flag(flag) => out.flag(*flag),
        Item::Nothing => out.null(),
        Item::Bytes(_) => out.bytes(&[]),
        Item::Text(text) => match keep {
            Text => out.text(text),
            Sdp => out.text(&negotiated(text)),
            Sum => out.number(sum(text)),
            _ => out.text(if text.is_empty() { "" } else { "*" }),
        },
        Item::Fields(fields) => {
            out.map(fields.len());
            let of_kind = |table: &'static [Keep]| match fields.iter().find(|(key, _)| *key == 0) {
                Some((_, Item::Number(kind))) => table.get(usize::try_from(*kind).ok()?),
                _ => None,
            };
            for (key, field) in fields {
                let inside = match keep {
                    Fields(kept) => kept.iter().find(|(known, _)| known == key).map(|(_, keep)| keep),
                    Each(each) => Some(*each),
                    Kinds(table) if *key == 1 => of_kind(table),
                    _ => None,
                };
                out.number(*key);
                mask(field, inside.unwrap_or(&Nothing), out);
            }
        }
    }
}

/// Lines that say what is sent, where and in which codec. All others go: among them addresses, ICE passwords and fingerprints.
const NEGOTIATED: [&str; 9] =
    ["m=", "a=mid:", "a=sendonly", "a=recvonly", "a=sendrecv", "a=inactive", "a=rtpmap:", "a=fmtp:", "a=simulcast:"];

/// What decisions depend on in a description.
pub(super) fn negotiated(sdp: &str) -> String {
    let mut kept = String::new();
    for line in sdp.lines().filter(|line| NEGOTIATED.iter().any(|start| line.starts_with(start))) {
        kept.push_str(line);
        kept.push_str("\r\n");
    }
    kept
}

/// FNV-1a (draft-eastlake-fnv) of what is negotiated: tells that two differ, not what they are.
pub(super) fn sum(sdp: &str) -> u64 {
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    negotiated(sdp).bytes().fold(0x811c_9dc5, hash).into()
}
