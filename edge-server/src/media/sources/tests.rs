use super::*;

fn interfaces(addresses: &[&str]) -> Vec<Interface> {
    addresses.iter().map(|address| Interface { address: address.parse().unwrap(), up: true }).collect()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_check_is_answered_from_where_it_was_sent_to() {
    let mut sources = Sources::new(address("[::]:7700"), &interfaces(&["10.0.0.5", "10.0.1.5"]), true);
    let peer = address("192.0.2.1:4000");
    for to in ["10.0.0.5", "10.0.1.5"] {
        assert_eq!(sources.note(peer, Some(ip(to)), true), SocketAddr::new(ip(to), 7700));
        assert_eq!(sources.of(peer), Some(ip(to)));
        sources.answered();
        assert_eq!(sources.of(peer), None, "nobody accepted it yet");
    }
}

#[test]
fn media_follows_the_address_that_media_came_to() {
    let mut sources = Sources::new(address("0.0.0.0:7700"), &interfaces(&["10.0.0.5", "10.0.1.5"]), true);
    let peer = address("192.0.2.1:4000");
    sources.note(peer, Some(ip("10.0.0.5")), true);
    sources.bind(peer);
    sources.answered();
    assert_eq!(sources.of(peer), Some(ip("10.0.0.5")));
    sources.note(peer, Some(ip("10.0.1.5")), false);
    assert_eq!(sources.of(peer), Some(ip("10.0.1.5")));
    sources.unbind(peer);
    assert_eq!(sources.of(peer), None);
}

#[test]
fn strangers_leave_no_trace() {
    let mut sources = Sources::new(address("[::]:7700"), &interfaces(&["10.0.0.5", "10.0.1.5"]), true);
    for port in 1..1000 {
        let stranger = SocketAddr::new(ip("192.0.2.1"), port);
        sources.note(stranger, Some(ip("10.0.0.5")), port % 2 == 0);
        sources.answered();
    }
    assert!(sources.bound.is_empty() && sources.check.is_none());
}

#[test]
fn one_address_needs_no_memory() {
    for (local, addresses) in
        [("[::]:7700", ["10.0.0.5", "fe80::1"]), ("[::]:7700", ["10.0.0.5", "127.0.0.1"]), ("10.0.0.5:7700", ["10.0.0.5", "10.0.1.5"])]
    {
        let mut sources = Sources::new(address(local), &interfaces(&addresses), false);
        let peer = address("192.0.2.1:4000");
        sources.note(peer, Some(ip("10.0.0.5")), true);
        sources.bind(peer);
        assert_eq!(sources.of(peer), None);
    }
}
