use super::*;
use std::net::UdpSocket;
use std::time::Duration;

const BUFFER: usize = 1 << 20;

fn sender() -> MediaSocket {
    super::super::bind("127.0.0.1:0".parse().unwrap(), 1, BUFFER).unwrap().remove(0)
}

fn receiver() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// First bytes and lengths of the next `count` datagrams.
fn received(socket: &UdpSocket, count: usize) -> Vec<(u8, usize)> {
    let mut buffer = [0; 2000];
    (0..count).map(|_| socket.recv(&mut buffer).map(|length| (buffer[0], length)).unwrap()).collect()
}

fn send(socket: &mut MediaSocket, runs: &[Transmit<'_>]) {
    let mut outbox = Outbox::default();
    socket.send_window(&mut outbox, |position| runs.get(position).copied(), all(runs.len()), &|_| None);
}

fn run(destination: SocketAddr, segment_size: usize, contents: &[u8]) -> Transmit<'_> {
    Transmit { destination: destination.into(), segment_size, contents, sound: false }
}

#[test]
fn runs_of_one_shape_share_a_call() {
    let mut socket = sender();
    let receivers: Vec<_> = (0..10).map(|_| receiver()).collect();
    let contents: Vec<u8> = (0..5_u8).flat_map(|number| vec![number; if number == 4 { 70 } else { 100 }]).collect();
    let runs: Vec<_> = receivers.iter().map(|(_, address)| run(*address, 100, &contents)).collect();
    send(&mut socket, &runs);
    for (receiver, _) in &receivers {
        assert_eq!(received(receiver, 5), [(0, 100), (1, 100), (2, 100), (3, 100), (4, 70)]);
    }
    assert_eq!((socket.stats.calls, socket.stats.runs, socket.stats.datagrams, socket.stats.bytes), (1, 10, 50, 4_700));
}

#[test]
fn single_datagrams_share_a_call_whatever_their_sizes() {
    let mut socket = sender();
    let receivers: Vec<_> = (0..10).map(|_| receiver()).collect();
    let contents: Vec<Vec<u8>> = (1..=10_u8).map(|size| vec![size; usize::from(size)]).collect();
    let runs: Vec<_> =
        receivers.iter().zip(&contents).map(|((_, address), contents)| run(*address, contents.len(), contents.as_slice())).collect();
    send(&mut socket, &runs);
    for ((receiver, _), size) in receivers.iter().zip(1..) {
        assert_eq!(received(receiver, 1), [(size, usize::from(size))]);
    }
    assert_eq!(socket.stats.calls, 1);
}

#[test]
fn what_one_destination_is_sent_keeps_its_order() {
    let mut socket = sender();
    let (one, to_one) = receiver();
    let (two, to_two) = receiver();
    let (a, b, c, d) = ([1; 200], [2; 90], [3; 200], [4; 20]);
    let runs = [
        run(to_one, 100, &a),
        run(to_one, 30, &b),
        run(to_one, 100, &c),
        run(to_two, 100, &a),
        run(to_two, 30, &b),
        run(to_one, 20, &d),
        run(to_two, 100, &c),
    ];
    send(&mut socket, &runs);
    assert_eq!(received(&one, 8).iter().map(|(first, _)| *first).collect::<Vec<_>>(), [1, 1, 2, 2, 2, 3, 3, 4]);
    assert_eq!(received(&two, 7).iter().map(|(first, _)| *first).collect::<Vec<_>>(), [1, 1, 2, 2, 2, 3, 3]);
    assert_eq!(socket.stats.calls, 4, "a to both, b to both, c to both, d");
}

#[test]
fn one_that_the_kernel_refuses_costs_only_itself() {
    let mut socket = sender();
    let (one, to_one) = receiver();
    let (two, to_two) = receiver();
    let nowhere = "127.0.0.1:0".parse().unwrap();
    let too_large = vec![9; 70_000];
    let runs = [
        run(to_one, 3, b"abcabc"),
        run(nowhere, 3, b"abcabc"),
        run(to_two, 3, b"abcabc"),
        run(to_two, 70_000, &too_large),
        run(to_one, 1, b"d"),
    ];
    send(&mut socket, &runs);
    assert_eq!(received(&one, 3).len() + received(&two, 2).len(), 5);
    assert_eq!((socket.stats.failed, socket.stats.gso_lost), (3, 0));
    assert!(socket.state.max_gso_segments() > 1, "offload is still on");
}

