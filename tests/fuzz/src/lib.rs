//! Everything that reads bytes from the network, each as one function that takes bytes: a [`Target`].
//!
//! A target panics when what must hold doesn't: no panic in what it calls, no answer larger than stated, what was written is read back.
//! Two things drive them: `make fuzz` (libFuzzer, `fuzz/`, which looks for new paths through the code) and the stage `fuzz` of `make test`
//! ([`smoke`]: the committed corpora and seeded changes of them, with the stable compiler). What either finds is mended, and becomes a
//! file of its corpus and a vector of a unit test.
//!
//! Not here: whole calls under attack (`tests/attack`, `tests/sim`).

pub mod corpus;
pub mod mutate;
pub mod seeds;
pub mod smoke;
mod targets;

/// Something to throw bytes at.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As its corpus, its seeds and its program in `fuzz/fuzz_targets` are called.
    pub name: &'static str,
    /// Panics if something is wrong.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($(#[doc = $doc:literal])* $name:ident: $run:expr;)*) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name },)*];

        $($(#[doc = $doc])*
        pub fn $name(bytes: &[u8]) {
            ($run)(bytes);
        })*
    };
}

targets! {
    /// A datagram's kind, and a connectivity check, authentic or not.
    stun: |bytes| { let _kind = sfu_core::rtp::classify(bytes); sfu_core::fuzzing::check(bytes) };
    /// Datagrams of a DTLS client of ours: records, fragments, handshake messages.
    dtls: |bytes| sfu_core::fuzzing::handshake(bytes, false);
    /// Datagrams of a foreign DTLS client.
    dtls_foreign: targets::dtls_foreign;
    /// SRTP and SRTCP: noise, sealed packets with changed bytes, indices that jump.
    srtp: targets::srtp::run;
    /// RTP headers and their extensions.
    rtp: targets::rtp::run;
    /// Payload descriptors of VP8, VP9, H.264, AV1 and RED, dependency descriptors and layer allocations.
    codecs: targets::codecs::run;
    /// Compound RTCP.
    rtcp: targets::rtcp::run;
    /// What edges tell each other, and the datagrams it comes in.
    relay: sfu_core::fuzzing::relay;
    /// Transport-wide feedback, REMB and loss reports, and what they do to an estimate.
    estimate: sfu_core::fuzzing::estimate;
    /// Offers, fragments, and the answers to them.
    sdp: targets::sdp::run;
    /// Signalling messages, CBOR and JSON.
    signalling: targets::signalling::run;
    /// Decrypted SCTP packets and the messages in them.
    datachannel: |bytes| { sfu_core::fuzzing::associations(bytes); sfu_core::fuzzing::channels(bytes) };
    /// A publisher that does what it likes, and what its viewer gets.
    egress: sfu_core::fuzzing::egress;
    /// Frames on a TCP connection.
    framing: targets::framing::run;
    /// What a TURN client and its peers send.
    turn: targets::turn::run;
}
