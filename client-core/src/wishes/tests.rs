//! Collected, told once, and again after a reconnection.

use super::*;

fn wish(publication: &str, width: u16) -> Wish {
    Wish { publication: publication.into(), width, height: 90, visible: true, max_fps: 0, priority: nearcast_protocol::Priority::Auto }
}

fn at(millis: u64) -> MonoTime {
    MonoTime::from_micros(millis * 1000)
}

#[test]
fn wishes_of_a_moment_go_out_together_and_only_the_latest_of_each() {
    let mut wishes = Wishes::default();
    assert_eq!(wishes.poll_timeout(), None);
    wishes.set(at(0), wish("a", 160));
    wishes.set(at(10), wish("b", 160));
    wishes.set(at(20), wish("a", 320));
    assert_eq!((wishes.poll_timeout(), wishes.take(at(49))), (Some(at(50)), vec![]));
    assert_eq!(wishes.take(at(50)), [wish("a", 320), wish("b", 160)]);
    assert_eq!(wishes.poll_timeout(), None);
}

#[test]
fn a_wish_that_is_no_news_is_not_told() {
    let mut wishes = Wishes::default();
    wishes.set(at(0), wish("a", 160));
    wishes.take(at(50));
    wishes.set(at(60), wish("a", 160));
    assert_eq!(wishes.poll_timeout(), None);
}

#[test]
fn after_a_reconnection_all_are_told_but_those_of_publications_that_ended() {
    let mut wishes = Wishes::default();
    wishes.repeat(at(0));
    assert_eq!(wishes.poll_timeout(), None, "there are none");
    for one in ["a", "b", "c"] {
        wishes.set(at(0), wish(one, 160));
    }
    wishes.take(at(50));
    wishes.forget(&"b".into());
    wishes.repeat(at(100));
    assert_eq!(wishes.take(at(100)), [wish("a", 160), wish("c", 160)]);
}

#[test]
fn more_than_a_message_holds_go_out_in_several() {
    let mut wishes = Wishes::default();
    for one in 0..600 {
        wishes.set(at(0), wish(&one.to_string(), 160));
    }
    assert_eq!([50, 100, 150, 200].map(|ms| wishes.take(at(ms)).len()), [256, 256, 88, 0]);
}

#[test]
fn a_cap_is_told_of_all_wishes_and_so_is_its_end() {
    let mut wishes = Wishes::default();
    for (id, width, height) in [("large", 1280, 720), ("upright", 720, 1280), ("small", 320, 180), ("unknown", 0, 0)] {
        wishes.set(at(0), Wish { height, ..wish(id, width) });
    }
    let told = |wishes: &mut Wishes| -> Vec<_> {
        let now = wishes.poll_timeout().unwrap_or_default();
        wishes.take(now).into_iter().map(|wish| (wish.width, wish.height, wish.visible)).collect()
    };
    let plain = [(1280, 720, true), (720, 1280, true), (320, 180, true), (0, 0, true)];
    assert_eq!(told(&mut wishes), plain);
    wishes.cap(at(100), WishCap { lines: Some(360), hidden: false });
    assert_eq!(told(&mut wishes), [(640, 360, true), (360, 640, true), (320, 180, true), (640, 360, true)]);
    wishes.cap(at(200), WishCap { lines: Some(360), hidden: false });
    assert_eq!(wishes.poll_timeout(), None, "the same again is no news");
    wishes.cap(at(300), WishCap { lines: None, hidden: true });
    assert!(told(&mut wishes).iter().all(|(.., visible)| !visible));
    wishes.cap(at(400), WishCap::default());
    assert_eq!(told(&mut wishes), plain);
}
