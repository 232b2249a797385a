//! The RTCP that a browser sends, written; and what it reads, read. Compound packets in the clear: `srtp` seals them.

use std::time::Duration;

/// Largest number of report blocks in one packet (RFC 3550 §6.4.1: five bits).
const BLOCKS: usize = 31;

/// Ticks of transport-wide deltas, in microseconds.
const DELTA: u64 = 250;

/// The reference time of transport-wide feedback counts these, in microseconds.
const REFERENCE: u64 = 64_000;

/// Packets that one transport-wide feedback covers at most; more are left out, as if lost. Browsers send it every 100 ms, and 70 % of a
/// core's worth is 3,000 packets/s for each subscriber.
const COVERED: u16 = 2_000;

/// What a receiver reports of one stream.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ReportBlock {
    pub(super) ssrc: u32,
    pub(super) fraction_lost: u8,
    pub(super) lost: u32,
    pub(super) highest: u32,
    pub(super) last_sender_report: u32,
    /// In 1/65536 s.
    pub(super) delay: u32,
}

/// A receiver report.
pub(super) fn receiver_report(own: u32, blocks: &[ReportBlock], out: &mut Vec<u8>) {
    for chunk in blocks.chunks(BLOCKS) {
        let start = begin(chunk.len() as u8, 201, own, out);
        for block in chunk {
            let [_, a, b, c] = block.lost.to_be_bytes();
            out.extend_from_slice(&block.ssrc.to_be_bytes());
            out.extend_from_slice(&[block.fraction_lost, a, b, c]);
            // Jitter: zero; the edge only shows it.
            for word in [block.highest, 0, block.last_sender_report, block.delay] {
                out.extend_from_slice(&word.to_be_bytes());
            }
        }
        finish(start, out);
    }
}

/// A sender report without report blocks, and the sender's name.
pub(super) fn sender_report(own: u32, since_1970: Duration, timestamp: u32, packets: u32, bytes: u32, out: &mut Vec<u8>) {
    let start = begin(0, 200, own, out);
    out.extend_from_slice(&ntp(since_1970).to_be_bytes());
    for word in [timestamp, packets, bytes] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    finish(start, out);
    let start = begin(1, 202, own, out);
    // CNAME of four letters, the item list's end, and padding to a word.
    out.extend_from_slice(&[1, 4, b'l', b'o', b'a', b'd', 0, 0]);
    finish(start, out);
}

/// Asks for packets of one stream (RFC 4585 §6.2.1), one by one or with those that follow.
pub(super) fn nack(own: u32, ssrc: u32, numbers: &[u16], out: &mut Vec<u8>) {
    let start = begin(1, 205, own, out);
    out.extend_from_slice(&ssrc.to_be_bytes());
    let mut rest = numbers.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut following = 0_u16;
        while let Some(bit) = rest.peek().map(|next| next.wrapping_sub(first)).filter(|distance| (1..=16).contains(distance)) {
            following |= 1 << (bit - 1);
            rest.next();
        }
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(&following.to_be_bytes());
    }
    finish(start, out);
}

/// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1) of packets in the order of their numbers, with
/// arrival in microseconds. Returns whether there was something to say.
pub(super) fn transport_feedback(own: u32, count: u8, arrived: &[(u16, u64)], out: &mut Vec<u8>) -> bool {
    let Some((first, first_at)) = arrived.first().copied() else { return false };
    let reference = first_at / REFERENCE;
    let (mut symbols, mut deltas) = (Vec::new(), Vec::new());
    let mut last = reference * REFERENCE / DELTA;
    for (number, at) in arrived {
        let place = number.wrapping_sub(first);
        if place >= COVERED || usize::from(place) < symbols.len() {
            continue;
        }
        symbols.resize(usize::from(place), 0);
        let ticks = at / DELTA;
        let delta = ticks as i64 - last as i64;
        last = ticks;
        match u8::try_from(delta) {
            Ok(small) => {
                symbols.push(1);
                deltas.push(small);
            }
            Err(_) => {
                symbols.push(2);
                deltas.extend_from_slice(&(delta.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16).to_be_bytes());
            }
        }
    }
    let start = begin(15, 205, own, out);
    out.extend_from_slice(&0_u32.to_be_bytes());
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&(symbols.len() as u16).to_be_bytes());
    out.extend_from_slice(&(((reference as u32) << 8) | u32::from(count)).to_be_bytes());
    if symbols.iter().all(|symbol| *symbol == 1) {
        out.extend_from_slice(&((1 << 13) | symbols.len() as u16).to_be_bytes());
    } else {
        for seven in symbols.chunks(7) {
            let bits = seven.iter().zip((0..7_u16).rev()).fold(0, |bits, (symbol, place)| bits | (*symbol as u16) << (2 * place));
            out.extend_from_slice(&(0xc000 | bits).to_be_bytes());
        }
    }
    out.extend_from_slice(&deltas);
    out.resize(out.len().next_multiple_of(4), 0);
    finish(start, out);
    true
}

fn begin(count: u8, kind: u8, own: u32, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, kind, 0, 0]);
    out.extend_from_slice(&own.to_be_bytes());
    start
}

fn finish(start: usize, out: &mut [u8]) {
    let words = ((out.len() - start) / 4 - 1) as u16;
    if let Some(place) = out.get_mut(start + 2..start + 4) {
        place.copy_from_slice(&words.to_be_bytes());
    }
}

