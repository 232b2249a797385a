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
        door.note(now, Sample { cpu, ..Sample::default() });
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

#[test]
fn a_budget_of_participants_holds_between_two_looks_too() {
    let door = door(0.0, 10, 0);
    door.note(Instant::now(), Sample { participants: 8, ..Sample::default() });
    assert!(door.admit(1).is_ok() && door.admit(2).is_ok());
    assert!(door.admit(3).unwrap_err().message.contains("10 participants"));
    door.note(Instant::now(), Sample { participants: 9, ..Sample::default() });
    assert!(door.admit(3).is_ok(), "one has left");
}

#[test]
fn a_budget_of_egress_is_of_what_is_sent_now() {
    let (door, start) = (door(0.0, 0, 8_000_000), Instant::now());
    door.note(start, Sample::default());
    door.note(start + Duration::from_secs(1), Sample { bytes_out: 1_000_000, ..Sample::default() });
    assert!(door.admit(1).unwrap_err().message.contains("8 Mbit/s"));
    door.note(start + Duration::from_secs(2), Sample { bytes_out: 1_500_000, ..Sample::default() });
    assert!(door.admit(1).is_ok());
    door.note(start + Duration::from_secs(3), Sample { bytes_out: 7, ..Sample::default() });
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
    door.note(Instant::now(), Sample { participants: 1, ..Sample::default() });
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
