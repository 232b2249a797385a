//! What one peer receives, and what it tells the server about it: reports, transport-wide feedback, requests for lost packets.
//!
//! A packet costs what reading its header costs. One in [`SAMPLE`] is opened for the stamp in its payload, and shows that it was sealed
//! properly. Nothing is lost on loopback, so one media packet in [`DISBELIEVED`] is asked for again as if it had been; it counts as
//! received, and its resend apart. Transport-wide feedback tells the truth.

use super::Seen;
use super::rtcp::{self, ReportBlock, Said};
use super::sections::{ExtensionIds, Section};
use super::srtp::Link;
use super::tally::Tally;
use crate::LoadError;
use crate::media::stamp;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One in so many packets is opened.
const SAMPLE: u32 = 8;

/// One in so many is asked for again: 0.7 %, a link that is not quite good.
const DISBELIEVED: u32 = 143;

/// From noticing a gap to asking: libwebrtc's NACK module looks every 20 ms, so 10 on average.
const NACK_AFTER: Duration = Duration::from_millis(10);

/// Between transport-wide feedbacks: libwebrtc's default; it adapts between 50 and 250 ms.
const FEEDBACK_EVERY: Duration = Duration::from_millis(100);

/// Between reports: libwebrtc's interval for video.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Requests whose resends are waited for; the oldest are given up.
const AWAITED: usize = 64;

/// Arrivals kept for the next feedback: half a second at 6,000 packets/s.
const ARRIVALS: usize = 3_000;

/// This side's SSRC in RTCP. The same for all: each has a transport of its own.
const OWN: u32 = 1;

/// One peer's receiving half.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    ids: ExtensionIds,
    /// Payload types of resends; every other is media.
    resends: Vec<u8>,
    /// Payload types that can be asked for again.
    video: Vec<u8>,
    streams: Vec<Stream>,
    /// Streams of resends, by SSRC.
    again: Vec<(u32, Tally)>,
    /// Place of the stream that the last packet belonged to.
    latest: usize,
    arrivals: Vec<(u16, u64)>,
    feedbacks: u8,
    wanted: Vec<(u32, u16)>,
    awaited: VecDeque<u16>,
    feedback_at: Option<Instant>,
    nack_at: Option<Instant>,
    report_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Stream {
    ssrc: u32,
    tally: Tally,
    /// When the last packet came.
    heard: Option<Duration>,
    /// Middle of the last sender report's time, and when it came.
    reported: Option<(u32, Instant)>,
}

/// What reading a header yields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Head {
    payload_type: u8,
    seq: u16,
    ssrc: u32,
    /// Bytes of the header with its extensions.
    len: usize,
    transport_cc: Option<u16>,
}

impl Inbound {
    /// Learns payload types and extensions from what was agreed.
    pub(super) fn configure(&mut self, agreed: &[Section]) {
        for section in agreed {
            let ids = section.extension_ids();
            self.ids.transport_cc = self.ids.transport_cc.or(ids.transport_cc);
            let resends = section.codecs.iter().filter(|(_, name)| name == "rtx").map(|(number, _)| *number);
            self.resends.extend(resends);
            let video = section.codecs.iter().filter(|(_, name)| matches!(name.as_str(), "vp8" | "vp9" | "av1" | "h264"));
            self.video.extend(video.map(|(number, _)| *number));
        }
        self.resends.sort_unstable();
        self.resends.dedup();
        self.video.sort_unstable();
        self.video.dedup();
    }

    /// Packets that arrived and packets that were sent, over all streams.
    pub(super) fn tally(&self) -> (u64, u64) {
        self.streams
            .iter()
            .fold((0, 0), |(received, expected), Stream { tally, .. }| (received + tally.received(), expected + tally.expected()))
    }

