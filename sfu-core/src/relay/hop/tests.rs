use super::*;
use std::collections::HashSet;

/// Two ends and what is on its way between them, each way by the time it arrives.
struct Way {
    now: Instant,
    ends: [Hop; 2],
    flying: Vec<(Instant, usize, usize, Bytes)>,
    order: usize,
    seed: u64,
    loss: u64,
    jitter: u64,
    got: Vec<Bytes>,
}

const DELAY: Duration = Duration::from_millis(30);

impl Way {
    /// `loss`: of a thousand; `jitter`: milliseconds.
    fn new(loss: u64, jitter: u64) -> Self {
        let now = Instant::now();
        let end = || Hop::new(now, DELAY * 2);
        Self { now, ends: [end(), end()], flying: Vec::new(), order: 0, seed: 7, loss, jitter, got: Vec::new() }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn pump(&mut self) {
        for end in 0..2 {
            while let Some(datagram) = self.ends[end].poll_transmit() {
                if self.random(1_000) < self.loss {
                    continue;
                }
                let late = if self.jitter > 0 { self.random(self.jitter) } else { 0 };
                self.order += 1;
                self.flying.push((self.now + DELAY + Duration::from_millis(late), self.order, 1 - end, datagram));
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.pump();
            let arrival = self.flying.iter().map(|(at, ..)| *at).min();
            let due = self.ends.iter().map(Hop::poll_timeout).chain(arrival).min().unwrap();
            if due > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(due);
            let now = self.now;
            self.flying.sort_by_key(|(at, order, ..)| (*at, *order));
            while self.flying.first().is_some_and(|(at, ..)| *at <= now) {
                let (_, _, to, datagram) = self.flying.remove(0);
                self.got.extend(self.ends[to].handle_datagram(now, datagram));
            }
            for end in &mut self.ends {
                if end.poll_timeout() <= now {
                    end.handle_timeout(now);
                }
            }
        }
    }

    /// Sends `count` messages, one a millisecond.
    fn play(&mut self, count: u32) {
        for number in 0..count {
            let body: Vec<u8> = number.to_be_bytes().into_iter().chain([0; 900]).collect();
            let now = self.now;
            self.ends[0].send(now, &body, 1_200);
            self.run(Duration::from_millis(1));
        }
        self.run(Duration::from_secs(1));
    }
}

#[test]
fn a_clean_way_carries_everything_once_and_asks_for_nothing() {
    let mut way = Way::new(0, 0);
    way.play(2_000);
    assert_eq!(way.got.len(), 2_000);
    assert_eq!(way.ends[1].stats(), HopStats { received: 2_000, ..HopStats::default() });
    assert_eq!(way.ends[0].stats(), HopStats { sent: 2_000, ..HopStats::default() });
}

#[test]
fn what_is_lost_comes_again_and_only_once() {
    let mut way = Way::new(50, 0);
    way.play(5_000);
    let distinct: HashSet<_> = way.got.iter().collect();
    assert_eq!((way.got.len(), distinct.len()), (5_000, 5_000));
    let (sender, receiver) = (way.ends[0].stats(), way.ends[1].stats());
    assert!(receiver.missed > 150 && receiver.recovered == receiver.missed && receiver.lost == 0, "{receiver:?}");
    assert!(sender.resent < receiver.missed * 5 / 4, "{} resent of {}", sender.resent, receiver.missed);
}

#[test]
fn a_little_reordering_is_asked_for_by_nobody() {
    let mut way = Way::new(0, 3);
    way.play(2_000);
    assert_eq!((way.got.len(), way.ends[0].stats().resent), (2_000, 0));
    assert!(way.ends[1].stats().recovered > 100, "it was reordered");
}

#[test]
fn the_last_one_is_missed_too() {
    let mut way = Way::new(1_000, 0);
    let now = way.now;
    way.ends[0].send(now, b"last", 1_200);
    way.pump();
    way.loss = 0;
    way.run(Duration::from_millis(600));
    assert_eq!(way.got, [Bytes::from_static(b"last")]);
}

#[test]
fn a_way_that_was_down_is_not_filled_up() {
    let mut way = Way::new(0, 0);
    way.play(100);
    way.loss = 1_000;
    way.play(4_000);
    way.loss = 0;
    way.got.clear();
    way.play(100);
    let stats = way.ends[1].stats();
    assert!(stats.lost >= 4_000 - MISSING as u64, "{stats:?}");
    assert!(way.got.len() >= 100 && way.ends[1].missing.is_empty());
    assert!(way.ends[0].stats().resent <= 10, "what is old isn't kept");
}

#[test]
fn what_is_too_large_for_one_goes_in_two() {
    for (size, whole) in [(1_000, true), (1_193, true), (1_194, true), (2_386, true), (2_387, false)] {
        let mut way = Way::new(0, 5);
        let (now, body) = (way.now, (0..size).map(|byte| byte as u8).collect::<Vec<_>>());
        way.ends[0].send(now, &body, 1_200);
        way.run(Duration::from_secs(1));
        assert_eq!(way.got, if whole { vec![Bytes::from(body)] } else { Vec::new() }, "{size}");
        assert_eq!(way.ends[0].stats().too_large, u64::from(!whole));
    }
}

#[test]
fn nonsense_is_counted_and_newer_kinds_are_skipped() {
    let mut hop = Hop::new(Instant::now(), DELAY);
    let now = Instant::now();
    for bytes in [&b""[..], b"\x01", b"\x01abcde"] {
        assert_eq!(hop.handle_datagram(now, Bytes::copy_from_slice(bytes)), None);
    }
    assert_eq!(hop.stats().malformed, 3);
    assert_eq!(hop.handle_datagram(now, Bytes::from_static(b"\xfe123456rest")), None);
    assert_eq!(hop.handle_datagram(now, Bytes::from_static(b"\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")), None);
    assert_eq!(
        hop.handle_datagram(now, Bytes::from_static(b"\x01\xff\xff\xff\xff\xff\xff")),
        Some(Bytes::new()),
        "the last number there is"
    );
    assert!(hop.missing.len() <= MISSING);
    assert_eq!(hop.poll_transmit(), None);
}

#[test]
fn an_edge_that_forwards_nothing_is_heard_and_beats_no_more() {
    let mut way = Way::new(0, 0);
    way.run(Duration::from_secs(1));
    let well = way.ends[1].beaten();
    assert!(way.now - well <= BEAT + DELAY);
    way.ends[0].set_halted(true);
    way.run(Duration::from_secs(2));
    let end = &way.ends[1];
    assert!(way.now - end.heard() <= BEAT + DELAY, "the link lives");
    assert!(end.beaten() <= well + BEAT + DELAY, "what it says is that it stands still");
    way.ends[0].set_halted(false);
    way.run(Duration::from_secs(1));
    assert!(way.now - way.ends[1].beaten() <= BEAT + DELAY);
}
