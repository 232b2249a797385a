//! As much of an IP packet as a block needs to know.

/// Source and destination port when `packet` is UDP over IPv4 or IPv6 without extension headers. The later fragments of a
/// datagram carry no ports and count as no UDP; Nearcast's datagrams are never fragmented.
#[must_use]
pub fn udp_ports(packet: &[u8]) -> Option<(u16, u16)> {
    let header = match packet.first()? >> 4 {
        4 => {
            let (flags, low) = (packet.get(6)?, packet.get(7)?);
            let is_first = flags & 0x1f == 0 && *low == 0;
            let length = usize::from(packet.first()? & 0x0f) * 4;
            (*packet.get(9)? == UDP && is_first).then_some(length)?
        }
        6 => (*packet.get(6)? == UDP).then_some(IPV6_HEADER)?,
        _ => return None,
    };
    let port = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at.checked_add(1)?)?]));
    Some((port(header)?, port(header.checked_add(2)?)?))
}

/// IANA's protocol number.
const UDP: u8 = 17;
const IPV6_HEADER: usize = 40;

#[cfg(test)]
mod tests;