    pub(super) fn has_media(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Takes an RTP packet as it came. `heard`: when the kernel took it, since 1970.
    pub(super) fn on_rtp(
        &mut self,
        now: Instant,
        heard: Option<Duration>,
        packet: &mut [u8],
        link: &Link,
        seen: &mut Seen,
    ) -> Result<(), LoadError> {
        let Some(head) = Head::read(packet, self.ids.transport_cc) else { return Ok(()) };
        if let (Some(number), Some(heard)) = (head.transport_cc, heard)
            && self.arrivals.len() < ARRIVALS
        {
            self.arrivals.push((number, heard.as_micros() as u64));
            self.feedback_at.get_or_insert(now + FEEDBACK_EVERY);
        }
        let media = !self.resends.contains(&head.payload_type);
        let place = self.place_of(head.ssrc, media);
        let Some(stream) = place.and_then(|place| self.streams.get_mut(place)) else {
            return self.on_resend(&head, packet, link, seen);
        };
        let Some(extended) = stream.tally.on_packet(head.seq) else {
            // Some servers resend on the stream itself.
            self.on_answer(head.seq, seen);
            return Ok(());
        };
        if let Some(heard) = heard {
            let gap = stream.heard.map_or(Duration::ZERO, |last| heard.saturating_sub(last));
            seen.longest_gap = seen.longest_gap.max(gap);
            stream.heard = Some(heard);
        }
        seen.disordered += u64::from(extended as u32 != stream.tally.highest().wrapping_add(1 << 16));
        let dice = seen.dice();
        if dice.is_multiple_of(DISBELIEVED) && self.video.contains(&head.payload_type) {
            self.wanted.push((head.ssrc, head.seq));
            self.nack_at.get_or_insert(now + NACK_AFTER);
        }
        if (dice >> 16).is_multiple_of(SAMPLE) {
            let index = extended.saturating_sub(1 << 16);
            let payload = link.open_rtp(head.ssrc, index, head.len, packet);
            let payload = payload.ok_or_else(|| LoadError::refused("opening what the server sealed", "it is not authentic"))?;
            if let (Some(heard), Some(sent)) = (heard, stamp(payload)) {
                seen.delays.record(heard.saturating_sub(sent));
            }
        }
        Ok(())
    }

    /// The place of a stream, a new one for a new SSRC; none for resends, which are counted otherwise.
    fn place_of(&mut self, ssrc: u32, media: bool) -> Option<usize> {
        if self.streams.get(self.latest).is_some_and(|stream| stream.ssrc == ssrc) {
            return Some(self.latest);
        }
        if !media {
            return None;
        }
        self.latest = self.streams.iter().position(|stream| stream.ssrc == ssrc).unwrap_or_else(|| {
            self.streams.push(Stream { ssrc, ..Stream::default() });
            self.streams.len() - 1
        });
        Some(self.latest)
    }

    /// RFC 4588 §4: the payload begins with the original number. One without payload only probes.
    fn on_resend(&mut self, head: &Head, packet: &mut [u8], link: &Link, seen: &mut Seen) -> Result<(), LoadError> {
        let place = self.again.iter().position(|(ssrc, _)| *ssrc == head.ssrc).unwrap_or_else(|| {
            self.again.push((head.ssrc, Tally::default()));
            self.again.len() - 1
        });
        let extended = self.again.get_mut(place).and_then(|(_, tally)| tally.on_packet(head.seq));
        let Some(index) = extended.map(|extended| extended.saturating_sub(1 << 16)) else { return Ok(()) };
        let packet_is_padded = packet.first().is_some_and(|first| first & 0x20 != 0);
        let payload = link.open_rtp(head.ssrc, index, head.len, packet);
        let payload = payload.ok_or_else(|| LoadError::refused("opening a resend that the server sealed", "it is not authentic"))?;
        // Padding is counted by its last byte.
        let padded = packet_is_padded.then(|| payload.last().copied()).flatten().map_or(0, usize::from);
        match payload.get(..payload.len().saturating_sub(padded)).and_then(<[u8]>::first_chunk) {
            Some(number) => self.on_answer(u16::from_be_bytes(*number), seen),
            None => seen.probes += 1,
        }
        Ok(())
    }

    fn on_answer(&mut self, number: u16, seen: &mut Seen) {
        if let Some(place) = self.awaited.iter().position(|awaited| *awaited == number) {
            self.awaited.remove(place);
            seen.resends_answered += 1;
        }
    }

    /// Takes a compound RTCP packet in the clear; hands on what a publisher has to know.
    pub(super) fn on_rtcp(&mut self, now: Instant, compound: &[u8], mut each: impl FnMut(Said)) {
        rtcp::read(compound, |said| match said {
            Said::SenderReport { ssrc, middle } => {
                if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
                    stream.reported = Some((middle, now));
                }
            }
            other => each(other),
        });
    }

    /// When [`Inbound::write_feedback`] has something to say.
    pub(super) fn next_due(&self) -> Option<Instant> {
        [self.feedback_at, self.nack_at, self.report_at].into_iter().flatten().min()
    }

    /// Begins reporting.
    pub(super) fn begin(&mut self, now: Instant) {
        self.report_at = Some(now + REPORT_EVERY);
    }

