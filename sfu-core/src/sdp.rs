//! Reads a peer's SDP offer and writes the edge's answer.
//!
//! In: the text of an offer, and for each media section the session's decision what to do with it. Out: plain values to decide by,
//! and the text of an answer. The edge always answers, is ICE-lite, and puts everything on one bundled transport.
//!
//! ```text
//! Offer::parse ─► Section ─► negotiate ─► NegotiatedSection ─► AnswerSection ─► Answer::write
//! ```
//!
//! Invariants, each with a test of the same name in `sdp/tests/`:
//! * `any_text_is_parsed_or_refused`: hostile offers cost their sender an error, never a panic, and what is kept is within [`limits`];
//! * `answers_mirror_the_offer`: an answer has the offer's sections in the offer's order, and nothing in it that wasn't offered;
//! * `header_extension_ids_mean_one_thing`: over a whole offer an id stands for one extension and an extension has one id.
//!
//! Syntax is read by `rtc-sdp`. Not here: which publications a peer may have, which SSRC a slot gets (the session decides), and
//! candidates of the offerer (an ICE-lite edge learns its peer's addresses from the checks that arrive).
//!
//! `docs/sdp.md` tells what is accepted, what isn't, and why.

mod answer;
mod codec_key;
mod error;
mod fmtp;
mod fragment;
pub mod limits;
mod negotiate;
mod offer;
mod parse;
#[cfg(test)]
mod tests;
mod transport;
mod write;

pub use answer::{Answer, AnswerSection, Candidates, EgressStream};
pub use codec_key::CodecKey;
pub use error::SdpError;
pub use fragment::SdpFragment;
pub use negotiate::{AnswerOptions, NegotiatedSection, negotiate};
pub use offer::{Direction, Feedback, HeaderExtension, Offer, OfferedCodec, Section, SectionKind, SourceSsrc};
pub use transport::{Fingerprint, IceCredentials, Setup};
