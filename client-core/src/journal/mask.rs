//! What is nobody's business is taken out before it is written: tokens, session ids, credentials, addresses, names of people and rooms, what
//! they say to each other. All text and all bytes of a message are masked, unless the lists below name them: those are ids and what is
//! negotiated, which decisions compare. A field that a newer message brings is masked until somebody adds it here.
//!
//! What is masked stays what it was to a decision: text stays text, though nobody knows which; bytes become none; a message that can't be read
//! becomes one that can't be read either. Masking twice is masking once. Both together make a replay of masked inputs give the masked decisions.

use crate::wire::{Item, Writer};
use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// Which text of a kind of message is kept.
pub(super) struct Keep {
    /// Paths to it, between spaces: the kind, then the key or the place of each field on the way, each as one letter that is so far behind `0` in
    /// ASCII (`9` is 9, `:` 10, `;` 11, `>` 14, `?` 15, `@` 16, `A` 17, `C` 19, `D` 20, `E` 21). `*`: any.
    paths: &'static str,
    /// Paths to text that decisions only compare: each that is different gets a letter of its own.
    compared: &'static str,
    /// Paths to text that is a description, whoever wrote it.
    described: &'static str,
    /// How many letters come before the kind; none if it is that many.
    kind_at: usize,
}

/// `ServerMessage`.
pub(super) const SERVER: Keep = Keep {
    paths: concat!(
        "0030 0034*0 004*0 004*4*0 ",      // joined: participants and their publications,
        "006*0 006*1 ",                    // slots,
        "0070 0071*0 0071*1 00:* 00;*0* ", // the answer, other edges, addresses of ICE servers
        "110 111*0 111*1 ",                // answer
        "400 404*0 50 60 610 70 71 80 ",   // participants, publications
        "900 901 ;0*0 >1*0 ?0 ?1*0 @0*0 ", // slot, speakers, layers, encodings, qualities
        "314 <04 ",                        // where to go instead
        "A0 A1 C0*0* D01 E0",              // who sent a payload, and that; addresses of ICE servers; what was moderated; where to move
    ),
    // Identities: who is who in a session that goes on where another one ended.
    compared: "0031 004*1 401",
    described: "A1",
    kind_at: 0,
};

/// `ClientEnvelope`. Offers are those that the transport made, a moment before.
pub(super) const CLIENT: Keep = Keep {
    paths: concat!(
        "1004 10021*0 10021*4 10050 ",   // join: our software, sections, as whom
        "1101*0 1101*4 1901*0 1901*4 ",  // offers: sections
        "120 130 140 150 180*0 1:0 1:1", // publications, wishes, payloads and whom they are for
    ),
    compared: "",
    described: "1:1",
    kind_at: 1,
};

/// `DataFrame`: from whom, for whom.
pub(super) const FRAME: Keep = Keep { paths: "0 1", compared: "", described: "", kind_at: usize::MAX };

/// Texts that were met in places where they are compared, in that order. The letter that stands for one says which it is, not what.
#[derive(Debug, Default)]
pub(super) struct Compared(Vec<String>);

/// Texts that are told apart: as many people as a room shows.
const MAX_COMPARED: usize = 4096;

/// The first of the letters: none that anybody writes alone, so that what is masked can be masked again.
const FIRST_LETTER: u32 = 0x100;

impl Compared {
    fn stand_in(&mut self, text: &str) -> char {
        let place = self.0.iter().position(|known| known == text).unwrap_or_else(|| {
            if self.0.len() < MAX_COMPARED {
                self.0.push(text.to_owned());
            }
            self.0.len().saturating_sub(1)
        });
        char::from_u32(FIRST_LETTER + place as u32).unwrap_or('*')
    }
}

/// The message with only that left; none: it can't be read.
pub(super) fn masked(message: &[u8], keep: &Keep, compared: &mut Compared) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    if let Some(item) = Item::read(message) {
        mask(&item, keep, &mut Vec::new(), compared, &mut out);
    }
    out.0
}

/// Arrays become maps with places for keys: to the reader of messages they are the same.
fn mask(item: &Item<'_>, keep: &Keep, path: &mut Vec<u8>, compared: &mut Compared, out: &mut Writer) {
    match item {
        Item::Number(number) => out.number(*number),
        Item::Flag(flag) => out.flag(*flag),
        Item::Nothing => out.null(),
        Item::Bytes(_) => out.bytes(&[]),
        // No id has a line break, and what participants hand to each other is none: this is a description.
        Item::Text(text) if has(keep.paths, path) && (text.contains('\n') || has(keep.described, path)) => out.text(&negotiated(text)),
        Item::Text(text) if has(keep.paths, path) => out.text(text),
        Item::Text(text) if has(keep.compared, path) => out.text(compared.stand_in(text).encode_utf8(&mut [0; 4])),
        Item::Text(_) => out.text("*"),
        Item::Fields(fields) => {
            out.map(fields.len());
            let mut kind = None;
            for (key, field) in fields {
                out.number(*key);
                let step = match (key, kind) {
                    (1, Some(kind)) => kind,
                    _ => key,
                };
                if let (0, Item::Number(number), true) = (key, field, path.len() == keep.kind_at) {
                    kind = Some(number);
                }
                // None of the letters that are known is that far behind.
                path.push(b'0' + (*step).min(70) as u8);
                mask(field, keep, path, compared, out);
                path.pop();
            }
        }
    }
}

fn has(paths: &str, path: &[u8]) -> bool {
    let is = |known: &[u8]| known.len() == path.len() && known.iter().zip(path).all(|(known, step)| *known == b'*' || known == step);
    paths.as_bytes().split(|letter| *letter == b' ').any(is)
}

/// Lines that say what is sent, where and in which codec: `mid`, `sendonly`, `sendrecv`, `recvonly`, `inactive`, `rtpmap`, `fmtp`. All others go:
/// among them addresses, ICE passwords and fingerprints. Three letters tell these names from all that there are.
/// Lines with `n=` are those of `direct::message`.
fn is_negotiated(line: &str) -> bool {
    line.starts_with("m=")
        || line.starts_with("n=")
        || line.starts_with("a=") && matches!(line.get(2..5), Some("mid" | "sen" | "rec" | "ina" | "rtp" | "fmt"))
}

/// What decisions depend on in a description.
pub(super) fn negotiated(sdp: &str) -> String {
    let mut kept = String::new();
    for line in sdp.lines().filter(|line| is_negotiated(line)) {
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
