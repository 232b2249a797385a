//! Direct connections between whole sessions: they come when they may, go at once when they must, and nothing is missing in between.

use crate::house::{From, House};
use client_core::Input;
use client_core::trace::{Replay, Trace};
use nearcast_protocol::ModerationAction;
use proptest::prelude::*;

/// What nobody notices, in milliseconds.
const GAP: u64 = 300;

/// Two people who publish, in a room that is direct while there are two; directly connected.
fn two() -> House {
    let mut house = House::new(1, 2);
    for name in ["ana", "ben"] {
        let page = house.join(name);
        house.publish(page);
    }
    house.run(200);
    house.until(2000, "two to be direct", |house| house.all(true));
    assert!(house.longest_gap() <= GAP);
    house
}

#[test]
fn two_talk_directly_and_send_nothing_to_the_edge() {
    let house = two();
    assert!(house.pages.iter().all(|page| page.held && page.unsubscribed == 0), "{}", house.describe());
    assert_eq!(house.pages[0].paths, [("ben".into(), true, "room-mode")]);
}

#[test]
fn a_third_one_moves_them_to_the_edge_and_two_go_back_after_a_while() {
    let mut house = two();
    let cleo = house.join("cleo");
    house.publish(cleo);
    house.run(200);
    house.until(2000, "three to be with the edge", |house| house.all(false));
    house.run(2000);
    assert!(house.longest_gap() <= GAP, "{}", house.describe());
    assert!(house.pages.iter().all(|page| page.links.is_empty()), "{}", house.describe());
    house.leave(cleo);
    house.run(9000);
    assert!(house.all(false), "{}", house.describe());
    house.until(3000, "two to be direct again", |house| house.all(true));
    house.run(2000);
    assert!(house.longest_gap() <= GAP, "{}", house.describe());
    let ways: Vec<_> = house.pages[0].paths.iter().map(|(_, direct, reason)| (*direct, *reason)).collect();
    assert_eq!(ways, [(true, "room-mode"), (false, "room-mode"), (true, "room-mode")]);
    assert_eq!(house.pages[0].unsubscribed, 1, "cleo's");
}

#[test]
fn a_new_publication_goes_through_the_edge_until_it_is_there_directly() {
    let mut house = two();
    house.publish(0);
    house.until(1000, "the edge to be sent to again", |house| !house.pages[0].held);
    house.until(2000, "both directly", |house| house.all(true));
    house.unpublish(0);
    house.run(1000);
    assert!(house.all(true), "{}", house.describe());
    assert!(house.longest_gap() <= GAP);
}

#[test]
fn what_a_moderator_mutes_is_not_taken_from_its_publisher_either() {
    let mut house = two();
    let publication = house.pages[0].publications[0].clone();
    house.moderate(&publication, ModerationAction::Mute);
    let source = |house: &House| house.pages[1].tracks[&publication.0];
    house.until(200, "the edge's section to have the track, which gets nothing", |house| source(house) == From::Edge);
    // The publisher's page goes on sending.
    house.run(10_000);
    assert_eq!(source(&house), From::Edge, "{}", house.describe());
    assert!(house.pages[0].tracks.values().all(|from| *from != From::Edge), "what comes the other way stays direct");
    house.moderate(&publication, ModerationAction::AllowUnmute);
    house.until(2000, "the connection to have it again", |house| source(house) != From::Edge);
}

#[test]
fn a_connection_that_breaks_gives_way_to_the_edge_and_comes_back_after_a_pause() {
    let mut house = two();
    house.break_links();
    house.until(1000, "all to be with the edge", |house| house.all(false));
    assert!(house.longest_gap() <= GAP, "from the moment that the browser noticed");
    assert_eq!(house.pages[0].paths.last(), Some(&("ben".into(), false, "lost")));
    house.blocked = false;
    house.run(13_000);
    assert!(house.all(false));
    house.until(5000, "another attempt after 15 s", |house| house.all(true));
}

