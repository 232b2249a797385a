//! Sends a recording as one participant's camera and microphone: RTP as a browser sends it, sealed here (`srtp`), one datagram a packet.

use super::rtcp;
use super::sections::{ExtensionIds, Section};
use super::srtp::Link;
use crate::media::{Codec, PayloadWriter};
use crate::replay::{Due, Replay};
use crate::trace::{Kind, Trace, TracePacket};
use std::time::{Duration, Instant, SystemTime};

/// Loudness that audio packets of a speaker claim, in -dBov, with the bit for voice (RFC 6464 §3).
const SPEAKING: u8 = 0x80 | 30;

/// And of somebody silent.
const SILENT: u8 = 100;

/// Who speaks together in a large meeting. Guess: a discussion with some interjections.
const SPEAKERS: usize = 4;

/// And how long.
const TURN: Duration = Duration::from_secs(2);

/// After so many turns the first speak again.
const TURNS: usize = 10;

/// Packets of a stream that carry section and layer: browsers send them until the receiver has reported, about a second.
const INTRODUCED: u32 = 100;

/// Between sender reports: libwebrtc's interval for video.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// A publishing participant's streams.
#[derive(Debug)]
pub(super) struct Publisher {
    replay: Replay,
    streams: Vec<Stream>,
    numbers: u16,
    report_at: Option<Instant>,
    /// Of all that take turns in speaking, counted from 0; none: it always speaks.
    place: Option<usize>,
    begun: Option<Instant>,
    /// Key frames the server asked for.
    pub(super) keyframes_asked: u64,
    /// Packets the server wanted again; the load doesn't send any again.
    pub(super) nacks_heard: u64,
}

/// One RTP stream: the microphone, or a layer of the camera.
#[derive(Debug)]
struct Stream {
    kind: Kind,
    layer: u8,
    mid: String,
    rid: Option<&'static str>,
    ids: ExtensionIds,
    payload_type: u8,
    ssrc: u32,
    /// Of the next packet, with its rollover count.
    index: u64,
    packets: u32,
    bytes: u32,
    clock: MediaClock,
    writer: PayloadWriter,
}

impl Publisher {
    /// Of a recording, with the section (mid) of each kind that is in it, as offered and as answered. None: the server takes none of it.
    pub(super) fn new(
        trace: &Trace,
        place: Option<usize>,
        sections: &[(Kind, String)],
        offered: &[Section],
        agreed: &[Section],
    ) -> Option<Self> {
        let mut streams = Vec::new();
        for (kind, mid) in sections {
            let find = |all: &[Section]| all.iter().find(|section| section.mid == *mid).cloned();
            let (Some(offered), Some(agreed)) = (find(offered), find(agreed)) else { continue };
            let codec = if *kind == Kind::Audio { Codec::Opus } else { trace.selection.codec };
            let Some(payload_type) = agreed.payload_type(codec.name()) else { continue };
            let rids: &[&'static str] = if *kind == Kind::Audio { &[] } else { trace.selection.video };
            let simulcast = rids.len() > 1;
            for layer in 0..rids.len().max(1) {
                let rid = rids.get(layer).copied().filter(|_| simulcast);
                if rid.is_some_and(|rid| !agreed.rids.iter().any(|known| known == rid)) {
                    continue;
                }
                // Layers of simulcast aren't announced: any number does that nobody else of this transport has.
                let own = 0x4000_0000 | (streams.len() as u32) << 8;
                let ssrc = offered.ssrc.filter(|_| !simulcast).unwrap_or(own);
                streams.push(Stream {
                    kind: *kind,
                    layer: layer as u8,
                    mid: mid.clone(),
                    rid,
                    ids: agreed.extension_ids(),
                    payload_type,
                    ssrc,
                    index: 1,
                    packets: 0,
                    bytes: 0,
                    clock: MediaClock::new(*kind),
                    writer: PayloadWriter::new(codec),
                });
            }
        }
        let replay = Replay::new(trace);
        let publisher = Self { replay, streams, numbers: 1, report_at: None, place, begun: None, keyframes_asked: 0, nacks_heard: 0 };
        (!publisher.streams.is_empty()).then_some(publisher)
    }

    pub(super) fn play(&mut self, now: Instant, length: Duration) {
        self.begun = Some(now);
        self.report_at.get_or_insert(now);
        self.replay.play(now, length);
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.replay.next_due()
    }

    pub(super) fn is_playing(&self) -> bool {
        self.replay.is_playing()
    }

    pub(super) fn on_keyframe_request(&mut self, ssrc: u32) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
            self.keyframes_asked += 1;
            stream.writer.want_keyframe();
        }
    }

    /// Writes the next packet into `out` and seals it, if one is due. False: nothing is due. `out` may stay empty: a stream that the
    /// server doesn't take.
    pub(super) fn write_due(&mut self, now: Instant, link: &Link, out: &mut Vec<u8>) -> bool {
        let Some(due) = self.replay.take_due(now) else { return false };
        if due.restarts {
            self.streams.iter_mut().for_each(|stream| stream.clock.restart());
        }
        let level = if self.speaks(now) { SPEAKING } else { SILENT };
        self.write(&due, now, level, link, out);
        true
    }

    fn write(&mut self, due: &Due, now: Instant, level: u8, link: &Link, out: &mut Vec<u8>) -> Option<()> {
        let packet = &due.packet;
        let stream = self.streams.iter_mut().find(|stream| stream.kind == packet.kind && stream.layer == packet.layer)?;
        let header = stream.write(packet, now, level, self.numbers, out);
        self.numbers = self.numbers.wrapping_add(1);
        link.seal_rtp(stream.ssrc, stream.index, header, out)?;
        stream.index += 1;
        Some(())
    }

    /// [`SPEAKERS`] neighbours speak together for a [`TURN`], then the next ones.
    fn speaks(&self, now: Instant) -> bool {
        let Some((place, begun)) = self.place.zip(self.begun) else { return true };
        let turn = now.saturating_duration_since(begun).as_millis() / TURN.as_millis();
        place / SPEAKERS == usize::try_from(turn).unwrap_or_default() % TURNS
    }

    /// When [`Publisher::write_reports`] has something to say.
    pub(super) fn report_due(&self) -> Option<Instant> {
        self.report_at.filter(|_| self.is_playing())
    }

    /// Writes a sender report of each stream, if it is time.
    pub(super) fn write_reports(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.report_due().is_none_or(|at| at > now) {
            return;
        }
        self.report_at = Some(now + REPORT_EVERY);
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        for stream in self.streams.iter().filter(|stream| stream.packets > 0) {
            rtcp::sender_report(stream.ssrc, since_1970, stream.clock.at(now), stream.packets, stream.bytes, out);
        }
    }
}

