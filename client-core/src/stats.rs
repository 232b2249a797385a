//! What the browser counts, made into what can be judged: differences over the last second, and nothing that isn't known.
//!
//! In: readings of `getStats`, flattened by npm/src/flatten.ts into records ([`record`](self)) of [`STRIDE`] numbers. Out: a
//! [`Measured`] for each track that is sent or received. Browsers differ in what they count, counters start anew when an encoder or a
//! stream does, and what is missing is NaN: each number that can't be had stays unknown.
//!
//! Invariants, each with a test of the same name in `stats/tests.rs`: `a_missing_number_is_unknown`, `a_counter_that_starts_anew_is_unknown`,
//! `whatever_comes_no_number_is_wrong`.
//!
//! Not here: which publication a section carries and whether it should be flowing (`session::quality`), and scores (`quality`).

mod record;
mod stream;
mod way;

pub use record::{Field, Kind, STRIDE};
pub use way::Way;

use crate::direct::SECTIONS;
use crate::quality::{Codec, Direction, Limit, Measured, Media, Repair};
use alloc::vec::Vec;
use record::Record;
use stream::Stream;

/// Streams that are kept: more are not looked at. Both kinds of slots, and some simulcast.
const MAX_STREAMS: usize = 256;

/// Direct connections: two with each of three people, and some that are gone.
const MAX_WAYS: usize = 8;

/// A track in one section of the transport.
#[derive(Clone, Debug)]
pub struct Track {
    /// Which way.
    pub direction: Direction,
    /// The section's `mid`, which browsers make a number.
    pub section: u32,
    /// What is known of it. Silence and what was asked for are not: those are the caller's.
    pub measured: Measured,
    /// Its packets stopped coming together with everything else.
    pub fell_silent: bool,
    /// Bytes moved in this window: it is not muted, paused or over.
    pub flows: bool,
    /// Share of the received frames that were not shown, 0 to 1: the decoder came too late.
    pub dropped: Option<f32>,
}

/// All streams of a transport, and the transport itself.
#[derive(Debug, Default)]
pub struct Stats {
    streams: Vec<Stream>,
    way: Way,
    /// Those of direct connections, by their first section.
    ways: Vec<(u32, Way)>,
}

impl Stats {
    /// Takes a reading: records one behind the other.
    pub fn read(&mut self, numbers: &[f64]) {
        self.streams.iter_mut().for_each(|stream| stream.present = false);
        for record in numbers.chunks_exact(STRIDE).filter_map(Record::read) {
            if record.kind() == Kind::Way {
                // Of a direct connection if it has a number.
                let first = record.get(Field::Mid).map_or(0, |first| first as u32);
                if let Some(way) = self.way_mut(first) {
                    way.read(&record);
                }
            } else if let Some(stream) = self.streams.iter_mut().find(|stream| stream.is_of(&record)) {
                stream.read(record);
            } else if let Some(stream) = Stream::begin(record)
                && self.streams.len() < MAX_STREAMS
            {
                self.streams.push(stream);
            }
        }
        self.streams.retain(|stream| stream.present);
    }

    fn way_mut(&mut self, first: u32) -> Option<&mut Way> {
        if first == 0 {
            return Some(&mut self.way);
        }
        if self.ways.iter().all(|(of, _)| *of != first) {
            // The oldest is of a connection that is gone.
            if self.ways.len() >= MAX_WAYS {
                self.ways.remove(0);
            }
            self.ways.push((first, Way::default()));
        }
        self.ways.iter_mut().find(|(of, _)| *of == first).map(|(_, way)| way)
    }

    /// What carries a section.
    #[must_use]
    pub fn way_of(&self, section: u32) -> Option<&Way> {
        let first = section / SECTIONS * SECTIONS;
        if first == 0 { Some(&self.way) } else { self.ways.iter().find(|(of, _)| *of == first).map(|(_, way)| way) }
    }

    /// How many frames, or packets of sound, a receiving section has delivered so far.
    pub(crate) fn delivered(&self, section: u32) -> f64 {
        let of = |stream: &Stream| match stream.kind() {
            Kind::VideoReceived => stream.last(Field::Frames),
            Kind::AudioReceived => stream.last(Field::Packets),
            _ => None,
        };
        self.streams.iter().filter(|stream| stream.section() == section).filter_map(of).sum()
    }

    /// The largest picture that is sent over the connection with this first section, in lines of its source, and the most that is lost of one.
    pub(crate) fn sent_over(&self, first: u32) -> Option<(f32, Option<f32>)> {
        let pictures = self.streams.iter().filter(|one| one.kind() == Kind::VideoSent && one.section() / SECTIONS * SECTIONS == first);
        pictures.fold(None, |most, one| {
            let (lines, loss) = most.unwrap_or((0.0_f32, None));
            Some((
                lines.max(one.source_lines().unwrap_or(0.0)),
                one.reported_loss().map(|loss| loss as f32).into_iter().chain(loss).reduce(f32::max),
            ))
        })
    }