#[test]
fn who_cannot_connect_stays_with_the_edge_and_tries_seldom() {
    let mut house = House::new(1, 2);
    house.blocked = true;
    for name in ["ana", "ben"] {
        let page = house.join(name);
        house.publish(page);
    }
    house.run(120_000);
    assert!(house.all(false), "{}", house.describe());
    assert!(house.longest_gap() <= GAP);
    let offers = house.pages[0].said.iter().filter(|said| said.starts_with("n=offer")).count();
    // At once, 15 s after its 10 s, and a minute after that.
    assert_eq!(offers, 3, "{}", house.describe());
}

#[test]
fn a_room_that_is_never_direct_has_no_connections() {
    let mut house = House::new(1, 0);
    for name in ["ana", "ben"] {
        let page = house.join(name);
        house.publish(page);
    }
    house.run(5000);
    house.pages[0].cut = true;
    house.run(10_000);
    assert!(house.pages.iter().all(|page| page.said.is_empty() && page.holds == 0), "{}", house.describe());
}

#[test]
fn who_wants_none_has_none() {
    let mut house = House::new(1, 2);
    let ana = house.join("ana");
    house.input(ana, Input::DirectLimit(0));
    house.publish(ana);
    let ben = house.join("ben");
    house.publish(ben);
    house.run(20_000);
    assert!(house.all(false), "{}", house.describe());
}

#[test]
fn who_gets_nothing_through_the_edge_gets_it_directly_until_the_edge_is_back() {
    let mut house = House::new(1, 2);
    for name in ["ana", "ben", "cleo"] {
        let page = house.join(name);
        house.publish(page);
    }
    house.until(3000, "three to be with the edge", |house| house.all(false));
    house.run(2000);
    house.longest_gap();
    house.pages[1].cut = true;
    let directly = |house: &House| {
        let with = |of: usize, whom: &str| {
            house.pages[of].tracks.iter().filter(|(id, _)| id.starts_with(whom)).all(|(_, from)| *from != From::Edge)
        };
        with(1, "ana") && with(1, "cleo") && with(0, "ben") && with(2, "ben")
    };
    house.until(3500, "ben to be reached directly", directly);
    assert!(house.longest_gap() <= 3500);
    let others = house.pages[0].tracks.iter().find(|(id, _)| id.starts_with("cleo")).map(|(_, from)| *from);
    assert_eq!(others, Some(From::Edge), "the others need no connection");
    assert_eq!(house.pages[1].paths.first().map(|(_, direct, reason)| (*direct, *reason)), Some((true, "no-media")));
    house.run(20_000);
    assert!(directly(&house), "{}", house.describe());
    house.longest_gap();
    house.pages[1].cut = false;
    house.until(30_000, "all to be with the edge again", |house| house.all(false));
    house.run(3000);
    assert!(house.longest_gap() <= GAP, "{}", house.describe());
    assert_eq!(house.pages[1].paths.last().map(|(_, direct, reason)| (*direct, *reason)), Some((false, "media-back")));
    assert!(house.pages.iter().all(|page| page.links.is_empty()), "{}", house.describe());
}

#[test]
fn four_talk_directly_where_the_room_says_so() {
    let mut house = House::new(1, 4);
    for name in ["ana", "ben", "cleo", "dan"] {
        let page = house.join(name);
        house.publish(page);
    }
    house.run(1000);
    house.until(5000, "four to be direct", |house| house.all(true));
    let fifth = house.join("eve");
    house.publish(fifth);
    house.until(3000, "five to be with the edge", |house| house.all(false));
    house.run(2000);
    assert!(house.longest_gap() <= GAP, "{}", house.describe());
}

#[test]
fn what_strangers_say_costs_nobody_else_anything() {
    let mut house = two();
    let strange = [
        "",
        "{}",
        "n=offer",
        "n=offer 1 1\nn=0 ben-101\nv=0",
        "n=offer 99 1\nn=0 nobody\nn=0 nobody\nv=0",
        "n=end 1 0\n",
        "n=lost 1 0\n",
        "n=have 1 9\n",
        "n=answer 1 1\nv=0\r\no=7 7",
        "n=want 1 0\n",
        "n=candidate 1 0\ncandidate:x",
    ];
    for payload in strange {
        house.say(1, 0, payload);
        house.run(50);
    }
    // Its own connections may have ended; they are back after the pause.
    house.until(200_000, "two to be direct again", |house| house.all(true));
    house.run(1000);
    assert!(house.all(true), "{}", house.describe());
}

