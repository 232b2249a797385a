use super::{Block, Link, Way};
use crate::settings::{Bursts, Patch, Settings};
use std::time::{Duration, Instant};

/// Plays `count` packets of `bytes` bytes, one every `every`, into one direction; `(number, delay)` of each that arrived.
fn play(link: &mut Link, way: Way, start: Instant, count: u32, bytes: usize, every: Duration) -> Vec<(u32, Duration)> {
    let mut arrived = Vec::new();
    let mut take = |link: &mut Link, until: Instant| {
        while let Some(due) = link.next_due().filter(|due| *due <= until) {
            while let Some(packet) = link.arrived(due, way) {
                let number = u32::from_be_bytes(packet[..4].try_into().unwrap());
                arrived.push((number, due - (start + every * number)));
            }
        }
    };
    for number in 0..count {
        let now = start + every * number;
        take(link, now);
        let mut packet = vec![0; bytes];
        packet[..4].copy_from_slice(&number.to_be_bytes());
        link.send(now, way, packet);
    }
    take(link, start + Duration::from_secs(3600));
    arrived
}

fn patched(patch: Patch) -> Settings {
    Settings::default().patched(patch).unwrap()
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn without_settings_everything_passes_at_once() {
    let arrived = play(&mut Link::new(1), Way::Up, Instant::now(), 100, 1000, MS);
    assert_eq!(arrived.len(), 100);
    assert!(arrived.iter().all(|(_, delay)| delay.is_zero()));
}

#[test]
fn delay_and_jitter_are_kept_and_order_too() {
    let mut link = Link::new(1);
    link.set(Way::Up, patched(Patch { delay_ms: Some(25.0), jitter_ms: Some(10.0), ..Patch::default() }));
    let arrived = play(&mut link, Way::Up, Instant::now(), 1000, 100, MS);
    assert!(arrived.windows(2).all(|pair| pair[0].0 < pair[1].0), "order");
    let (least, most) = arrived.iter().fold((MS * 100, Duration::ZERO), |(least, most), (_, delay)| (least.min(*delay), most.max(*delay)));
    assert!(least >= MS * 15 && least <= MS * 35 && most > MS * 30 && most <= MS * 35, "{least:?} {most:?}");
}

#[test]
fn loss_is_as_frequent_as_it_should_be() {
    let lost = |patch| {
        let mut link = Link::new(7);
        link.set(Way::Down, patched(patch));
        let arrived = play(&mut link, Way::Down, Instant::now(), 20_000, 100, MS);
        let counts = link.counts(Way::Down);
        assert_eq!((counts.sent, counts.arrived + counts.lost), (20_000, 20_000));
        let runs = arrived.windows(2).filter(|pair| pair[1].0 > pair[0].0 + 1).count();
        (1.0 - arrived.len() as f64 / 20_000.0, f64::from(20_000 - arrived.len() as u32) / runs as f64)
    };
    let (share, run) = lost(Patch { loss: Some(0.05), ..Patch::default() });
    assert!((0.045..0.055).contains(&share), "random: {share}");
    assert!(run < 1.15, "random losses come alone: {run}");
    let (share, run) = lost(Patch { bursts: Some(Bursts { good: 76.0, bad: 4.0 }), ..Patch::default() });
    assert!((0.04..0.06).contains(&share), "bursts: {share}");
    assert!((3.0..5.0).contains(&run), "a burst is four packets: {run}");
}

#[test]
fn a_narrow_line_carries_its_rate_and_drops_what_its_queue_cannot_hold() {
    let mut link = Link::new(1);
    link.set(Way::Up, patched(Patch { rate_kbps: Some(400), delay_ms: Some(25.0), queue_ms: Some(300), ..Patch::default() }));
    // 1000 bytes every 10 ms are 800 kbit/s: twice what fits.
    let arrived = play(&mut link, Way::Up, Instant::now(), 1000, 1000, MS * 10);
    let kbps = arrived.len() as f64 * 8.0 / 10.0;
    assert!((390.0..430.0).contains(&kbps), "{kbps}");
    let longest = arrived.iter().map(|(_, delay)| *delay).max().unwrap();
    assert!(longest > MS * 280 && longest <= MS * 350, "{longest:?}");
}

#[test]
fn packets_are_doubled_and_overtake_each_other() {
    let mut link = Link::new(3);
    link.set(Way::Up, patched(Patch { duplicate: Some(0.1), ..Patch::default() }));
    assert!((1060..1140).contains(&play(&mut link, Way::Up, Instant::now(), 1000, 100, MS).len()));
    let mut link = Link::new(3);
    link.set(Way::Up, patched(Patch { delay_ms: Some(20.0), reorder_every: Some(20), ..Patch::default() }));
    let arrived = play(&mut link, Way::Up, Instant::now(), 1000, 100, MS);
    let overtaken = arrived.windows(2).filter(|pair| pair[1].0 < pair[0].0).count();
    assert!((45..=50).contains(&overtaken), "{overtaken}");
}

#[test]
fn a_cut_takes_what_is_under_way_too() {
    let mut link = Link::new(1);
    let start = Instant::now();
    link.set(Way::Up, patched(Patch { delay_ms: Some(25.0), ..Patch::default() }));
    link.send(start, Way::Up, vec![1]);
    link.cut(true);
    link.send(start + MS * 10, Way::Up, vec![2]);
    assert_eq!(link.arrived(start + MS * 30, Way::Up), None);
    link.cut(false);
    link.send(start + MS * 40, Way::Up, vec![3]);
    assert_eq!(link.arrived(start + MS * 70, Way::Up), Some(vec![3]));
    assert_eq!((link.counts(Way::Up).refused, link.counts(Way::Up).arrived), (2, 1));
}

#[test]
fn a_block_holds_back_its_port_only() {
    let udp = |from: u16, to: u16| {
        let mut packet = vec![0; 28];
        (packet[0], packet[9]) = (0x45, 17);
        packet[20..22].copy_from_slice(&from.to_be_bytes());
        packet[22..24].copy_from_slice(&to.to_be_bytes());
        packet
    };
    let passes = |block, packet: Vec<u8>| {
        let (mut link, now) = (Link::new(1), Instant::now());
        link.block(block);
        link.send(now, Way::Down, packet);
        link.arrived(now, Way::Down).is_some()
    };
    assert!(!passes(Block::UdpPort(3478), udp(3478, 9)) && !passes(Block::UdpPort(3478), udp(9, 3478)));
    assert!(passes(Block::UdpPort(3478), udp(9, 10)));
    assert!(!passes(Block::Udp, udp(9, 10)));
    let mut tcp = udp(3478, 3478);
    tcp[9] = 6;
    assert!(passes(Block::Udp, tcp.clone()) && passes(Block::UdpPort(3478), tcp));
}

#[test]
fn directions_are_independent() {
    let lossy = patched(Patch { loss: Some(0.3), ..Patch::default() });
    let start = Instant::now();
    let mut alone = Link::new(9);
    alone.set(Way::Up, lossy);
    let mut both = Link::new(9);
    both.set(Way::Up, lossy);
    both.set(Way::Down, lossy);
    let down = play(&mut both, Way::Down, start, 200, 10, MS);
    let up = play(&mut both, Way::Up, start, 200, 10, MS);
    assert_eq!(play(&mut alone, Way::Up, start, 200, 10, MS), up);
    assert_ne!(up, down);
}

#[test]
fn the_seed_decides() {
    let run = |seed| {
        let mut link = Link::new(seed);
        link.set(Way::Up, patched(Patch { loss: Some(0.1), jitter_ms: Some(5.0), delay_ms: Some(5.0), ..Patch::default() }));
        play(&mut link, Way::Up, Instant::now(), 500, 100, MS)
    };
    assert_eq!(run(4), run(4));
    assert_ne!(run(4), run(5));
}

#[test]
fn a_change_goes_on_with_other_random_numbers_and_the_same_setting_changes_nothing() {
    let start = Instant::now();
    let lossy = |loss| patched(Patch { loss: Some(loss), ..Patch::default() });
    let mut link = Link::new(2);
    let mut round = |loss| {
        link.set(Way::Up, lossy(loss));
        let numbers: Vec<u32> = play(&mut link, Way::Up, start, 100, 10, MS).into_iter().map(|(number, _)| number).collect();
        numbers
    };
    let first = round(0.5);
    let second = round(0.5);
    round(0.4);
    let third = round(0.5);
    assert!(first != second && second != third && first != third);
}