/// What matters in a packet received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    /// A sender report of a stream: the middle of its NTP time.
    SenderReport { ssrc: u32, middle: u32 },
    /// Somebody wants a key frame of a stream.
    KeyframeWanted { ssrc: u32 },
    /// So many packets are wanted again.
    Nack { count: u64 },
}

/// Reads a compound packet.
pub(super) fn read(mut compound: &[u8], mut each: impl FnMut(Said)) {
    while let Some(((head, own), packet)) = split(&mut compound) {
        let word = |at: usize| Some(u32::from_be_bytes(packet.get(at..at + 4)?.try_into().ok()?));
        match (head[1], head[0] & 0x1f) {
            (200, _) => {
                if let (Some(high), Some(low)) = (word(8), word(12)) {
                    each(Said::SenderReport { ssrc: own, middle: (high << 16) | (low >> 16) });
                }
            }
            (206, 1) => word(8).into_iter().for_each(|ssrc| each(Said::KeyframeWanted { ssrc })),
            (206, 4) => packet.get(12..).unwrap_or_default().chunks_exact(8).for_each(|entry| {
                if let Some(ssrc) = entry.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)) {
                    each(Said::KeyframeWanted { ssrc });
                }
            }),
            (205, 1) => {
                let entries = packet.get(12..).unwrap_or_default().chunks_exact(4);
                let count = entries.map(|entry| 1 + entry.iter().skip(2).map(|byte| u64::from(byte.count_ones())).sum::<u64>()).sum();
                each(Said::Nack { count });
            }
            _ => {}
        }
    }
}

/// The first packet's head and sender, and the packet; the rest stays.
#[expect(clippy::type_complexity, reason = "one caller, which takes it apart at once")]
fn split<'a>(compound: &mut &'a [u8]) -> Option<(([u8; 4], u32), &'a [u8])> {
    let head: [u8; 4] = *compound.first_chunk()?;
    let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
    let (packet, rest) = compound.split_at_checked(length)?;
    *compound = rest;
    let own = u32::from_be_bytes(packet.get(4..8)?.try_into().ok()?);
    Some(((head, own), packet))
}

/// NTP time (RFC 5905 §6) of a time since 1970.
fn ntp(since_1970: Duration) -> u64 {
    const FROM_1900: u64 = 2_208_988_800;
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    ((since_1970.as_secs() + FROM_1900) << 32) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use sfu_core::rtcp::{RtcpPacket, packets};

    /// By the edge's reader: what it refuses would make a load without feedback.
    fn parsed(bytes: &[u8]) -> Vec<RtcpPacket<'_>> {
        packets(bytes).map(Result::unwrap).collect()
    }

    #[test]
    fn others_read_what_is_written() {
        let mut out = Vec::new();
        receiver_report(7, &[ReportBlock { ssrc: 9, highest: 0x1_0002, delay: 5, ..ReportBlock::default() }], &mut out);
        nack(7, 9, &[10, 12, 26, 27, 100], &mut out);
        sender_report(7, Duration::from_secs(1), 3, 4, 5, &mut out);
        let packets = parsed(&out);
        assert!(matches!(&packets[0], RtcpPacket::ReceiverReport(report) if report.reports().len() == 1), "{packets:?}");
        let RtcpPacket::Nack(nack) = packets[1] else { panic!("{packets:?}") };
        assert_eq!(nack.lost().collect::<Vec<_>>(), [10, 12, 26, 27, 100]);
        assert!(matches!(&packets[2], RtcpPacket::SenderReport(_)), "{packets:?}");
        assert!(matches!(&packets[3], RtcpPacket::Sdes(_)), "{packets:?}");
    }

    #[test]
    fn transport_feedback_tells_what_came_and_what_did_not() {
        let mut out = Vec::new();
        let base = 640_000_000;
        assert!(transport_feedback(1, 3, &[(65_534, base), (65_535, base + 1_000), (1, base + 200_000)], &mut out));
        let packets = parsed(&out);
        let RtcpPacket::TransportFeedback(feedback) = packets[0] else { panic!("{packets:?}") };
        assert_eq!((feedback.base_seq, feedback.status_count, feedback.reference_time), (65_534, 4, 10_000));
        let arrivals: Vec<_> = feedback.arrivals().map(|status| (status.seq, status.arrival_us)).collect();
        let at = |offset: i64| Some(base as i64 + offset);
        assert_eq!(arrivals, [(65_534, at(0)), (65_535, at(1_000)), (0, None), (1, at(200_000))]);
        assert!(!transport_feedback(1, 3, &[], &mut Vec::new()));
    }

    #[test]
    fn what_servers_say_is_read() {
        let mut out = Vec::new();
        sender_report(5, Duration::from_secs(2), 0, 0, 0, &mut out);
        nack(1, 5, &[1, 2, 40], &mut out);
        out.extend_from_slice(&[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 5]);
        out.extend_from_slice(&[0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 6, 1, 0, 0, 0]);
        let mut said = Vec::new();
        read(&out, |what| said.push(what));
        let middle = (2_208_988_802_u64 << 16) as u32;
        assert_eq!(
            said,
            [
                Said::SenderReport { ssrc: 5, middle },
                Said::Nack { count: 3 },
                Said::KeyframeWanted { ssrc: 5 },
                Said::KeyframeWanted { ssrc: 6 },
            ]
        );
    }
}
