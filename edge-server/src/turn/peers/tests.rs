use super::*;

/// FAULTS P12: each address in every form in which a client could write it.
#[test]
fn what_is_not_public_is_denied_in_every_form() {
    const DENIED_V4: [&str; 22] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ];
    for text in DENIED_V4 {
        let v4: Ipv4Addr = text.parse().unwrap();
        assert!(!is_public(v4.into()), "{text}");
        let [a, b, c, d] = v4.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let forms = [
            [0, 0, 0, 0, 0, 0xffff, high, low],
            [0, 0, 0, 0, 0xffff, 0, high, low],
            [0, 0, 0, 0, 0, 0, high, low],
            [0x64, 0xff9b, 0, 0, 0, 0, high, low],
            [0x64, 0xff9b, 1, 0, 0, 0, high, low],
            [0x2002, high, low, 0, 0, 0, 0, 1],
            [0x2a00, 1, 2, 3, 0, 0x5efe, high, low],
            [0x2a00, 1, 2, 3, 0x200, 0x5efe, high, low],
            [0x2001, 0, 1, 2, 3, 4, !high, !low],
        ];
        for segments in forms {
            let v6 = Ipv6Addr::from(segments);
            assert!(!is_public(v6.into()), "{text} as {v6}");
        }
    }
}

#[test]
fn special_ipv6_addresses_are_denied() {
    const DENIED_V6: [&str; 18] = [
        "::",
        "::1",
        "::2",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "100::1",
        "64:ff9b:1::8.8.8.8",
        "2001::1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "4000::1",
    ];
    for text in DENIED_V6 {
        assert!(!is_public(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn ordinary_addresses_are_allowed() {
    let public =
        ["1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "169.253.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1"];
    let public_v6 =
        ["223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:200::1", "3ffe::1"];
    for text in public.into_iter().chain(public_v6) {
        assert!(is_public(text.parse().unwrap()), "{text}");
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn only_the_media_port_of_the_edge_is_reached_on_its_own_address() {
    let media = [address("10.1.2.3:7700"), address("1.2.3.4:7700"), address("[2a00::1]:7700")];
    let peers = Peers::new(&media, |candidate| candidate == media[0]);
    assert_eq!(peers.route(media[0]), Some(media[0]));
    // What NAT gives this machine is reached without it, and known by its name again.
    assert_eq!(peers.route(media[1]), Some(address("127.0.0.1:7700")));
    assert_eq!(peers.known_as(address("127.0.0.1:7700")), media[1]);
    assert_eq!(peers.route(media[2]), Some(address("[::1]:7700")));
    assert_eq!(peers.known_as(address("9.9.9.9:1")), address("9.9.9.9:1"));
    for (denied, permitted) in
        [("10.1.2.3:22", true), ("1.2.3.4:22", true), ("127.0.0.1:7700", false), ("10.1.2.4:7700", false), ("9.9.9.9:0", true)]
    {
        assert_eq!(peers.route(address(denied)), None, "{denied}");
        assert_eq!(peers.may_permit(address(denied).ip()), permitted, "{denied}");
    }
    assert_eq!(peers.route(address("9.9.9.9:22")), Some(address("9.9.9.9:22")));
    assert_eq!((peers.outside(false), peers.outside(true)), (Some("1.2.3.4".parse().unwrap()), Some("2a00::1".parse().unwrap())));
}

/// Two people who both need the relay: each has the other's relay for a peer.
#[test]
fn relays_reach_each_other_while_they_are_open() {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let media = ["10.1.2.3:7700", "1.2.3.4:7700"].map(address);
    let peers = Peers::new(&media, |address| address == media[0]);
    for (relay, inside) in
        [("10.1.2.3:50000", "10.1.2.3:50000"), ("1.2.3.4:50001", "127.0.0.1:50001")].map(|(a, b)| (address(a), address(b)))
    {
        assert_eq!(peers.route(relay), None);
        peers.open(relay);
        assert_eq!(peers.route(relay), Some(inside));
        assert_eq!(peers.known_as(inside), relay);
        peers.close(relay);
        assert_eq!(peers.route(relay), None);
        assert_eq!(peers.known_as(inside), inside);
    }
    peers.open(address("9.9.9.9:50000"));
    assert_eq!(peers.known_as(address("127.0.0.1:50000")), address("127.0.0.1:50000"), "of somebody else");
}
