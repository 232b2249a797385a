use super::*;
use crate::clock;
use std::net::{TcpListener, TcpStream as StdStream};

/// A connection whose other end is here, and a poll for it.
struct World {
    poll: mio::Poll,
    connections: Connections,
    listener: TcpListener,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let poll = mio::Poll::new().unwrap();
        let connections = Connections::new(poll.registry().try_clone().unwrap());
        Self { poll, connections, listener: TcpListener::bind("127.0.0.1:0").unwrap(), now: clock::now() }
    }

    /// The far end of a connection that has brought `read`, and its number.
    fn connect(&mut self, read: &[u8]) -> (StdStream, u32) {
        let far = StdStream::connect(self.listener.local_addr().unwrap()).unwrap();
        let (stream, from) = self.listener.accept().unwrap();
        let to = stream.local_addr().unwrap();
        let number = self.connections.next;
        self.connections.take(self.now, Arrived { stream, from, to, read: read.to_vec() });
        (far, number)
    }

    /// Waits until `what` is so, noting what the poll says.
    fn until(&mut self, mut what: impl FnMut(&mut Connections) -> bool) {
        let mut events = mio::Events::with_capacity(16);
        let deadline = clock::now() + Duration::from_secs(10);
        while !what(&mut self.connections) {
            assert!(clock::now() < deadline, "it never came");
            self.poll.poll(&mut events, Some(Duration::from_millis(100))).unwrap();
            for event in &events {
                self.connections.note(event);
            }
        }
    }
}

fn framed(datagrams: &[&[u8]]) -> Vec<u8> {
    datagrams.iter().flat_map(|datagram| framing::prefix(datagram).unwrap().into_iter().chain(datagram.iter().copied())).collect()
}

/// All frames that can be read now; `ended`: the connections that end by it.
fn frames(connections: &mut Connections) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for _ in 0..connections.readable() {
        let Some(mut brought) = connections.read_next() else { continue };
        let intact = loop {
            match brought.deframer.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        connections.put_back(brought, intact);
    }
    frames
}

#[test]
fn what_was_read_before_comes_first() {
    let mut world = World::new();
    let (mut far, _) = world.connect(&framed(&[b"one", b"two"])[..7]);
    far.write_all(&framed(&[b"one", b"two", b"three"])[7..]).unwrap();
    let mut seen = Vec::new();
    world.until(|connections| {
        seen.extend(frames(connections));
        seen.len() == 3
    });
    assert_eq!(seen, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
}

#[test]
fn a_run_goes_out_as_frames() {
    let mut world = World::new();
    let (mut far, number) = world.connect(&[]);
    world.connections.send(number, 4, b"aaaabbbbcc");
    let mut bytes = [0; 16];
    far.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes.as_slice(), framed(&[b"aaaa", b"bbbb", b"cc"]));
    assert_eq!((world.connections.stats().tcp_sent, world.connections.stats().tcp_sent_bytes), (3, 16));
}

#[test]
fn a_slow_reader_loses_pictures_and_never_a_part_of_a_frame() {
    let mut world = World::new();
    let (mut far, number) = world.connect(&[]);
    let media = [0x80; 1200];
    let mut sent = 0_u64;
    while world.connections.stats().tcp_dropped_full == 0 {
        world.connections.send(number, 1200, &media.repeat(8));
        sent += 8;
        assert!(sent < 100_000, "everything is taken from here for ever");
    }
    assert!(world.connections.open[&number].backlog.len() <= BACKLOG);
    // There is room for what matters more.
    let check = [1; 100];
    world.connections.send(number, 100, &check);
    let dropped = world.connections.stats().tcp_dropped_full;
    assert_eq!(world.connections.stats().tcp_sent, sent - dropped + 1);

    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        far.read_to_end(&mut all).unwrap();
        all
    });
    world.until(|connections| connections.open[&number].backlog.is_empty());
    world.connections.close(number);
    let all = reader.join().unwrap();
    let (frames, rest) = all.split_at(all.len() - framed(&[&check]).len());
    assert_eq!(rest, framed(&[&check]));
    assert_eq!(frames, framed(&[&media]).repeat(usize::try_from(sent - dropped).unwrap()));
}

#[test]
fn what_is_no_frame_ends_the_connection_and_so_does_its_end() {
    let mut world = World::new();
    let (mut talker, number) = world.connect(&[]);
    talker.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let (leaver, left) = world.connect(&[]);
    drop(leaver);
    let mut ended = Vec::new();
    world.until(|connections| {
        assert!(frames(connections).is_empty());
        while let Some(remote) = connections.poll_ended() {
            ended.push(remote.via);
        }
        ended.len() == 2
    });
    assert!(ended.contains(&Via::Tcp(number)) && ended.contains(&Via::Tcp(left)));
    let stats = world.connections.stats();
    assert_eq!((stats.tcp_connections, stats.tcp_malformed), (0, 1));
}

#[test]
fn who_is_not_vouched_for_in_time_is_closed() {
    let mut world = World::new();
    let (_stranger, stranger) = world.connect(&[]);
    let (_friend, friend) = world.connect(&[]);
    world.connections.bound(friend);
    assert_eq!(world.connections.poll_timeout(), Some(world.now + PATIENCE));
    world.connections.handle_timeout(world.now + PATIENCE);
    assert_eq!(world.connections.poll_ended().map(|remote| remote.via), Some(Via::Tcp(stranger)));
    assert_eq!(world.connections.poll_ended(), None);
    assert_eq!((world.connections.poll_timeout(), world.connections.stats().tcp_unclaimed), (None, 1));
}

#[test]
fn strangers_take_no_more_than_their_places() {
    let mut world = World::new();
    let (_friend, friend) = world.connect(&[]);
    world.connections.bound(friend);
    let strangers: Vec<_> = (0..=MOST_UNBOUND).map(|_| world.connect(&[]).0).collect();
    let stats = world.connections.stats();
    assert_eq!((stats.tcp_connections, stats.tcp_refused), (MOST_UNBOUND as u64 + 1, 1));
    drop(strangers);
}
