//! Reads what a journal wrote, and feeds it to a fresh session. Not in the browser: people do this, with `examples/replay`.

mod restore;
mod words;

pub(super) use restore::{Restore, RestoreAs};

use super::{FORMAT, Numbers, OUTPUTS, TIMEOUT, table};
use crate::wire::Item;
use crate::{Input, MonoTime, Session, SessionConfig};
use core::fmt;
use core::time::Duration;

/// Why bytes are not a trace that can be read here.
#[derive(Debug, PartialEq)]
pub enum TraceError {
    /// Written by a version whose entries mean something else. Remedy: replay with the version that the file names.
    Format(u64),
    /// Not a trace, or cut short. Carries what was expected.
    Malformed(&'static str),
    /// An entry of a kind that only another version knows. Remedy: replay with the version that the file names.
    UnknownKind(u64),
}

impl fmt::Display for TraceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(format) => write!(formatter, "the trace has format {format}, this program reads {FORMAT}"),
            Self::Malformed(expected) => write!(formatter, "not a trace, or damaged: no {expected}"),
            Self::UnknownKind(kind) => write!(formatter, "an entry of kind {kind}, which this version doesn't know"),
        }
    }
}

impl core::error::Error for TraceError {}

/// One entry of a trace. Equal when every bit is: a number that is none (NaN) equals itself here.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it happened, or was decided.
    pub at: MonoTime,
    /// What.
    pub what: What,
    /// As it was written.
    bytes: Vec<u8>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, &self.bytes) == (other.at, &other.bytes)
    }
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The timer ran out.
    Timeout,
    /// Something happened. Boxed, as it is the largest by far.
    Input(Box<Input>),
    /// The session decided something.
    Decision,
}

/// What a session was made with, was told and decided.
#[derive(Clone, Debug)]
pub struct Trace {
    config: SessionConfig,
    seed: u64,
    entries: Vec<Entry>,
    /// Entries from the start to the first gap: these can be replayed.
    whole: usize,
    dropped: u32,
}

/// What came out of a replay.
#[derive(Clone, Debug, PartialEq)]
pub enum Replay {
    /// Every decision, bit for bit.
    Identical,
    /// The first entry that differs, by its place in [`Trace::entries`].
    Differs {
        /// Where.
        place: usize,
        /// What this version decides there; none: nothing more.
        replayed: Option<Entry>,
    },
}

impl Trace {
    /// Reads what [`Session::trace`] wrote.
    ///
    /// # Errors
    /// When these bytes are something else, or were written by a version that is too different.
    pub fn read(bytes: &[u8]) -> Result<Self, TraceError> {
        let mut rest = bytes;
        match Item::next(&mut rest) {
            Some(Item::Number(FORMAT)) => {}
            Some(Item::Number(other)) => return Err(TraceError::Format(other)),
            _ => return Err(TraceError::Malformed("format")),
        }
        let Some(Item::Number(seed)) = Item::next(&mut rest) else { return Err(TraceError::Malformed("seed")) };
        let config = Item::next(&mut rest).and_then(|item| SessionConfig::restore(&item, &mut Numbers::default()));
        let config = config.ok_or(TraceError::Malformed("configuration"))?;
        let dropped = Item::next(&mut rest).and_then(|item| u32::restore(&item, &mut Numbers::default()));
        let dropped = dropped.ok_or(TraceError::Malformed("count of what was dropped"))?;
        let mut entries = Vec::new();
        let mut whole = 0;
        for place in ["head", "older piece", "newer piece"] {
            let Some(Item::Bytes(piece)) = Item::next(&mut rest) else { return Err(TraceError::Malformed(place)) };
            read_piece(piece, &mut entries)?;
            if dropped == 0 || place == "head" {
                whole = entries.len();
            }
        }
        Ok(Self { config, seed, entries, whole, dropped })
    }

    /// Everything, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries from the start can be replayed: all of them, unless the call was so long that its middle was dropped.
    #[must_use]
    pub fn replayable(&self) -> usize {
        self.whole
    }

    /// Pieces of the journal that were dropped behind those.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// What the session was made with.
    #[must_use]
    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Does everything again in a fresh session.
    ///
    /// # Errors
    /// When what the fresh session writes can't be read, which would be a bug.
    pub fn replay(&self) -> Result<Replay, TraceError> {
        let recorded = self.entries.get(..self.whole).unwrap_or_default();
        let mut session = Session::new(self.config.clone(), self.seed);
        for entry in recorded {
            match &entry.what {
                What::Timeout => session.handle_timeout(entry.at),
                What::Input(input) => session.handle_input(entry.at, Input::clone(input)),
                What::Decision => continue,
            }
            while session.poll_output().is_some() {}
        }
        let replayed = Self::read(&session.trace())?.entries;
        let differs = |place: &usize| recorded.get(*place) != replayed.get(*place);
        Ok(match (0..recorded.len().max(replayed.len())).find(differs) {
            None => Replay::Identical,
            Some(place) => Replay::Differs { place, replayed: replayed.get(place).cloned() },
        })
    }
}

/// The parts of an array or a map.
pub(super) fn fields<'item, 'bytes>(item: &'item Item<'bytes>) -> &'item [(u64, Item<'bytes>)] {
    if let Item::Fields(fields) = item { fields } else { &[] }
}

fn field<'item, 'bytes>(item: &'item Item<'bytes>, key: u64) -> Option<&'item Item<'bytes>> {
    fields(item).iter().find(|(known, _)| *known == key).map(|(_, field)| field)
}

fn number(item: &Item<'_>, key: u64) -> Option<u64> {
    if let Item::Number(number) = field(item, key)? { Some(*number) } else { None }
}

/// Times and statistics begin anew in each piece.
fn read_piece(mut piece: &[u8], entries: &mut Vec<Entry>) -> Result<(), TraceError> {
    let (mut at, mut numbers) = (MonoTime::default(), Numbers::default());
    while !piece.is_empty() {
        let Some(Item::Bytes(bytes)) = Item::next(&mut piece) else { return Err(TraceError::Malformed("entry")) };
        let (kind, fields) = split(bytes).ok_or(TraceError::Malformed("fields of an entry"))?;
        let what = if kind >= OUTPUTS {
            What::Decision
        } else {
            let Some((Item::Number(since), fields)) = fields.split_first() else { return Err(TraceError::Malformed("time of an entry")) };
            at = at + Duration::from_micros(*since);
            match kind {
                TIMEOUT => What::Timeout,
                _ => What::Input(Box::new(table::restore_input(kind, fields, &mut numbers).ok_or(TraceError::UnknownKind(kind))?)),
            }
        };
        entries.push(Entry { at, what, bytes: bytes.to_vec() });
    }
    Ok(())
}

/// The kind of an entry, and what follows.
fn split(mut bytes: &[u8]) -> Option<(u64, Vec<Item<'_>>)> {
    let Item::Number(kind) = Item::next(&mut bytes)? else { return None };
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        fields.push(Item::next(&mut bytes)?);
    }
    Some((kind, fields))
}
