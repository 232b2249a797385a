//! Where the session is lost, the call goes on in a new one: here, or on another edge.

use crate::live::{Edge, Live};
use crate::world::{camera, millis, participant, secs};
use client_core::{Event, Input, State};
use nearcast_protocol::{ClientMessage, ErrorCode, ErrorInfo, IceServer, ServerMessage};

fn two_edges() -> Vec<Edge> {
    let mut edges = vec![Edge::new(None), Edge::new(Some("https://b"))];
    edges[0].names = vec!["https://b"];
    let mut ada = participant("ada", vec![camera("cam at b")]);
    ada.id = "ada at b".into();
    edges[1].others = vec![ada];
    edges
}

fn renamed(live: &Live) -> Vec<(String, String)> {
    let name = |event: &Event| match event {
        Event::ParticipantRenamed { was, id } => Some((was.0.clone(), id.0.clone())),
        Event::PublicationRenamed { was, id } => Some((was.0.clone(), id.0.clone())),
        Event::Republished { was, publication, .. } => Some((was.0.clone(), publication.0.clone())),
        _ => None,
    };
    live.world.events.iter().filter_map(name).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(was, id)| ((*was).to_owned(), (*id).to_owned())).collect()
}

#[test]
fn an_edge_that_was_restarted_gets_everything_again() {
    let mut live = Live::joined(1, vec![Edge::new(None)]);
    live.edges[0].session = None;
    live.edges[0].published.clear();
    live.world.lose_socket();
    live.run_for(secs(10));
    assert_eq!(live.world.states(), ["reconnecting (socket-closed)", "connected (moved)"]);
    assert_eq!(live.steps(), ["resuming (socket-closed)", "moving (session-unknown)", "connected (moved)"]);
    assert_eq!(renamed(&live), pairs(&[("me-first-1", "me-first-2"), ("first-1-9", "first-2-10")]));
    assert_eq!(live.losses(), Vec::<&Event>::new());
    assert_eq!(live.edges[0].published, ["first-2-10".into()], "no ghosts");
}

#[test]
fn when_an_edge_dies_another_takes_over_with_everybody() {
    for seed in 0..10 {
        let mut live = Live::joined(seed, two_edges());
        live.edges[0].alive = false;
        live.world.lose_socket();
        let moved = live.run_until(secs(20), |live| live.world.session.state() == State::Connected);
        assert!(moved < secs(2), "{moved:?}");
        live.run_for(secs(10));
        assert_eq!(live.losses(), Vec::<&Event>::new());
        let known = renamed(&live);
        assert_eq!(known[0], ("me-first-1".into(), "me-https://b-1".into()));
        assert_eq!(known[1..3], pairs(&[("ada", "ada at b"), ("cam", "cam at b")])[..]);
        assert_eq!(known[3].0, "first-1-9");
        assert_eq!(live.edges[1].published.len(), 1);
    }
}

#[test]
fn at_edges_that_are_linked_one_stays_who_one_is() {
    for seed in 0..10 {
        let mut live = Live::joined(seed, three_linked());
        // Over a session that was resumed: the claim is given once.
        live.world.lose_socket();
        live.run_for(secs(2));
        let published = live.edges[0].published.clone();
        for (dead, next) in [(0, 1), (1, 2)] {
            live.edges[dead].alive = false;
            live.world.lose_socket();
            live.run_until(secs(20), |live| live.world.session.state() == State::Connected);
            live.run_for(secs(10));
            assert_eq!(live.edges[next].published, published);
        }
        assert_eq!(renamed(&live), pairs(&[("first-1-9", "first-1-9"), ("first-1-9", "first-1-9")]), "nothing but another section");
        let (b, c) = (&live.edges[1].continued, &live.edges[2].continued);
        assert!(b.iter().chain(c).map(|(id, _)| id).all(|id| id == "me-first-1"), "{b:?} {c:?}");
        let counts: Vec<_> = b.iter().chain(c).map(|(_, count)| *count).collect();
        assert!(counts.is_sorted_by(|one, next| one < next) && !b.is_empty() && !c.is_empty(), "{counts:?}");
        assert_eq!(live.losses(), Vec::<&Event>::new());
    }
}