impl Stream {
    /// Writes header and payload; returns the header's length.
    fn write(&mut self, packet: &TracePacket, now: Instant, level: u8, number: u16, out: &mut Vec<u8>) -> usize {
        let timestamp = self.clock.translate(packet.rtp_timestamp, now);
        let marker = if packet.marker { 0x80 } else { 0 };
        out.extend_from_slice(&[0x90, marker | self.payload_type]);
        out.extend_from_slice(&(self.index as u16).to_be_bytes());
        out.extend_from_slice(&timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[0xbe, 0xde, 0, 0]);
        let mut element = |id: Option<u8>, value: &[u8]| {
            if let Some(id) = id {
                out.push(id << 4 | (value.len() as u8).saturating_sub(1));
                out.extend_from_slice(value);
            }
        };
        element(self.ids.level.filter(|_| self.kind == Kind::Audio), &[level]);
        element(self.ids.transport_cc, &number.to_be_bytes());
        if self.packets < INTRODUCED {
            element(self.ids.mid, self.mid.as_bytes());
            if let Some(rid) = self.rid {
                element(self.ids.rid, rid.as_bytes());
            }
        }
        out.resize(out.len().next_multiple_of(4), 0);
        let header = out.len();
        let words = ((header - 16) / 4) as u16;
        if let Some(place) = out.get_mut(14..16) {
            place.copy_from_slice(&words.to_be_bytes());
        }
        out.extend_from_slice(self.writer.write(packet, SystemTime::now()));
        self.packets += 1;
        self.bytes = self.bytes.wrapping_add(packet.payload as u32);
        header
    }
}

/// Keeps RTP timestamps going on when a recording begins again.
#[derive(Debug)]
struct MediaClock {
    rate: u32,
    shift: Option<u32>,
    last: Option<(u32, Instant)>,
}

impl MediaClock {
    fn new(kind: Kind) -> Self {
        let rate = match kind {
            Kind::Audio => 48_000,
            Kind::Video => 90_000,
        };
        Self { rate, shift: None, last: None }
    }

    /// The next packet begins the recording again.
    fn restart(&mut self) {
        self.shift = None;
    }

    /// The timestamp to send for a recorded one. After a restart it is as much later as time has passed.
    fn translate(&mut self, recorded: u32, now: Instant) -> u32 {
        let shift = self.shift.unwrap_or_else(|| if self.last.is_some() { self.at(now).wrapping_sub(recorded) } else { 0 });
        self.shift = Some(shift);
        let timestamp = recorded.wrapping_add(shift);
        self.last = Some((timestamp, now));
        timestamp
    }

    /// What the clock shows now, going on from the last packet.
    fn at(&self, now: Instant) -> u32 {
        self.last.map_or(0, |(last, at)| {
            let ticks = now.saturating_duration_since(at).as_micros().saturating_mul(u128::from(self.rate)) / 1_000_000;
            last.wrapping_add(ticks as u32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_go_on_when_the_recording_begins_again() {
        let mut clock = MediaClock::new(Kind::Video);
        let start = Instant::now();
        assert_eq!(clock.translate(u32::MAX, start), u32::MAX);
        assert_eq!(clock.translate(2999, start + Duration::from_millis(33)), 2999);
        clock.restart();
        assert_eq!(clock.translate(u32::MAX, start + Duration::from_millis(1033)), 2999 + 90_000);
        assert_eq!(clock.translate(2999, start + Duration::from_millis(1066)), 2999 + 90_000 + 3000);
    }
}
