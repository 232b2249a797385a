use super::*;

#[test]
fn a_burst_then_the_rate() {
    let start = crate::clock::now();
    let mut pace = Pace::new(10, 5, start);
    for _ in 0..5 {
        assert_eq!(pace.admit(start), Admit::Yes);
    }
    assert_eq!(pace.admit(start), Admit::Later(Duration::from_millis(100)));
    for tick in 1..50 {
        let now = start + Duration::from_millis(100) * tick;
        assert_eq!(pace.admit(now), Admit::Yes, "{tick}");
        assert!(matches!(pace.admit(now), Admit::Later(_)) || tick > 5, "{tick}");
    }
}

#[test]
fn a_pause_earns_no_more_than_a_burst() {
    let start = crate::clock::now();
    let mut pace = Pace::new(10, 5, start);
    let later = start + Duration::from_secs(3600);
    let admitted = (0..20).filter(|_| pace.admit(later) == Admit::Yes).count();
    assert_eq!(admitted, 5);
}

#[test]
fn who_does_not_listen_is_closed_and_who_does_is_not() {
    let start = crate::clock::now();
    let mut flood = Pace::new(100, 200, start);
    let verdicts: Vec<_> = (0..1000).map(|tick| flood.admit(start + Duration::from_micros(100) * tick)).collect();
    let refused = verdicts.iter().position(|verdict| *verdict == Admit::Never);
    assert!(refused.is_some_and(|index| index <= 410), "{refused:?}");

    // Ten percent too fast for a minute: told again and again, never closed.
    let mut eager = Pace::new(100, 200, start);
    let verdicts: Vec<_> = (0..6600).map(|tick| eager.admit(start + Duration::from_micros(9090) * tick)).collect();
    assert!(verdicts.iter().any(|verdict| matches!(verdict, Admit::Later(_))));
    assert!(!verdicts.contains(&Admit::Never));
}