fn three_linked() -> Vec<Edge> {
    let mut edges = vec![Edge::new(None), Edge::new(Some("https://b")), Edge::new(Some("https://c"))];
    edges.iter_mut().for_each(|edge| edge.linked = true);
    (edges[0].names, edges[1].names) = (vec!["https://b", "https://c"], vec!["https://c"]);
    edges
}

fn told_to_move(live: &mut Live, deadline_ms: u32) {
    live.world.receive(&ServerMessage::Move { to: "https://b".into(), deadline_ms });
}

#[test]
fn an_edge_that_goes_away_is_left_when_the_next_one_works() {
    for seed in 0..10 {
        let mut live = Live::joined(seed, three_linked());
        let published = live.edges[0].published.clone();
        told_to_move(&mut live, 5_000);
        assert!(live.world.kept, "the old one plays on");
        live.run_until(secs(2), |live| live.edges[1].published == published);
        assert!(live.world.kept, "until something has come over the new one");
        let took = live.run_until(secs(3), |live| !live.world.kept);
        assert!(took > millis(1200), "and pictures have had their time: {took:?}");
        live.run_for(secs(10));
        assert_eq!(live.world.states(), Vec::<String>::new(), "no outage");
        assert_eq!(live.steps(), ["moving (elsewhere)", "connected (moved)"]);
        assert_eq!(live.losses(), Vec::<&Event>::new());
        assert_eq!(live.edges[1].continued, [("me-first-1".to_owned(), 1)]);
        assert_eq!(live.world.session.state(), State::Connected);
    }
}

#[test]
fn where_the_next_edge_fails_the_old_one_plays_on_until_another_works_or_to_the_deadline() {
    for media in [false, true] {
        let mut live = Live::joined(3, three_linked());
        (live.edges[1].alive, live.edges[1].media) = (!media, false);
        told_to_move(&mut live, 4_000);
        if !media {
            live.run_for(millis(3_900));
            assert!(live.world.kept);
            live.run_for(millis(200));
            assert!(!live.world.kept);
        }
        let since = live.world.now;
        live.run_until(secs(30), |live| live.is_well(since));
        live.run_for(secs(8));
        assert_eq!(live.losses(), Vec::<&Event>::new());
        let everywhere = live.edges.iter().flat_map(|edge| &edge.continued);
        assert!(everywhere.clone().count() > 0 && everywhere.clone().all(|(id, _)| id == "me-first-1"));
    }
}

#[test]
fn who_cannot_stay_who_they_are_waits_to_be_closed() {
    let mut live = Live::joined(4, two_edges());
    told_to_move(&mut live, 4_000);
    assert!(!live.world.kept);
    live.run_for(secs(3));
    assert_eq!((live.steps(), live.edges[0].session.is_some()), (vec![], true));
    // And who is in the middle of an outage has other things to do.
    let mut live = Live::joined(5, three_linked());
    live.cut(false, true);
    live.run_until(secs(4), |live| live.world.session.state() == State::Reconnecting);
    told_to_move(&mut live, 4_000);
    assert!(!live.world.kept);
}

#[test]
fn whoever_does_not_come_along_has_left() {
    let mut live = Live::joined(1, two_edges());
    live.edges[1].others.clear();
    live.edges[0].alive = false;
    live.world.lose_socket();
    live.run_until(secs(20), |live| live.world.session.state() == State::Connected);
    assert_eq!(live.losses(), Vec::<&Event>::new(), "they get some time");
    live.run_for(secs(6));
    assert!(live.world.events.iter().any(|event| matches!(event, Event::ParticipantLeft { id, .. } if id.0 == "ada")));
}

