use super::*;
use std::os::fd::AsRawFd;
use std::time::Duration;

const BUFFER: usize = 1 << 18;

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Waits for a datagram and reads it.
fn receive(socket: &MediaSocket) -> Vec<(SocketAddr, Option<IpAddr>, Vec<u8>)> {
    let mut poll = mio::Poll::new().unwrap();
    let descriptor = socket.inner().as_raw_fd();
    poll.registry().register(&mut mio::unix::SourceFd(&descriptor), mio::Token(0), mio::Interest::READABLE).unwrap();
    poll.poll(&mut mio::Events::with_capacity(1), Some(Duration::from_secs(5))).unwrap();
    poll.registry().deregister(&mut mio::unix::SourceFd(&descriptor)).unwrap();
    let mut buffers = Buffers::default();
    socket.receive(&mut buffers).unwrap();
    let runs = buffers.runs();
    runs.flat_map(|run| run.bytes.chunks(run.stride).map(|datagram| (run.from, run.to, datagram.to_vec())).collect::<Vec<_>>()).collect()
}

#[test]
fn siblings_share_a_port() {
    let sockets = bind(loopback(), 3, BUFFER).unwrap();
    let ports: Vec<_> = sockets.iter().map(|socket| socket.local_address()).collect();
    assert!(ports[0].port() != 0 && ports.iter().all(|port| *port == ports[0]));
}

#[test]
fn a_run_arrives_as_its_datagrams() {
    let mut sender = bind(loopback(), 1, BUFFER).unwrap().remove(0);
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // 150 datagrams of 500 bytes and one of 7: more than fits one system call.
    let contents: Vec<u8> = (0..=150_u8).flat_map(|index| vec![index; if index == 150 { 7 } else { 500 }]).collect();
    sender.send(receiver.local_addr().unwrap(), None, 500, &contents);
    let mut buffer = [0; 2000];
    for index in 0..=150 {
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!((length, buffer[0]), (if index == 150 { 7 } else { 500 }, index));
    }
    assert_eq!((sender.stats.datagrams, sender.stats.bytes), (151, 75_007));
    assert!(sender.stats.calls >= 2);
}

#[test]
fn ipv4_peers_of_a_dual_stack_socket_are_ipv4() {
    let Ok(mut sockets) = bind("[::]:0".parse().unwrap(), 1, BUFFER) else { return };
    let mut dual = sockets.remove(0);
    let port = dual.local_address().port();
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(peer) = UdpSocket::bind(local) else { continue };
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let here = peer.local_addr().unwrap();
        peer.send_to(b"hello", SocketAddr::new(here.ip(), port)).unwrap();
        assert_eq!(receive(&dual), [(here, Some(here.ip()), b"hello".to_vec())]);
        dual.send(here, Some(here.ip()), 5, b"reply");
        let mut buffer = [0; 10];
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (&b"reply"[..], SocketAddr::new(here.ip(), port)));
    }
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    let mut socket = bind("0.0.0.0:0".parse().unwrap(), 1, BUFFER).unwrap().remove(0);
    let port = socket.local_address().port();
    // All of 127.0.0.0/8 is this machine, and the kernel would answer from 127.0.0.1.
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    peer.send_to(b"hello", ("127.0.0.2", port)).unwrap();
    let (from, to, _) = receive(&socket).remove(0);
    socket.send(from, to, 5, b"reply");
    let mut buffer = [0; 10];
    let (_, answered_from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!(answered_from, format!("127.0.0.2:{port}").parse::<SocketAddr>().unwrap());
}

#[test]
fn what_cannot_be_sent_is_counted_and_costs_nobody_else() {
    let mut socket = bind(loopback(), 1, BUFFER).unwrap().remove(0);
    let segments = socket.state.max_gso_segments();
    socket.send("127.0.0.1:0".parse().unwrap(), None, 100, &[0; 250]);
    assert_eq!(socket.stats.failed, 3);
    socket.send("127.0.0.1:9".parse().unwrap(), None, 70_000, &[0; 70_000]);
    assert_eq!(socket.stats.failed, 4);
    assert_eq!(socket.stats.gso_lost, 0);
    assert_eq!(socket.state.max_gso_segments(), segments, "offload is still on");
}

#[test]
fn a_taken_port_is_an_error_even_if_its_holder_shares_it() {
    let holder = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(bind(holder.local_addr().unwrap(), 1, BUFFER).is_err());
    let edge = bind(loopback(), 2, BUFFER).unwrap();
    assert!(bind(edge[0].local_address(), 2, BUFFER).is_err());
}

#[test]
fn the_kernel_spreads_peers_over_the_siblings() {
    let sockets = bind(loopback(), 2, BUFFER).unwrap();
    let peers: Vec<_> = (0..32).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for peer in &peers {
        peer.send_to(b"hello", sockets[0].local_address()).unwrap();
    }
    for socket in &sockets {
        assert!(!receive(socket).is_empty(), "one socket got everything");
    }
}

#[test]
fn what_does_not_fit_every_path_never_risks_the_offload() {
    let mut sender = bind(loopback(), 1, BUFFER).unwrap().remove(0);
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send(receiver.local_addr().unwrap(), None, LARGEST_SEGMENT + 1, &vec![0; 4 * (LARGEST_SEGMENT + 1)]);
    assert_eq!((sender.stats.calls, sender.stats.datagrams), (4, 4));
}

/// The field of the IP header that the next datagram came with.
#[cfg(target_os = "linux")]
fn mark_of_next(peer: &UdpSocket) -> Option<i32> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg};
    let (mut buffer, mut control) = ([0; 2000], nix::cmsg_space!(i32));
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let received: RecvMsg<'_, '_, SockaddrStorage> = recvmsg(peer.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::empty()).unwrap();
    received.cmsgs().unwrap().find_map(|message| match message {
        ControlMessageOwned::Ipv4Tos(field) => Some(i32::from(field)),
        ControlMessageOwned::Ipv6TClass(field) => Some(field),
        _ => None,
    })
}

#[cfg(target_os = "linux")]
#[test]
fn sound_and_the_rest_are_marked_alone_and_in_runs_for_both_families() {
    use nix::sys::socket::{setsockopt, sockopt};
    let Ok(mut sockets) = bind("[::]:0".parse().unwrap(), 1, BUFFER) else { return };
    let mut socket = sockets.remove(0);
    socket.mark(34, 46).unwrap();
    let mut outbox = Outbox::default();
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(peer) = UdpSocket::bind(local) else { continue };
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let to = peer.local_addr().unwrap();
        if to.is_ipv4() {
            setsockopt(&peer, sockopt::IpRecvTos, &true).unwrap();
        } else {
            setsockopt(&peer, sockopt::Ipv6RecvTClass, &true).unwrap();
        }
        // A run, a datagram, one that is too large for either; then the same without offload.
        for offload in [true, false] {
            socket.gso_retry_at = (!offload).then_some(u64::MAX);
            for (sound, code_point) in [(false, 34), (true, 46)] {
                let runs = [(1, &b"abcd"[..]), (4, b"efgh"), (LARGEST_SEGMENT + 1, &[7; LARGEST_SEGMENT + 1])];
                let runs =
                    runs.map(|(segment_size, contents)| sfu_core::Transmit { destination: to.into(), segment_size, contents, sound });
                socket.send_runs(&mut outbox, &runs);
                for _ in 0..6 {
                    assert_eq!(mark_of_next(&peer), Some(code_point << 2), "sound: {sound}, to {to}, offload: {offload}");
                }
            }
        }
    }
    assert_eq!(socket.stats.failed, 0);
}
