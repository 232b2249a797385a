//! What was sent, and what feedback may say of it.

use super::super::history::{MAX_LEN, SendHistory};

fn sent(count: u64) -> SendHistory {
    let mut history = SendHistory::new();
    for number in 0..count {
        history.push(number as i64 * 1_000, 100, 0);
    }
    history
}

#[test]
fn numbers_never_sent_find_nothing() {
    let mut history = sent(10);
    let now = 20_000;
    assert_eq!(history.answer(10, true, now), None);
    assert_eq!(history.answer(40_000, true, now), None);
    assert_eq!(history.answer(u16::MAX, true, now), None);
    assert_eq!(history.answer(9, true, now).unwrap().sent_us, 9_000);
    // What the ring has forgotten is never found again, not even under the number it now stands for.
    let mut history = sent(MAX_LEN as u64 * 3);
    assert_eq!(history.answer(0, true, now), None);
}

#[test]
fn a_packet_is_counted_once() {
    let mut history = sent(10);
    assert_eq!(history.in_flight(), 1_000);
    assert!(history.answer(4, false, 20_000).is_some());
    assert_eq!(history.answer(4, false, 20_000), None);
    assert!(history.answer(4, true, 20_000).unwrap().was_lost);
    assert_eq!(history.answer(4, true, 20_000), None);
    assert_eq!(history.in_flight(), 900);
}

#[test]
fn what_is_known_of_a_packet_is_what_feedback_said_last() {
    let mut history = sent(10);
    assert_eq!(history.has_arrived(4), None);
    history.answer(4, false, 20_000);
    assert_eq!(history.has_arrived(4), Some(false));
    history.answer(4, true, 20_000);
    assert_eq!(history.has_arrived(4), Some(true));
    assert_eq!(history.has_arrived(10), Some(false), "never sent");
}

#[test]
fn what_lost_feedback_would_have_said_is_unknown_not_lost() {
    let mut history = sent(10);
    history.on_feedback_base(6);
    assert_eq!(history.in_flight(), 400);
    assert!(!history.answer(3, true, 20_000).unwrap().was_lost);
}

#[test]
fn memory_is_bounded() {
    let mut history = SendHistory::new();
    for number in 0..200_000_u64 {
        history.push(number as i64, 1_200, 0);
    }
    assert!(history.answer((200_000 - MAX_LEN as u64) as u16, true, 200_000).is_some());
    assert!(history.answer((200_000 - MAX_LEN as u64 - 1) as u16, true, 200_000).is_none());
    assert_eq!(history.in_flight(), (MAX_LEN as u64 - 1) * 1_200);
}

#[test]
fn a_steady_stream_allocates_nothing() {
    // 500 packets a second, answered after 100 ms.
    let mut history = SendHistory::new();
    let mut capacities = Vec::new();
    for number in 0..10_000_u64 {
        let now = number as i64 * 2_000;
        history.push(now, 1_200, 0);
        if let Some(answered) = number.checked_sub(50) {
            history.answer(answered as u16, true, now);
        }
        capacities.push(history.capacity());
    }
    assert_eq!(capacities[1_000], capacities[9_999]);
}

#[test]
fn numbers_wrap() {
    let mut history = sent(65_536 + 5);
    assert_eq!(history.next_number(), 5);
    let now = 65_541_000;
    assert_eq!(history.answer(4, true, now).unwrap().number, 65_540);
    assert_eq!(history.answer(65_535, true, now).unwrap().number, 65_535);
}

#[test]
fn what_lies_between_two_feedbacks_is_known_by_number() {
    let mut history = sent(10);
    assert!(history.answer(2, true, 20_000).is_some());
    assert_eq!((history.skipped(3), history.skipped(6)), (0, 3));
    assert_eq!(history.skipped(40_000), 0);
}
