//! The cases, in the order in which they are played.

pub(crate) mod data;
mod http;
pub(crate) mod media;
pub(crate) mod signalling;
mod streams;
pub(crate) mod transport;

use crate::report::Row;
use crate::stage::{Stage, Verdict};
use nearcast_load::LoadError;

/// One case.
pub struct Case {
    /// As the list of faults calls it.
    pub id: &'static str,
    /// What is thrown.
    pub what: &'static str,
    /// It takes a few seconds at most, whatever the stage's length.
    pub cheap: bool,
    run: fn(&mut Stage) -> Result<Verdict, LoadError>,
}

macro_rules! cases {
    ($($id:literal $cheap:literal $what:literal $run:expr;)*) => {
        /// All of them.
        pub const CASES: &[Case] = &[$(Case { id: $id, what: $what, cheap: $cheap, run: $run }),*];
    };
}

cases! {
    "P1" true "ClientHellos of strangers, before and after ICE" transport::hellos_of_strangers;
    "P2" true "fragments of a ClientHello without end" transport::fragments;
    "P2" false "handshakes that are begun and left open" transport::open_handshakes;
    "P3" true "checks with a wrong password" transport::forged_checks;
    "P3" true "checks that measure the distance, without end" transport::measuring_checks;
    "P3" false "noise that looks like STUN" transport::noise;
    "P4" true "SRTP under a wrong key, from a known address" media::wrong_key;
    "P4" true "every packet again, and again" media::replays;
    "P4" true "numbers that jump and wrap" media::jumping_numbers;
    "P6" true "10,000 SSRCs, other people's among them" media::sources_without_end;
    "P6" true "wrong MIDs, payload types, extensions" media::lying_headers;
    "P7" true "PLI and FIR, 1,000 a second" media::keyframe_storm;
    "P7" true "NACKs for everything, again and again" media::nack_storm;
    "P8" true "REMB and transport-wide feedback that lie" media::lying_feedback;
    "P9" true "INITs, 65,535 streams, windows of zero" data::associations;
    "P10" true "a frame of 1 GB, JSON in 100,000 arrays" signalling::large_and_deep;
    "P10" true "request heads that never end" signalling::slow_heads;
    "P10" true "subscribe and unsubscribe, as fast as can be" signalling::subscribe_storm;
    "P10" true "tokens: alg none, expired, wrong kid, other room" signalling::tokens;
    "P11" true "candidates: loopback, metadata, names" http::candidates;
    "P13" true "WHIP: other people's sessions, huge bodies" http::whip;
    "P14" true "data channels flooded, a reader that doesn't read" data::flood;
    "P15" true "simulcast: one SSRC for all, layers that stop" streams::lying_simulcast;
    "P16" true "timestamps that jump, numbers that wrap" streams::jumping_times;
}

/// Plays those that `chosen` says, after the call alone.
///
/// # Errors
/// The edge or the call has ended.
pub fn play(stage: &mut Stage, chosen: impl Fn(&Case) -> bool, mut each: impl FnMut(&Row)) -> Result<Vec<Row>, LoadError> {
    let mut rows = vec![stage.rest()?];
    for case in CASES.iter().filter(|case| chosen(case)) {
        let row = stage.play(case.id, case.what, case.run)?;
        each(&row);
        rows.push(row);
    }
    Ok(rows)
}
