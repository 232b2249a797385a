use super::*;

fn millis(time: u64) -> Option<Duration> {
    Some(Duration::from_millis(time))
}

#[test]
fn while_nothing_is_known_all_are_given_as_configured() {
    assert_eq!(Ranking::of(5).nearest(), [0, 1, 2, 3, 4]);
    let mut none_answers = Ranking::of(5);
    for server in [3, 3, 0] {
        none_answers.note(server, None);
    }
    assert_eq!(none_answers.nearest(), [0, 1, 2, 3, 4], "the fault may be the edge's");
    assert!(Ranking::of(0).nearest().is_empty());
}

#[test]
fn the_nearest_three_are_given_nearest_first() {
    let mut ranking = Ranking::of(5);
    for (server, time) in [(0, 80), (1, 20), (2, 150), (3, 5), (4, 20)] {
        ranking.note(server, millis(time));
    }
    assert_eq!(ranking.nearest(), [3, 1, 4], "of equals the one that is named first");
    assert_eq!(ranking.response(2), millis(150));
}

#[test]
fn one_slow_answer_changes_nothing_and_a_longer_way_does_in_time() {
    let mut ranking = Ranking::of(2);
    ranking.note(0, millis(10));
    ranking.note(1, millis(20));
    ranking.note(0, millis(300));
    assert_eq!(ranking.nearest(), [0, 1]);
    for _ in 0..REMEMBERED {
        ranking.note(0, millis(40));
    }
    assert_eq!((ranking.nearest(), ranking.response(0)), (vec![1, 0], millis(40)));
}

#[test]
fn what_stops_answering_comes_last_and_comes_back_with_what_it_takes_then() {
    let mut ranking = Ranking::of(3);
    ranking.note(0, millis(10));
    ranking.note(1, millis(20));
    ranking.note(0, None);
    assert_eq!(ranking.nearest(), [0, 1, 2], "one answer may be lost");
    ranking.note(0, None);
    assert_eq!((ranking.nearest(), ranking.response(0)), (vec![1, 2, 0], None));
    ranking.note(0, millis(30));
    assert_eq!((ranking.nearest(), ranking.response(0)), (vec![1, 0, 2], millis(30)));
}

#[test]
fn numbers_that_nobody_has_are_passed_over() {
    let mut ranking = Ranking::of(1);
    ranking.note(7, millis(1));
    ranking.add(Duration::ZERO);
    assert_eq!((ranking.nearest(), ranking.response(7)), (vec![1, 0], None));
}
