//! What two participants say to each other to set up a connection: text in the payload of `peer` messages, which the edge hands on unread.
//!
//! ```text
//! n=offer 3 1          what, the connection's number (its publisher's), the round of its negotiation
//! n=0 t_9dkp           a section and its publication, one line each (offers only)
//! v=0…                 a description or a candidate
//! ```
//!
//! Whoever is in the room can send this, in any form: what can't be read, or is too much, is none.

use alloc::{string::String, vec::Vec};
use nearcast_protocol::{MAX_PEER_PAYLOAD, Mid, PublicationId};

/// Sections of a connection: the edge lets nobody publish so many.
const MAX_LINES: usize = 32;

/// Bytes of an id: far above what edges give.
const MAX_ID: usize = 64;

/// Bytes of a candidate: those of browsers have 200 at most.
const MAX_CANDIDATE: usize = 1024;

/// What is said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Word {
    /// Publisher: a connection, or more of it.
    Offer,
    /// Receiver: accepted.
    Answer,
    /// Publisher: one of its addresses.
    Candidate,
    /// Receiver: one of its addresses.
    Reply,
    /// Receiver: all media of this round is here, the edge's isn't needed.
    Have,
    /// Receiver: this connection isn't used, or no longer.
    Lost,
    /// Publisher: media goes through the edge again, the connection ends as soon as that arrives.
    End,
    /// Nothing comes from the edge: send directly, whatever the room's mode is. The number is 1, and 0 when that is over.
    Want,
}

const WORDS: [(&str, Word); 8] = [
    ("offer", Word::Offer),
    ("answer", Word::Answer),
    ("candidate", Word::Candidate),
    ("reply", Word::Reply),
    ("have", Word::Have),
    ("lost", Word::Lost),
    ("end", Word::End),
    ("want", Word::Want),
];

/// A message.
#[derive(Debug, PartialEq)]
pub(crate) struct Message<'payload> {
    pub(crate) word: Word,
    pub(crate) link: u32,
    pub(crate) round: u32,
    pub(crate) lines: Vec<(PublicationId, Mid)>,
    pub(crate) body: &'payload str,
}

/// Reads a payload.
pub(crate) fn read(payload: &str) -> Option<Message<'_>> {
    if payload.len() > MAX_PEER_PAYLOAD {
        return None;
    }
    let (first, mut body) = line(payload)?;
    let (name, numbers) = cut(first, b' ')?;
    let (_, word) = WORDS.into_iter().find(|(known, _)| *known == name)?;
    let (link, round) = cut(numbers, b' ')?;
    let (link, round) = (link.parse().ok()?, round.parse().ok()?);
    let mut lines = Vec::new();
    while let Some((one, rest)) = line(body) {
        let (mid, publication) = cut(one, b' ')?;
        if lines.len() >= MAX_LINES || super::section(0, mid).is_none() || publication.len() > MAX_ID {
            return None;
        }
        lines.push((PublicationId(publication.into()), Mid(mid.into())));
        body = rest;
    }
    if matches!(word, Word::Candidate | Word::Reply) && body.len() > MAX_CANDIDATE {
        return None;
    }
    Some(Message { word, link, round, lines, body })
}

/// The first line, if it is one of ours, and what follows it.
fn line(text: &str) -> Option<(&str, &str)> {
    let (line, rest) = cut(text.strip_prefix("n=")?, b'\n')?;
    Some((line.strip_suffix("\r").unwrap_or(line), rest))
}

/// What is before the first such byte, and what is behind it. What splits texts at characters is far more code.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.as_bytes().iter().position(|byte| *byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Writes one.
pub(crate) fn write(word: Word, link: u32, round: u32, lines: &[(PublicationId, Mid)], body: &str) -> String {
    let name = WORDS.into_iter().find(|(_, known)| *known == word).map_or("", |(name, _)| name);
    let mut out = String::from("n=");
    out.push_str(name);
    for number in [link, round] {
        out.push(' ');
        push_number(&mut out, number);
    }
    out.push('\n');
    for (publication, mid) in lines {
        for part in ["n=", mid.as_str(), " ", publication.as_str(), "\n"] {
            out.push_str(part);
        }
    }
    out.push_str(body);
    out
}

/// Without the formatting machinery, which is larger than all of this.
pub(super) fn push_number(out: &mut String, number: u32) {
    if number > 9 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests;
