//! Just enough CBOR (RFC 8949): what our messages are made of. Lengths are definite, as both halves write them; numbers below zero and
//! floating-point numbers are skipped, since no message has any.

/// Deepest nesting that is read. `joined` needs 8.
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::cell::Cell;

const MAX_DEPTH: u8 = 16;

/// One decoded item. It borrows text and bytes, so it cannot grow beyond a small multiple of the message, which `MAX_MESSAGE_BYTES` bounds.
#[derive(Debug)]
pub(crate) enum Item<'bytes> {
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
    pub(crate) fn read(mut bytes: &'bytes [u8]) -> Option<Self> {
        let item = read(&mut bytes, MAX_DEPTH)?;
        bytes.is_empty().then_some(item)
    }

    /// Reads one item and leaves what follows it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn next(bytes: &mut &'bytes [u8]) -> Option<Self> {
        read(bytes, MAX_DEPTH)
    }

    fn fields(&self) -> &[(u64, Item<'bytes>)] {
        if let Self::Fields(fields) = self { fields } else { &[] }
    }
}

/// A place in a message, for reading values in a straight line: what is missing or of another kind reads as nothing, and is remembered for the
/// whole message. Asking after each field whether to go on would cost the code that lets go of half-read values, 1 kB of gzip.
#[derive(Clone, Copy)]
pub(super) struct Place<'items, 'bytes> {
    item: &'items Item<'bytes>,
    failed: &'items Cell<bool>,
}

impl<'items, 'bytes> Place<'items, 'bytes> {
    /// What `read` makes of `item`; none if anything that it asked for wasn't there.
    pub(super) fn whole<T>(item: &Item<'bytes>, read: impl FnOnce(Place<'_, 'bytes>) -> T) -> Option<T> {
        let failed = Cell::new(false);
        let value = read(Place { item, failed: &failed });
        (!failed.get()).then_some(value)
    }

    /// The field with this key; none: absent or null.
    pub(super) fn optional(self, key: u64) -> Option<Self> {
        let (_, item) = self.item.fields().iter().find(|(number, _)| *number == key)?;
        (!matches!(item, Item::Nothing)).then_some(Self { item, ..self })
    }

    /// The field with this key.
    pub(super) fn field(self, key: u64) -> Self {
        self.optional(key).unwrap_or_else(|| {
            self.fail();
            Self { item: &Item::Nothing, ..self }
        })
    }

    pub(super) fn fail(self) {
        self.failed.set(true);
    }

    /// A number up to `most`.
    #[inline(never)]
    pub(super) fn number(self, key: u64, most: u32) -> u32 {
        match self.field(key).item {
            Item::Number(number) if *number <= u64::from(most) => *number as u32,
            _ => {
                self.fail();
                0
            }
        }
    }

    pub(super) fn number32(self, key: u64) -> u32 {
        self.number(key, u32::MAX)
    }

    pub(super) fn number16(self, key: u64) -> u16 {
        self.number(key, u16::MAX.into()) as u16
    }

    pub(super) fn number8(self, key: u64) -> u8 {
        self.number(key, u8::MAX.into()) as u8
    }

    #[inline(never)]
    pub(super) fn flag(self, key: u64) -> bool {
        match self.field(key).item {
            Item::Flag(flag) => *flag,
            _ => {
                self.fail();
                false
            }
        }
    }

    /// A flag that an older edge doesn't know.
    #[inline(never)]
    pub(super) fn optional_flag(self, key: u64) -> bool {
        self.optional(key).is_some() && self.flag(key)
    }

    /// Text, if there is any.
    #[inline(never)]
    pub(super) fn optional_text(self, key: u64) -> Option<String> {
        if let Item::Text(text) = self.optional(key)?.item { Some((*text).to_owned()) } else { None }
    }

    #[inline(never)]
    pub(super) fn text(self, key: u64) -> String {
        self.optional_text(key).unwrap_or_else(|| {
            self.fail();
            String::new()
        })
    }

    #[inline(never)]
    pub(super) fn bytes(self, key: u64) -> Vec<u8> {
        if let Item::Bytes(bytes) = self.field(key).item {
            bytes.to_vec()
        } else {
            self.fail();
            Vec::new()
        }
    }

    /// This place itself, which must be text.
    pub(super) fn as_text(self) -> String {
        if let Item::Text(text) = self.item {
            (*text).to_owned()
        } else {
            self.fail();
            String::new()
        }
    }

    /// As [`Self::list`]; empty when there is no such field.
    pub(super) fn optional_list<T>(self, key: u64, item: fn(Self) -> T) -> Vec<T> {
        if self.optional(key).is_some() { self.list(key, item) } else { Vec::new() }
    }

    /// All items of the array at `key`, read by `item`.
    pub(super) fn list<T>(self, key: u64, item: fn(Self) -> T) -> Vec<T> {
        self.field(key).item.fields().iter().map(|(_, one)| item(Self { item: one, ..self })).collect()
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
