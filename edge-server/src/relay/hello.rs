//! The first thing that two edges tell each other on a link.

use super::control;
use minicbor::{Decode, Encode};
use quinn::{RecvStream, SendStream};

/// Of what is said over links. Grows with changes that an older edge can't skip; the lower one of two is spoken.
pub(super) const VERSION: u32 = 1;

/// Bytes of a greeting.
const LONGEST: usize = 1_024;

/// Who is at the other end.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cbor(map)]
pub(super) struct Hello {
    #[n(0)]
    pub(super) version: u32,
    /// The edge's id.
    #[n(1)]
    pub(super) id: String,
    /// Grows with every start of it: milliseconds since 1970.
    #[n(2)]
    pub(super) incarnation: u64,
    /// Shards it has, which are numbered from 0.
    #[n(3)]
    pub(super) shards: u8,
    /// Where it stands.
    #[n(4)]
    #[cbor(default)]
    pub(super) region: String,
    /// It passes publications on to others, and gets them from others.
    #[n(5)]
    #[cbor(default)]
    pub(super) passes_on: bool,
}

impl Hello {
    pub(super) async fn send(&self, stream: &mut SendStream) -> Result<(), String> {
        let bytes = minicbor::to_vec(self).map_err(|error| error.to_string())?;
        control::write_frame(stream, &bytes).await.map_err(|error| format!("greeting: {error}"))
    }

    pub(super) async fn receive(stream: &mut RecvStream) -> Result<Self, String> {
        let bytes = control::read_frame(stream, LONGEST).await.map_err(|error| format!("greeting: {error}"))?;
        let hello: Self = minicbor::decode(&bytes).map_err(|_| "it greets in a way that this version doesn't understand".to_owned())?;
        if hello.shards == 0 || hello.id.is_empty() {
            return Err("it greets without a name or without shards".to_owned());
        }
        Ok(hello)
    }
}
