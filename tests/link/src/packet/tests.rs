use super::udp_ports;

/// IPv4 with `words` 32-bit words of header, then ports 5000 and 40,000.
fn ipv4(words: u8, protocol: u8, fragment: u16) -> Vec<u8> {
    let mut packet = vec![0; usize::from(words) * 4];
    packet[0] = 0x40 | words;
    packet[6..8].copy_from_slice(&fragment.to_be_bytes());
    packet[9] = protocol;
    packet.extend([0x13, 0x88, 0x9c, 0x40, 0, 8, 0, 0]);
    packet
}

#[test]
fn finds_the_ports_behind_any_length_of_header() {
    assert_eq!(udp_ports(&ipv4(5, 17, 0)), Some((5000, 40_000)));
    assert_eq!(udp_ports(&ipv4(8, 17, 0x4000)), Some((5000, 40_000)), "don't fragment is no fragment");
    let mut six = vec![0; 40];
    (six[0], six[6]) = (0x60, 17);
    six.extend([0x13, 0x88, 0x9c, 0x40]);
    assert_eq!(udp_ports(&six), Some((5000, 40_000)));
}

#[test]
fn what_is_no_whole_udp_has_none() {
    assert_eq!(udp_ports(&ipv4(5, 6, 0)), None, "TCP");
    assert_eq!(udp_ports(&ipv4(5, 17, 0x0010)), None, "a later fragment");
    let whole = ipv4(5, 17, 0);
    for length in 0..24 {
        assert_eq!(udp_ports(&whole[..length]), None, "{length} bytes");
    }
    assert_eq!(udp_ports(&[0x70; 60]), None, "IP version 7");
}
