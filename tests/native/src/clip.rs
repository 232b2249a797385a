//! Encoded media from a file, whole in memory: frames with their durations, and which of them start afresh.
//!
//! Files as ffmpeg writes them: VP8 in IVF; Opus in Ogg with one packet a page (`-page_duration 20000`), since the `webrtc`
//! crate's reader gives pages.

use crate::Error;
use bytes::Bytes;
use rtc::media::io::ivf_reader::IVFReader;
use rtc::media::io::ogg_reader::OggReader;
use serde::Serialize;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

/// Minutes of test media; more is a mistake.
const MAX_FILE: u64 = 64 << 20;
/// What the fixed part of an Ogg comment page begins with (RFC 7845 §5.2).
const COMMENT_MAGIC: &[u8] = b"OpusTags";
/// Opus counts in samples of 48 kHz, whatever it was made from (RFC 7845 §4).
const OPUS_RATE: f64 = 48_000.0;
/// The longest an Opus packet lasts (RFC 6716 §2.1.4).
const MAX_OPUS_PACKET: f64 = 0.12;

/// What a track is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Opus.
    Audio,
    /// VP8.
    Video,
}

/// One encoded frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// As the encoder wrote it.
    pub data: Bytes,
    /// Can be decoded without any before it.
    pub key: bool,
    /// Until the next one.
    pub duration: Duration,
}

/// Encoded media of one track, at least one frame of it.
#[derive(Clone, Debug)]
pub struct Clip {
    /// What it is.
    pub kind: Kind,
    /// In order.
    pub frames: Vec<Frame>,
}

impl Clip {
    /// Reads VP8 from an IVF file.
    ///
    /// # Errors
    /// [`Error::Media`] when it can't be read, is no VP8, doesn't begin with a key frame, or is over 64 MiB.
    pub fn vp8(path: &Path) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Media { path: path.to_owned(), why: why.to_owned() };
        let (mut reader, header) = IVFReader::new(Cursor::new(read(path)?)).map_err(|error| wrong(&error.to_string()))?;
        if &header.four_cc != b"VP80" || header.timebase_denominator == 0 {
            return Err(wrong("not VP8 in IVF. Remedy: ffmpeg … -c:v libvpx out.ivf"));
        }
        let tick = f64::from(header.timebase_numerator) / f64::from(header.timebase_denominator);
        let mut frames: Vec<(Bytes, u64)> = Vec::new();
        // The reader tells the end of the file and a broken frame apart no better than by an error: what was whole is used.
        while let Ok((data, frame)) = reader.parse_next_frame() {
            frames.push((data.freeze(), frame.timestamp));
        }
        let ends = frames.iter().skip(1).map(|(_, at)| *at);
        let durations: Vec<Duration> =
            frames.iter().zip(ends).map(|((_, at), end)| Duration::from_secs_f64(end.saturating_sub(*at) as f64 * tick)).collect();
        let last = durations.last().copied().unwrap_or(Duration::from_secs_f64(tick));
        let frames: Vec<Frame> = frames
            .into_iter()
            .zip(durations.into_iter().chain([last]))
            .map(|((data, _), duration)| Frame { key: is_vp8_key_frame(&data), data, duration })
            .collect();
        match frames.first() {
            Some(first) if first.key => Ok(Self { kind: Kind::Video, frames }),
            _ => Err(wrong("doesn't begin with a key frame")),
        }
    }

    /// Reads Opus from an Ogg file with one packet a page.
    ///
    /// # Errors
    /// [`Error::Media`] when it can't be read, is no Opus, has several packets a page, or is over 64 MiB.
    pub fn opus(path: &Path) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Media { path: path.to_owned(), why: why.to_owned() };
        let (mut reader, _) = OggReader::new(Cursor::new(read(path)?), true).map_err(|error| wrong(&error.to_string()))?;
        let mut frames = Vec::new();
        let mut before = 0;
        while let Ok((data, page)) = reader.parse_next_page() {
            if data.starts_with(COMMENT_MAGIC) {
                continue;
            }
            let seconds = page.granule_position.saturating_sub(before) as f64 / OPUS_RATE;
            before = page.granule_position;
            if seconds > MAX_OPUS_PACKET {
                return Err(wrong("several packets a page. Remedy: ffmpeg … -c:a libopus -page_duration 20000 out.ogg"));
            }
            frames.push(Frame { data: data.freeze(), key: true, duration: Duration::from_secs_f64(seconds) });
        }
        // The last page's position says where to cut, not how long its packet is.
        frames.pop();
        if frames.is_empty() { Err(wrong("no Opus packets in it")) } else { Ok(Self { kind: Kind::Audio, frames }) }
    }
}

/// The lowest bit of a VP8 frame's first byte is 0 in key frames (RFC 6386 §9.1).
pub(crate) fn is_vp8_key_frame(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 1 == 0)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let wrong = |why: String| Error::Media { path: path.to_owned(), why };
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX_FILE {
        return Err(wrong(format!("{size} bytes; at most {MAX_FILE} are read")));
    }
    std::fs::read(path).map_err(|error| wrong(error.to_string()))
}