    /// What carries everything.
    #[must_use]
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Every track, measured. Encodings of one track are taken together.
    #[must_use]
    pub fn tracks(&self) -> Vec<Track> {
        let mut tracks: Vec<Track> = Vec::new();
        for (at, stream) in self.streams.iter().enumerate() {
            let same = |other: &&Stream| (other.kind(), other.section()) == (stream.kind(), stream.section());
            if !self.streams.iter().take(at).any(|other| same(&other)) {
                let encodings: Vec<_> = self.streams.iter().filter(same).collect();
                tracks.push(self.track(stream, &encodings));
            }
        }
        tracks
    }

    fn track(&self, stream: &Stream, encodings: &[&Stream]) -> Track {
        let sent = matches!(stream.kind(), Kind::AudioSent | Kind::VideoSent);
        let measured = if sent { self.sent(stream, encodings) } else { self.received(stream) };
        Track {
            direction: measured.direction,
            section: stream.section(),
            measured,
            fell_silent: encodings.iter().any(|one| self.way_of(one.section()).is_some_and(|way| way.fell_silent_with(one.moved_at()))),
            flows: encodings.iter().any(|stream| stream.rise(Field::Bytes).is_some_and(|bytes| bytes > 0.0)),
            dropped: stream
                .rise(Field::Dropped)
                .zip(stream.rise(Field::Frames))
                .and_then(|(dropped, shown)| ratio(Some(dropped), Some(dropped + shown))),
        }
    }

    fn received(&self, stream: &Stream) -> Measured {
        let packets = stream.rise(Field::Packets).filter(|packets| *packets > 0.0);
        let concealed = stream.rise(Field::Concealed).zip(packets).map(|(concealed, _)| {
            // Without a count of silent ones all are taken for audible.
            (concealed - stream.rise(Field::SilentConcealed).unwrap_or(0.0)).max(0.0)
        });
        let concealed = ratio(concealed, stream.rise(Field::Samples));
        Measured {
            media: stream.media(),
            direction: Direction::Downlink,
            rtt_ms: self.way_of(stream.section()).and_then(Way::rtt_ms),
            jitter_ms: packets.and(stream.milliseconds(Field::Jitter)),
            buffer_ms: ratio(stream.rise(Field::Buffered), stream.rise(Field::Emitted)).map(|seconds| seconds * 1000.0),
            loss: packets.zip(stream.rise(Field::Lost)).map(|(came, lost)| (lost / (lost + came)) as f32),
            burst: concealed.zip(ratio(stream.rise(Field::Concealed), stream.rise(Field::Concealments))).map(burst),
            concealed,
            freeze: stream.share(Field::Frozen).map(|share| share.min(1.0)),
            busy: stream.share(Field::Coding),
            ..stream.picture()
        }
    }

    fn sent(&self, first: &Stream, encodings: &[&Stream]) -> Measured {
        let mut largest = first;
        let (mut lost, mut packets, mut busy) = (0.0, 0.0, None);
        // A picture is worth what its source is only while nobody has switched its largest encoding off.
        let mut whole = true;
        for stream in encodings {
            if stream.lines() > largest.lines() {
                largest = stream;
            }
            whole &= stream.last(Field::Active).is_none_or(|active| active > 0.0);
            if let Some((share, sent)) = stream.reported_loss().zip(stream.rise(Field::Packets)) {
                lost += share * sent;
                packets += sent;
            }
            // Encodings are coded one beside the other: the slowest counts.
            busy = stream.share(Field::Coding).filter(|share| busy.is_none_or(|most| *share > most)).or(busy);
        }
        let limit = match largest.last(Field::Limit) {
            Some(1.0) => Limit::Cpu,
            Some(2.0) => Limit::Bandwidth,
            _ => Limit::None,
        };
        let reported = |field| encodings.iter().find_map(|stream| stream.milliseconds(field));
        Measured {
            media: largest.media(),
            direction: Direction::Uplink,
            rtt_ms: self.way_of(first.section()).and_then(Way::rtt_ms).or(reported(Field::Rtt)),
            jitter_ms: reported(Field::Jitter),
            loss: ratio(Some(lost), Some(packets)),
            busy,
            limit,
            lines_asked: if whole && limit != Limit::None { first.source_lines() } else { largest.lines() },
            ..largest.picture()
        }
    }
}

/// `None` unless there is something to divide by.
fn ratio(part: Option<f64>, whole: Option<f64>) -> Option<f32> {
    let whole = whole.filter(|whole| *whole > 0.0)?;
    Some((part? / whole) as f32)
}

/// How much longer runs are than at random, of the share that was concealed and the mean run in samples. Browsers count at 48 kHz, in frames of
/// 20 ms; at random a run is 1/(1 − share) frames long.
fn burst((share, samples): (f32, f32)) -> f32 {
    (samples / 960.0 * (1.0 - share)).max(1.0)
}

/// The codec by its number in a record.
fn media(kind: Kind, codec: Option<f64>) -> Media {
    match kind {
        // Browsers say Opus with and without RED: in-band FEC, which is always on, is the safe guess.
        Kind::AudioSent | Kind::AudioReceived | Kind::Way => Media::Audio(Repair::Fec),
        Kind::VideoSent | Kind::VideoReceived => Media::Video(match codec {
            Some(1.0) => Some(Codec::Vp8),
            Some(2.0) => Some(Codec::Vp9),
            Some(3.0) => Some(Codec::Av1),
            Some(4.0) => Some(Codec::H264),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests;
