use super::*;

fn people(participants: usize) -> Presence {
    Presence { participants, by_http: false, silenced: false, reachable: true }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn two_talk_directly_and_a_third_brings_them_to_the_edge() {
    let (mut mode, start) = (Mode::default(), Instant::now());
    assert_eq!(mode.review(ModePolicy::Auto, people(1), Occasion::Came, start), None);
    assert_eq!(mode.review(ModePolicy::Auto, people(2), Occasion::Came, start), Some(RoomMode::P2p), "at once");
    assert_eq!(mode.review(ModePolicy::Auto, people(3), Occasion::Came, start), Some(RoomMode::Sfu), "at once");
    assert_eq!(mode.review(ModePolicy::Auto, people(2), Occasion::Other, start), None);
    assert_eq!(mode.due(), Some(start + HOLD_DOWN));
    assert_eq!(mode.review(ModePolicy::Auto, people(2), Occasion::Other, start + secs(9)), None);
    assert_eq!(mode.review(ModePolicy::Auto, people(2), Occasion::Other, start + secs(10)), Some(RoomMode::P2p));
}

#[test]
fn whoever_comes_and_goes_does_not_shorten_the_wait() {
    let (mut mode, start) = (Mode::default(), Instant::now());
    mode.review(ModePolicy::P2p, people(5), Occasion::Came, start);
    assert_eq!(mode.review(ModePolicy::P2p, people(3), Occasion::Other, start), None);
    assert_eq!(mode.review(ModePolicy::P2p, people(4), Occasion::Came, start + secs(5)), None);
    assert_eq!(mode.review(ModePolicy::P2p, people(5), Occasion::Came, start + secs(6)), None);
    assert_eq!(mode.review(ModePolicy::P2p, people(4), Occasion::Other, start + secs(7)), None);
    assert_eq!(mode.review(ModePolicy::P2p, people(4), Occasion::Other, start + secs(12)), None, "it began anew");
    assert_eq!(mode.review(ModePolicy::P2p, people(4), Occasion::Other, start + secs(17)), Some(RoomMode::P2p));
}

#[test]
fn who_came_by_http_needs_the_edge() {
    let (mut mode, start) = (Mode::default(), Instant::now());
    let player = Presence { by_http: true, ..people(2) };
    assert_eq!(mode.review(ModePolicy::Auto, player, Occasion::Came, start), None);
    assert_eq!(mode.review(ModePolicy::P2p, people(2), Occasion::Came, start), Some(RoomMode::P2p));
    assert_eq!(mode.review(ModePolicy::P2p, Presence { by_http: true, ..people(3) }, Occasion::Came, start), Some(RoomMode::Sfu));
}

#[test]
fn signalling_is_needed_to_begin_and_not_to_go_on() {
    let (mut mode, start) = (Mode::default(), Instant::now());
    let deaf = Presence { reachable: false, ..people(2) };
    assert_eq!(mode.review(ModePolicy::Auto, deaf, Occasion::Came, start), None);
    assert_eq!(mode.review(ModePolicy::Auto, people(2), Occasion::Came, start), Some(RoomMode::P2p));
    assert_eq!(mode.review(ModePolicy::Auto, deaf, Occasion::Other, start), None);
    assert_eq!(mode.current(), RoomMode::P2p);
}

#[test]
fn a_room_of_the_edge_stays_with_it() {
    let (mut mode, start) = (Mode::default(), Instant::now());
    for participants in 1..6 {
        assert_eq!(mode.review(ModePolicy::Sfu, people(participants), Occasion::Came, start), None);
    }
    assert_eq!((mode.current(), mode.due()), (RoomMode::Sfu, None));
}