    /// Writes what is due into `out` as one compound packet.
    pub(super) fn write_feedback(&mut self, now: Instant, out: &mut Vec<u8>, seen: &mut Seen) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let (report, nack, feedback) = (is_due(self.report_at), is_due(self.nack_at), is_due(self.feedback_at));
        // Feedback goes without a report in front (RFC 5506), as browsers send it.
        if report {
            rtcp::receiver_report(OWN, &self.report_blocks(now), out);
            self.report_at = Some(now + REPORT_EVERY);
        }
        if nack {
            self.write_nacks(out, seen);
        }
        if feedback {
            self.feedback_at = None;
            if rtcp::transport_feedback(OWN, self.feedbacks, &self.arrivals, out) {
                self.feedbacks = self.feedbacks.wrapping_add(1);
                seen.feedbacks += 1;
            }
            self.arrivals.clear();
        }
    }

    fn write_nacks(&mut self, out: &mut Vec<u8>, seen: &mut Seen) {
        self.nack_at = None;
        self.wanted.sort_unstable();
        seen.resends_asked += self.wanted.len() as u64;
        for asked in self.wanted.chunk_by(|(one, _), (two, _)| one == two) {
            let numbers: Vec<u16> = asked.iter().map(|(_, seq)| *seq).collect();
            let ssrc = asked.first().map_or(0, |(ssrc, _)| *ssrc);
            rtcp::nack(OWN, ssrc, &numbers, out);
            self.awaited.extend(numbers);
        }
        self.wanted.clear();
        self.awaited.drain(..self.awaited.len().saturating_sub(AWAITED));
    }

    fn report_blocks(&self, now: Instant) -> Vec<ReportBlock> {
        let block = |stream: &Stream| {
            let (last_sender_report, delay) = stream
                .reported
                .map_or((0, 0), |(middle, at)| (middle, (now.saturating_duration_since(at).as_secs_f64() * 65_536.0) as u32));
            let lost = stream.tally.expected().saturating_sub(stream.tally.received()) as u32;
            ReportBlock { ssrc: stream.ssrc, fraction_lost: 0, lost, highest: stream.tally.highest(), last_sender_report, delay }
        };
        self.streams.iter().map(block).collect()
    }
}

impl Head {
    /// Reads a header (RFC 3550 §5.1) and its one-byte extensions (RFC 8285 §4.2), of which one is looked for.
    fn read(packet: &[u8], transport_cc: Option<u8>) -> Option<Self> {
        let fixed: &[u8; 12] = packet.first_chunk()?;
        let mut len = 12 + 4 * usize::from(fixed[0] & 0x0f);
        let mut number = None;
        if fixed[0] & 0x10 != 0 {
            let block: &[u8; 4] = packet.get(len..)?.first_chunk()?;
            let words = usize::from(u16::from_be_bytes([block[2], block[3]]));
            let elements = packet.get(len + 4..len + 4 + 4 * words)?;
            if let (Some(id), [0xbe, 0xde, ..]) = (transport_cc, block) {
                number = element(elements, id).and_then(|value| Some(u16::from_be_bytes(*value.first_chunk()?)));
            }
            len += 4 + 4 * words;
        }
        Some(Self {
            payload_type: fixed[1] & 0x7f,
            seq: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            len,
            transport_cc: number,
        })
    }
}

/// The value of an extension element.
fn element(mut elements: &[u8], id: u8) -> Option<&[u8]> {
    loop {
        let (head, rest) = elements.split_first()?;
        if *head == 0 {
            elements = rest;
            continue;
        }
        let (value, after) = rest.split_at_checked(usize::from(head & 0x0f) + 1)?;
        if head >> 4 == id {
            return Some(value);
        }
        elements = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_with_their_transport_number() {
        let packet = [0x90, 0x60, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0xbe, 0xde, 0, 2, 0x10, 0xff, 0, 0x31, 0x12, 0x34, 0, 0, 1];
        let head = Head { payload_type: 96, seq: 7, ssrc: 9, len: 24, transport_cc: Some(0x1234) };
        assert_eq!(Head::read(&packet, Some(3)), Some(head));
        assert_eq!(Head::read(&packet, None), Some(Head { transport_cc: None, ..head }));
        assert_eq!(Head::read(&packet[..20], Some(3)), None);
    }

    #[test]
    fn an_answered_request_counts_once() {
        let (mut inbound, mut seen, mut out) = (Inbound::default(), Seen::default(), Vec::new());
        let now = Instant::now();
        inbound.wanted = vec![(9, 5), (9, 6)];
        inbound.nack_at = Some(now);
        inbound.write_feedback(now, &mut out, &mut seen);
        inbound.on_answer(5, &mut seen);
        inbound.on_answer(5, &mut seen);
        assert_eq!((seen.resends_asked, seen.resends_answered), (2, 1));
        assert_eq!(inbound.next_due(), None);
    }
}