#[test]
fn a_network_that_was_away_is_no_reason_to_move() {
    for seed in 0..20 {
        let mut live = Live::joined(seed, two_edges());
        live.cut(true, true);
        live.run_for(secs(14));
        live.cut(false, false);
        let restored = live.world.now;
        live.run_until(secs(5), |live| live.is_well(restored));
        assert_eq!(renamed(&live), [], "the session at the first edge goes on");
    }
}

#[test]
fn an_edge_that_media_cannot_reach_is_left_after_the_cheaper_remedies() {
    let mut live = Live::joined(1, two_edges());
    live.edges[0].media = false;
    live.run_for(secs(20));
    let steps = ["suspect (no-media)", "replacing (no-media)", "moving (no-media)", "connected (moved)"];
    assert_eq!(live.steps(), steps);
    assert_eq!(live.edges[1].published.len(), 1);
}

#[test]
fn an_edge_that_says_goodbye_is_believed() {
    let mut live = Live::joined(1, two_edges());
    live.world.receive(&ServerMessage::Closed { error: ErrorInfo::new(ErrorCode::ShuttingDown, "") });
    live.run_for(secs(3));
    assert_eq!(live.steps(), ["moving (shutting-down)", "connected (moved)"]);
    assert_eq!(live.edges[1].published.len(), 1);
}

#[test]
fn an_edge_that_says_where_to_go_is_followed() {
    let mut edges = two_edges();
    edges[0].names = vec![]; // nobody has heard of the other one
    let mut live = Live::joined(1, edges);
    let error = ErrorInfo { edge: Some("https://b".into()), ..ErrorInfo::new(ErrorCode::ShuttingDown, "") };
    live.world.receive(&ServerMessage::Closed { error });
    live.run_for(secs(3));
    assert_eq!(live.steps(), ["moving (shutting-down)", "connected (moved)"]);
    assert_eq!(live.edges[1].published.len(), 1);
}

#[test]
fn a_room_that_was_closed_and_a_participant_who_was_removed_end_at_once() {
    for code in [ErrorCode::RoomClosed, ErrorCode::Removed, ErrorCode::DuplicateIdentity] {
        let mut live = Live::joined(1, two_edges());
        live.world.receive(&ServerMessage::Closed { error: ErrorInfo::new(code, "") });
        assert_eq!(live.world.closed_with(), Some(code.name()));
    }
}

#[test]
fn choices_of_the_app_are_told_to_the_new_session() {
    let mut live = Live::joined(1, two_edges());
    live.world.input(Input::Unsubscribe { request: client_core::RequestId(7), publication: "cam".into() });
    live.run_for(secs(1));
    live.edges[0].alive = false;
    live.world.lose_socket();
    live.run_for(secs(12));
    assert!(live.edges[1].done.contains(&ClientMessage::Unsubscribe { publication: "cam at b".into() }), "{:?}", live.edges[1].done);
}

#[test]
fn who_goes_round_in_a_circle_is_stopped() {
    let mut live = Live::joined(1, vec![Edge::new(None)]);
    for _ in 0..30 {
        live.edges[0].session = None;
        if !live.world.is_closed() && live.world.socket.is_some() {
            live.world.lose_socket();
        }
        live.run_for(secs(3));
    }
    assert_eq!(live.world.closed_with(), Some("session-lost"));
}

#[test]
fn servers_for_ice_replace_those_before() {
    let mut live = Live::joined(1, vec![Edge::new(None)]);
    let server = |name: &str| IceServer {
        urls: vec!["turn:turn.example:3478".into()],
        username: Some(name.into()),
        credential: Some("secret".into()),
        lifetime_s: Some(600),
    };
    for name in ["first", "second"] {
        live.world.receive(&ServerMessage::IceServers { servers: vec![server(name)] });
        assert_eq!(live.world.ice_servers, [server(name)]);
    }
    assert_eq!(live.world.restarts, 0, "credentials are no reason to begin anew");
}
