//! Just enough CBOR (RFC 8949): what our messages are made of. Lengths are definite, as both halves write them; numbers below zero and
//! floating-point numbers are skipped, since no message has any.

/// Deepest nesting that is read. `joined` needs 8.
use alloc::{borrow::ToOwned, string::String, vec::Vec};

const MAX_DEPTH: u8 = 16;

/// One decoded item. It borrows text and bytes, so it cannot grow beyond a small multiple of the message, which `MAX_MESSAGE_BYTES` bounds.
#[derive(Debug)]
pub(super) enum Item<'bytes> {
    Number(u64),
    Text(&'bytes str),
    Bytes(&'bytes [u8]),
    Flag(bool),
    /// A map with numbers for keys, or an array: its places are the keys.
    Fields(Vec<(u64, Item<'bytes>)>),
    /// Null, and what no message contains.
    Nothing,
}

impl<'bytes> Item<'bytes> {
    /// Reads one item that fills `bytes`.
    pub(super) fn read(mut bytes: &'bytes [u8]) -> Option<Self> {
        let item = read(&mut bytes, MAX_DEPTH)?;
        bytes.is_empty().then_some(item)
    }

    /// The field with this key; none: absent or null.
    pub(super) fn field(&self, key: u64) -> Option<&Item<'bytes>> {
        let (_, item) = self.fields().iter().find(|(number, _)| *number == key)?;
        (!matches!(item, Self::Nothing)).then_some(item)
    }

    pub(super) fn fields(&self) -> &[(u64, Item<'bytes>)] {
        if let Self::Fields(fields) = self { fields } else { &[] }
    }

    pub(super) fn number(&self, key: u64) -> Option<u64> {
        if let Self::Number(number) = self.field(key)? { Some(*number) } else { None }
    }

    pub(super) fn number32(&self, key: u64) -> Option<u32> {
        u32::try_from(self.number(key)?).ok()
    }

    pub(super) fn flag(&self, key: u64) -> Option<bool> {
        if let Self::Flag(flag) = self.field(key)? { Some(*flag) } else { None }
    }

    pub(super) fn text(&self, key: u64) -> Option<String> {
        self.field(key)?.as_text()
    }

    pub(super) fn as_text(&self) -> Option<String> {
        if let Self::Text(text) = self { Some((*text).to_owned()) } else { None }
    }

    /// All items of the array at `key`, read by `item`.
    pub(super) fn list<T>(&self, key: u64, item: fn(&Item<'bytes>) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for (_, one) in self.field(key)?.fields() {
            list.push(item(one)?);
        }
        Some(list)
    }
}

fn read<'bytes>(bytes: &mut &'bytes [u8], depth: u8) -> Option<Item<'bytes>> {
    let depth = depth.checked_sub(1)?;
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    let argument = match first & 0x1f {
        small @ 0..24 => u64::from(small),
        wide @ 24..28 => take(bytes, 1 << (wide - 24))?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        _ => return None,
    };
    Some(match first >> 5 {
        0 => Item::Number(argument),
        2 => Item::Bytes(take(bytes, argument)?),
        3 => Item::Text(core::str::from_utf8(take(bytes, argument)?).ok()?),
        4 => {
            let mut fields = Vec::new();
            for place in 0..argument {
                fields.push((place, read(bytes, depth)?));
            }
            Item::Fields(fields)
        }
        5 => {
            let mut fields = Vec::new();
            for _ in 0..argument {
                let key = read(bytes, depth)?;
                let value = read(bytes, depth)?;
                if let Item::Number(key) = key {
                    fields.push((key, value));
                }
            }
            Item::Fields(fields)
        }
        // A tag: what matters is behind it.
        6 => read(bytes, depth)?,
        7 if first == 0xf4 || first == 0xf5 => Item::Flag(first == 0xf5),
        _ => Item::Nothing,
    })
}

fn take<'bytes>(bytes: &mut &'bytes [u8], count: u64) -> Option<&'bytes [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(count).ok()?)?;
    *bytes = rest;
    Some(taken)
}
