use super::*;

fn destination(port: u16) -> Remote {
    std::net::SocketAddr::from(([192, 0, 2, 1], port)).into()
}

fn drained(egress: &mut Egress) -> Vec<(u16, usize, Vec<u8>)> {
    let mut runs = Vec::new();
    egress.flush(|batch| runs.extend(batch.iter().map(|run| (run.destination.address.port(), run.segment_size, run.contents.to_vec()))));
    runs
}

#[test]
fn a_run_holds_equal_sizes_and_at_most_one_shorter_last() {
    let mut egress = Egress::new();
    for size in [3, 3, 2, 3, 4] {
        egress.push(destination(1), &vec![size; usize::from(size)]);
    }
    assert_eq!(drained(&mut egress), [(1, 3, vec![3, 3, 3, 3, 3, 3, 2, 2]), (1, 3, vec![3, 3, 3]), (1, 4, vec![4, 4, 4, 4])]);
    assert!(drained(&mut egress).is_empty());
}

#[test]
fn sound_is_in_runs_of_its_own() {
    let mut egress = Egress::new();
    for sound in [false, false, true, true, false] {
        egress.push_with(destination(1), sound, |buffer| {
            buffer[..4].fill(u8::from(sound));
            Some(4)
        });
    }
    let mut runs = Vec::new();
    egress.flush(|batch| runs.extend(batch.iter().map(|run| (run.sound, run.contents.to_vec()))));
    assert_eq!(runs, [(false, vec![0; 8]), (true, vec![1; 8]), (false, vec![0; 4])]);
}

#[test]
fn datagrams_of_one_destination_keep_their_order() {
    let mut egress = Egress::new();
    for number in 0..100 {
        egress.push(destination(1), &[number; 10]);
        egress.push(destination(2), &[number; 10]);
        egress.push(destination(2), &[number; 10]);
    }
    let runs = drained(&mut egress);
    assert_eq!(runs.len(), 200, "what two destinations are sent in turns can't be joined");
    for (port, each) in [(1, 1), (2, 2)] {
        let bytes: Vec<u8> = runs.iter().filter(|run| run.0 == port).flat_map(|run| run.2.iter().step_by(10).copied()).collect();
        assert_eq!(bytes, (0..100).flat_map(|number| [number].repeat(each)).collect::<Vec<_>>());
    }
}

#[test]
fn a_run_stays_within_what_the_kernel_takes() {
    let mut egress = Egress::new();
    for _ in 0..100 {
        egress.push(destination(1), &[0; 1200]);
        egress.push(destination(1), &[0; 1200]);
    }
    let runs = drained(&mut egress);
    assert!(runs.iter().all(|run| run.2.len() <= MAX_SEGMENTS * 1200), "{:?}", runs.iter().map(|run| run.2.len()).collect::<Vec<_>>());
    assert_eq!(runs.len(), 200_usize.div_ceil(MAX_SEGMENTS));
    for _ in 0..50 {
        egress.push(destination(1), &[0; MAX_DATAGRAM]);
    }
    assert!(drained(&mut egress).iter().all(|run| run.2.len() <= MAX_RUN));
}

#[test]
fn what_writes_nothing_sends_nothing() {
    let mut egress = Egress::new();
    assert_eq!(egress.push_with(destination(1), false, |_| None), None);
    egress.push(destination(1), b"a");
    assert_eq!(egress.push_with(destination(1), false, |_| Some(0)), None);
    assert_eq!(egress.push_with(destination(1), false, |_| None), None);
    egress.push(destination(1), b"b");
    assert_eq!(drained(&mut egress), [(1, 1, b"ab".to_vec())]);
}

#[test]
fn a_full_batch_says_so() {
    let mut egress = Egress::new();
    assert!(!egress.is_full_for(1_000_000), "what doesn't fit an empty buffer makes it grow");
    egress.push(destination(1), b"a");
    assert!(!egress.is_full_for(1));
    assert!(egress.is_full_for(BATCH_BYTES / MAX_DATAGRAM + 1));
    for port in 0..BATCH_RUNS as u16 {
        egress.push(destination(port), b"a");
    }
    assert!(egress.is_full_for(0));
}

#[test]
fn the_buffer_is_reused() {
    let mut egress = Egress::new();
    egress.push(destination(1), b"first");
    drained(&mut egress);
    let before = egress.bytes.as_ptr();
    egress.push(destination(2), b"second");
    assert_eq!(egress.bytes.as_ptr(), before);
    assert_eq!(drained(&mut egress), [(2, 6, b"second".to_vec())]);
    for port in 0..1000 {
        egress.push(destination(port), &[0; 1000]);
    }
    assert!(egress.bytes.len() > BATCH_BYTES);
    assert_eq!(drained(&mut egress).len(), 1000);
    assert_eq!(egress.bytes.capacity(), BATCH_BYTES, "a rare flood leaves nothing behind");
}
