use super::*;

fn door(cpu: f64, participants: u64, egress_bps: u64) -> Admission {
    Admission::with(Budget { cpu, participants, egress_bps, cores: 2.0 }, &["wss://b.example".to_owned()])
}

/// Plays `seconds` in which the process uses this share of two cores.
fn use_cpu(door: &Admission, from: Instant, before: Duration, seconds: u32, share: f64) -> (Instant, Duration) {
    let (mut now, mut cpu) = (from, before);
    for _ in 0..seconds * 2 {
        now += Duration::from_millis(500);
        cpu += Duration::from_secs_f64(share);
        door.note(now, Sample { cpu, participants: Some(0), ..Sample::default() }, door.begin());
    }
    (now, cpu)
}

#[test]
fn a_busy_edge_takes_nobody_until_it_is_less_busy() {
    let door = door(0.85, 0, 0);
    let (now, cpu) = use_cpu(&door, Instant::now(), Duration::ZERO, 10, 0.8);
    assert!(door.admit(1).is_ok());
    let (now, cpu) = use_cpu(&door, now, cpu, 1, 1.0);
    assert!(door.admit(1).is_ok(), "a burst");
    let (now, cpu) = use_cpu(&door, now, cpu, 10, 1.0);
    let refused = door.admit(1).unwrap_err();
    assert_eq!((refused.code, refused.retryable), (ErrorCode::Overloaded, true));
    assert!(refused.retry_after_ms.is_some_and(|after| (RETRY_MS..RETRY_MS + RETRY_SPREAD_MS).contains(&after)), "{refused:?}");
    assert!(refused.message.contains("wss://b.example"), "{}", refused.message);
    let (now, cpu) = use_cpu(&door, now, cpu, 10, 0.83);
    assert!(door.admit(1).is_err(), "not less enough");
    use_cpu(&door, now, cpu, 10, 0.5);
    assert!(door.admit(1).is_ok());
    assert_eq!(door.load().refused, 2);
}

/// Takes a sample in which all shards answer.
fn look(door: &Admission, now: Instant, participants: u64, bytes_out: u64) {
    door.note(now, Sample { participants: Some(participants), bytes_out, ..Sample::default() }, door.begin());
}

#[test]
fn a_budget_of_participants_holds_between_two_looks_too() {
    let door = door(0.0, 10, 0);
    look(&door, Instant::now(), 8, 0);
    assert!(door.admit(1).is_ok() && door.admit(2).is_ok());
    assert!(door.admit(3).unwrap_err().message.contains("10 participants"));
    look(&door, Instant::now(), 9, 0);
    look(&door, Instant::now(), 9, 0);
    assert!(door.admit(3).is_ok(), "one has left");
}

#[test]
fn who_is_let_in_while_a_sample_is_taken_is_not_forgotten() {
    let door = door(0.0, 1, 0);
    let begun = door.begin();
    // The shards are asked, and say that nobody is there; then somebody comes.
    assert!(door.admit(1).is_ok());
    door.note(Instant::now(), Sample { participants: Some(0), ..Sample::default() }, begun);
    assert!(door.admit(2).is_err());
    // Let in before the next sample, but still on the way to its shard.
    look(&door, Instant::now(), 0, 0);
    assert!(door.admit(2).is_err());
    look(&door, Instant::now(), 1, 0);
    assert!(door.admit(2).is_err());
}

#[test]
fn a_shard_that_does_not_answer_is_not_empty() {
    let door = door(0.0, 2, 0);
    look(&door, Instant::now(), 2, 0);
    door.note(Instant::now(), Sample::default(), door.begin());
    assert!(door.admit(1).is_err());
}

#[test]
fn a_budget_of_egress_is_of_what_is_sent_now() {
    let (door, start) = (door(0.0, 0, 8_000_000), Instant::now());
    look(&door, start, 0, 0);
    look(&door, start + Duration::from_secs(1), 0, 1_000_000);
    assert!(door.admit(1).unwrap_err().message.contains("8 Mbit/s"));
    look(&door, start + Duration::from_secs(2), 0, 1_500_000);
    assert!(door.admit(1).is_ok());
    look(&door, start + Duration::from_secs(3), 0, 7);
    assert!(door.admit(1).is_ok(), "a shard began anew");
}

#[test]
fn without_a_budget_everybody_may_come() {
    let door = door(0.0, 0, 0);
    use_cpu(&door, Instant::now(), Duration::ZERO, 20, 1.0);
    assert!((0..1_000).all(|salt| door.admit(salt).is_ok()));
}

#[test]
fn who_is_refused_comes_back_at_different_times() {
    let door = door(0.0, 1, 0);
    look(&door, Instant::now(), 1, 0);
    let times: std::collections::HashSet<_> = (0..100).map(|salt| door.admit(salt).unwrap_err().retry_after_ms).collect();
    assert!(times.len() > 80, "{}", times.len());
}

#[test]
fn the_system_tells_what_this_process_uses() {
    let before = cpu_time();
    while cpu_time() == before {
        std::hint::spin_loop();
    }
}
