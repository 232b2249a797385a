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

use crate::quality::{Codec, Direction, Limit, Measured, Media, Repair};
use alloc::vec::Vec;
use record::Record;
use stream::Stream;

/// Streams that are kept: more are not looked at. Both kinds of slots, and some simulcast.
const MAX_STREAMS: usize = 256;

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
}

impl Stats {
    /// Takes a reading: records one behind the other.
    pub fn read(&mut self, numbers: &[f64]) {
        self.streams.iter_mut().for_each(|stream| stream.present = false);
        for record in numbers.chunks_exact(STRIDE).filter_map(Record::read) {
            if record.kind() == Kind::Way {
                self.way.read(&record);
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
            fell_silent: encodings.iter().any(|stream| self.way.fell_silent_with(stream.moved_at())),
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
            rtt_ms: self.way.rtt_ms(),
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
            rtt_ms: self.way.rtt_ms().or(reported(Field::Rtt)),
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