#[test]
fn nobody_offers_what_is_somebody_elses() {
    let mut house = House::new(1, 4);
    for name in ["ana", "ben", "cleo"] {
        let page = house.join(name);
        house.publish(page);
    }
    house.run(1000);
    house.until(5000, "three to be direct", |house| house.all(true));
    let before = house.pages[0].tracks.clone();
    // Cleo's software says that it sends what Ben publishes.
    house.say(2, 0, "n=offer 999 1\nn=0 ben-101\nv=0\r\no=2 999\r\n");
    house.run(3000);
    let bens = |tracks: &std::collections::BTreeMap<String, From>| tracks.get("ben-101").copied();
    assert_eq!(bens(&house.pages[0].tracks), bens(&before));
}

#[test]
fn what_was_decided_replays_without_addresses() {
    let mut house = two();
    let cleo = house.join("cleo");
    house.publish(cleo);
    house.run(1000);
    house.leave(cleo);
    house.run(15_000);
    house.say(1, 0, "What somebody's software says");
    house.run(100);
    for page in &house.pages {
        let bytes = page.session.trace();
        for never in ["candidate:", "fingerprint", "somebody's software"] {
            assert!(!bytes.windows(never.len()).any(|window| window == never.as_bytes()), "{never}");
        }
        let trace = Trace::read(&bytes).unwrap();
        assert_eq!(trace.replay().unwrap(), Replay::Identical, "{}", page.name);
        let words: String = trace.entries().iter().map(|entry| format!("{entry}\n")).collect();
        assert!(
            page.name == "cleo" || words.contains("TrackRouted") && words.contains("PathChanged") && words.contains("n=have 1 1"),
            "{words}"
        );
    }
}

/// What may happen in a room.
#[derive(Clone, Debug)]
enum Happens {
    Joins,
    Leaves(usize),
    Publishes(usize),
    Unpublishes(usize),
    Time(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        2 => Just(Happens::Joins),
        2 => (0..8_usize).prop_map(Happens::Leaves),
        2 => (0..8_usize).prop_map(Happens::Publishes),
        1 => (0..8_usize).prop_map(Happens::Unpublishes),
        4 => (5..4000_u64).prop_map(Happens::Time),
    ]
}

const NAMES: [&str; 24] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x"];

/// Plays it; who is still there in the end.
fn play(house: &mut House, story: Vec<Happens>) {
    for one in story {
        let here: Vec<_> = (0..house.pages.len()).filter(|page| house.pages[*page].here).collect();
        let whom = |which: usize| (!here.is_empty()).then(|| here[which % here.len()]);
        match one {
            Happens::Joins if here.len() < 5 && house.pages.len() < NAMES.len() => {
                let page = house.join(NAMES[house.pages.len()]);
                house.publish(page);
            }
            Happens::Joins => {}
            Happens::Leaves(which) => whom(which).into_iter().for_each(|page| house.leave(page)),
            Happens::Publishes(which) => whom(which).into_iter().for_each(|page| house.publish(page)),
            Happens::Unpublishes(which) => whom(which).into_iter().for_each(|page| house.unpublish(page)),
            Happens::Time(ms) => house.run(ms),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_missing_whoever_comes_and_goes(seed: u64, direct_while in 0..5_usize, story in prop::collection::vec(happens(), 1..40)) {
        let mut house = House::new(seed, direct_while);
        play(&mut house, story);
        house.run(6000);
        let said = house.describe();
        prop_assert!(house.longest_gap() <= GAP, "{}", said);
    }

    #[test]
    fn messages_that_get_lost_end_where_they_should(seed: u64, story in prop::collection::vec(happens(), 1..20)) {
        let mut house = House::new(seed, 2);
        // As slow as signalling may be without being taken for dead: this house knows nothing of sessions that go on over another socket.
        (house.lost, house.delay) = (30, (1, 900));
        play(&mut house, story);
        house.lost = 0;
        // The longest pause, the longest connecting, and the edge's own.
        house.run(90_000);
        let here = house.pages.iter().filter(|page| page.here).count();
        let nothing = house.pages.iter().all(|page| !page.here || page.publications.is_empty());
        prop_assert!(nothing || house.all(here == 2) || here < 2, "{}", house.describe());
    }
}
