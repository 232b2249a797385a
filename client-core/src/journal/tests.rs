//! Bounds, gaps, and damage. Replays and secrets are tested in `tests/session`.

use super::mask::{self, Compared};
use super::trace::{Replay, Trace, TraceError};
use super::{HEAD, PIECE};
use crate::{Input, MonoTime, RequestId, Session, SessionConfig};

fn session() -> Session {
    Session::new(SessionConfig::default(), 7)
}

/// Something that happens every second, with about so many bytes.
fn tick(session: &mut Session, second: u64, bytes: usize) {
    let publication = "p".repeat(bytes).as_str().into();
    session.handle_input(MonoTime::from_micros(second * 1_000_000), Input::Unpublish { request: RequestId(second as u32), publication });
    while session.poll_output().is_some() {}
}

#[test]
fn a_journal_stays_within_its_bound() {
    let mut session = session();
    for second in 0..2000 {
        tick(&mut session, second, 400);
        let entry = 1000; // and what was decided because of it
        assert!(session.trace().len() <= HEAD + 2 * PIECE + 3 * entry);
    }
    assert!(session.trace().len() > HEAD + PIECE, "and is used");
}

#[test]
fn a_long_call_keeps_its_start_and_its_end() {
    let mut session = session();
    for second in 0..2000 {
        tick(&mut session, second, 400);
    }
    let trace = Trace::read(&session.trace()).unwrap();
    assert!(trace.dropped() > 0 && trace.replayable() > 0 && trace.replayable() < trace.entries().len());
    let at = |place: usize| trace.entries()[place].at.as_micros() / 1_000_000;
    assert_eq!((at(0), at(trace.entries().len() - 1)), (0, 1999));
    assert!(at(trace.replayable()) > at(trace.replayable() - 1) + 1, "with a gap between them");
    assert_eq!(trace.replay().unwrap(), Replay::Identical);
}

#[test]
fn a_call_that_fits_is_whole() {
    let mut session = session();
    for second in 0..220 {
        tick(&mut session, second, 400);
    }
    let trace = Trace::read(&session.trace()).unwrap();
    assert!(session.trace().len() > HEAD + PIECE, "more than one piece");
    assert_eq!((trace.dropped(), trace.replayable()), (0, trace.entries().len()));
    assert_eq!(trace.replay().unwrap(), Replay::Identical);
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut session = session();
    for second in [5, 3, 6] {
        tick(&mut session, second, 1);
    }
    let trace = Trace::read(&session.trace()).unwrap();
    let seconds: Vec<_> = trace.entries().iter().map(|entry| entry.at.as_micros() / 1_000_000).collect();
    assert!(seconds.is_sorted() && seconds.last() == Some(&6), "{seconds:?}");
}

#[test]
fn what_is_no_trace_is_refused_with_a_reason() {
    assert_eq!(Trace::read(b"{}").unwrap_err(), TraceError::Malformed("format"));
    assert_eq!(Trace::read(&[0x02]).unwrap_err(), TraceError::Format(2));
    let mut session = session();
    tick(&mut session, 1, 8);
    let mut bytes = session.trace();
    bytes.pop();
    assert_eq!(Trace::read(&bytes).unwrap_err(), TraceError::Malformed("newer piece"));
}

#[test]
fn cut_and_twisted_traces_never_panic() {
    let mut session = session();
    for second in 0..4 {
        tick(&mut session, second, 8);
    }
    let bytes = session.trace();
    for place in 0..bytes.len() {
        for twist in [0x01, 0x20, 0xff] {
            let mut twisted = bytes.clone();
            twisted[place] ^= twist;
            if let Ok(trace) = Trace::read(&twisted) {
                assert!(trace.entries().iter().all(|entry| !entry.to_string().is_empty()));
                assert!(trace.replay().is_ok());
            }
        }
    }
}

/// `participant_joined` of somebody with this identity, masked.
fn joined(identity: &str, compared: &mut Compared) -> Vec<u8> {
    use nearcast_protocol::wire::Cbor;
    use nearcast_protocol::{ParticipantInfo, ServerMessage};
    let participant =
        ParticipantInfo { id: "p".into(), identity: identity.into(), name: String::new(), role: None, publications: Vec::new() };
    mask::masked(&ServerMessage::ParticipantJoined { participant }.to_cbor(), &mask::SERVER, compared)
}

#[test]
fn identities_are_told_apart_and_not_told() {
    let mut compared = Compared::default();
    let [ada, bob, again] = ["ada", "bob", "ada"].map(|identity| joined(identity, &mut compared));
    assert_eq!((ada == again, ada == bob), (true, false), "who comes back to a session that goes on is the same as before");
    assert!(!ada.windows(3).any(|window| window == b"ada"));
    let masked_again = mask::masked(&bob, &mask::SERVER, &mut Compared::default());
    assert_eq!(masked_again, ada, "the first that is met gets the first letter: replays give the same as what they replay");
}
