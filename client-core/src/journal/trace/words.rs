//! Entries in words, for people.

use super::super::table::{EVENT_WORDS, INPUT_WORDS, OUTPUT_WORDS};
use super::super::{EVENTS, TIMEOUT};
use super::{Entry, What, field, number, split};
use crate::Input;
use crate::wire::{Item, server_message};
use core::fmt;

/// What we say to the edge, by number.
const CLIENT_MESSAGES: [&str; 11] =
    ["join", "offer", "unpublish", "mute", "subscribe", "unsubscribe", "leave", "ping", "wishes", "transport", "peer"];

/// The kind of [`crate::Output::Send`].
const SEND: &str = "Send";

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Timeout => formatter.write_str("timer"),
            What::Input(input) => match input.as_ref() {
                Input::SocketMessage(socket, bytes) => match server_message(bytes) {
                    Ok(message) => write!(formatter, "socket {}: {message:?}", socket.0),
                    Err(why) => write!(formatter, "socket {}: {} message", socket.0, format!("{why:?}").to_lowercase()),
                },
                other => write!(formatter, "{other:?}"),
            },
            What::Decision => decision(&self.bytes, formatter),
        }
    }
}

fn decision(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some((kind, fields)) = split(bytes) else { return formatter.write_str("(unreadable)") };
    let mut fields = fields.as_slice();
    let mut kind = kind;
    // An event is an output that carries one.
    if let Some((Item::Number(event), of_event)) = fields.split_first()
        && *event >= EVENTS
        && name(kind).is_some_and(|(name, _)| name == "Event")
    {
        (kind, fields) = (*event, of_event);
    }
    let Some((name, words)) = name(kind) else { return write!(formatter, "(decision {kind}, of another version)") };
    if name == SEND
        && let [Item::Bytes(message)] = fields
    {
        return sent(message, formatter);
    }
    formatter.write_str(name)?;
    for (word, field) in words.iter().zip(fields) {
        write!(formatter, " {word}={}", Words(field))?;
    }
    Ok(())
}

fn name(kind: u64) -> Option<(&'static str, &'static [&'static str])> {
    debug_assert!(kind != TIMEOUT, "a timer is no decision");
    let all = INPUT_WORDS.iter().chain(OUTPUT_WORDS).chain(EVENT_WORDS);
    all.into_iter().find(|(known, ..)| *known == kind).map(|(_, name, words)| (*name, *words))
}

fn sent(message: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let item = Item::read(message);
    let parts = item.as_ref().and_then(|item| Some((number(item, 0)?, field(item, 1)?)));
    let Some((id, message)) = parts else { return formatter.write_str("Send (unreadable)") };
    let kind = number(message, 0).and_then(|kind| CLIENT_MESSAGES.get(usize::try_from(kind).ok()?));
    write!(formatter, "Send {} #{id} {}", kind.unwrap_or(&"?"), Words(field(message, 1).unwrap_or(&Item::Nothing)))
}

/// An item in words.
struct Words<'item>(&'item Item<'item>);

impl fmt::Display for Words<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Item::Number(number) => write!(formatter, "{number}"),
            Item::Text(text) => formatter.write_str(text.trim_end()),
            Item::Bytes(bytes) => write!(formatter, "({} bytes)", bytes.len()),
            Item::Flag(flag) => write!(formatter, "{flag}"),
            Item::Nothing => formatter.write_str("-"),
            Item::Fields(fields) => {
                formatter.write_str("[")?;
                for (place, (_, field)) in fields.iter().enumerate() {
                    write!(formatter, "{}{}", if place > 0 { " " } else { "" }, Words(field))?;
                }
                formatter.write_str("]")
            }
        }
    }
}