#[test]
fn runs_leave_from_the_address_that_was_asked() {
    let mut socket = super::super::bind("0.0.0.0:0".parse().unwrap(), 1, BUFFER).unwrap().remove(0);
    let port = socket.local_address().port();
    let (receivers, addresses): (Vec<_>, Vec<_>) = (0..4).map(|_| receiver()).unzip();
    let mut outbox = Outbox::default();
    let source_of = |to: SocketAddr| (to.port() % 2 == addresses[0].port() % 2).then(|| IpAddr::from([127, 0, 0, 2]));
    for contents in [&b"abcabc"[..], b"abc"] {
        let runs: Vec<_> = addresses.iter().map(|address| run(*address, 3, contents)).collect();
        socket.send_window(&mut outbox, |position| runs.get(position).copied(), all(runs.len()), &source_of);
    }
    let mut buffer = [0; 100];
    for (receiver, address) in receivers.iter().zip(&addresses) {
        let expected = source_of(*address).unwrap_or(IpAddr::from([127, 0, 0, 1]));
        for _ in 0..3 {
            assert_eq!(receiver.recv_from(&mut buffer).unwrap(), (3, SocketAddr::new(expected, port)));
        }
    }
}

#[test]
fn both_families_go_through_one_dual_stack_socket() {
    let Ok(mut sockets) = super::super::bind("[::]:0".parse().unwrap(), 1, BUFFER) else { return };
    let (v4, to_v4) = receiver();
    let Ok(v6) = UdpSocket::bind("[::1]:0") else { return };
    v6.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let to_v6 = v6.local_addr().unwrap();
    let mut outbox = Outbox::default();
    for with_source in [false, true] {
        let runs = [run(to_v4, 2, b"aabb"), run(to_v6, 2, b"aabb"), run(to_v4, 1, b"c"), run(to_v6, 1, b"c")];
        let source_of = |to: SocketAddr| with_source.then_some(to.ip());
        sockets[0].send_window(&mut outbox, |position| runs.get(position).copied(), all(runs.len()), &source_of);
        for socket in [&v4, &v6] {
            assert_eq!(received(socket, 3), [(b'a', 2), (b'b', 2), (b'c', 1)]);
        }
    }
    assert_eq!(sockets[0].stats.failed, 0);
}

#[test]
fn after_offload_was_lost_everything_goes_alone_until_it_is_tried_again() {
    let mut socket = sender();
    let (receiver, address) = receiver();
    socket.gso_retry_at = Some(2);
    send(&mut socket, &[run(address, 1, b"a"), run(address, 1, b"b")]);
    assert_eq!((received(&receiver, 2).len(), socket.stats.calls), (2, 2));
    send(&mut socket, &[run(address, 1, b"a"), run(address, 1, b"b"), run(address, 1, b"c")]);
    assert_eq!((received(&receiver, 3).len(), socket.gso_retry_at), (3, None));
}

#[test]
fn sound_goes_with_sound() {
    let mut socket = sender();
    socket.mark(34, 46).unwrap();
    let receivers: Vec<_> = (0..4).map(|_| receiver()).collect();
    let sound = |address| Transmit { sound: true, ..run(address, 1, b"s") };
    let runs: Vec<_> = receivers.iter().flat_map(|(_, address)| [run(*address, 1, b"v"), sound(*address)]).collect();
    send(&mut socket, &runs);
    for (receiver, _) in &receivers {
        assert_eq!(received(receiver, 2), [(b'v', 1), (b's', 1)]);
    }
    assert_eq!(socket.stats.calls, 2, "pictures to all, sound to all");
    socket.mark(34, 34).unwrap();
    send(&mut socket, &runs);
    assert_eq!(socket.stats.calls, 3, "one mark, one call");
}

/// Positions of a window of so many runs.
fn all(count: usize) -> Positions {
    let mut all = Positions(0);
    (0..count).for_each(|position| all.insert(position));
    all
}
