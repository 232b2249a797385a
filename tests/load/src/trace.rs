//! Recorded browser traffic as packets to replay. The files and their columns: `traces/README.md`.

use crate::LoadError;
use crate::media::Codec;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The columns, in order; a file with others is refused.
const COLUMNS: &str = "t_us,kind,rid,ssrc,payload_type,seq,rtp_timestamp,marker,size,header_bytes,padding";

/// What a packet carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Opus.
    Audio,
    /// The codec of the file.
    Video,
}

/// One packet as it was recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TracePacket {
    /// Arrival since the recording's first packet.
    pub at: Duration,
    /// What it carries.
    pub kind: Kind,
    /// RTP timestamp, in ticks of the codec's clock.
    pub rtp_timestamp: u32,
    /// Last packet of a frame.
    pub marker: bool,
    /// Bytes of RTP payload.
    pub payload: usize,
    /// Of which of the selected layers it is, from 0; audio: 0.
    pub layer: u8,
}

/// A recording, or a selection of its streams.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trace {
    /// What was selected.
    pub selection: Selection,
    /// In order of arrival.
    pub packets: Vec<TracePacket>,
}

/// Which streams of a recording.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Selection {
    /// File name in `traces/`.
    pub file: &'static str,
    /// What its video is encoded with.
    pub codec: Codec,
    /// The `rid`s of the video layers ("-" where there is one only); none: no video.
    pub video: &'static [&'static str],
    /// With its audio.
    pub audio: bool,
}

impl Trace {
    /// Reads the selected streams; the first packet of the recording (of any stream) is time zero.
    ///
    /// # Errors
    /// The file is missing, malformed, or holds nothing of the selection.
    pub fn load(selection: &Selection) -> Result<Self, LoadError> {
        let path = folder().join(selection.file);
        let text = std::fs::read_to_string(&path).map_err(LoadError::system(format!("reading {}", path.display())))?;
        let bad = |why: String| LoadError::BadTrace { path: path.clone(), why };
        let mut lines = text.lines().zip(1_usize..);
        match lines.next() {
            Some((COLUMNS, _)) => {}
            other => return Err(bad(format!("the first line is {other:?} and not {COLUMNS}"))),
        }
        let mut first = None;
        let mut packets = Vec::new();
        for (line, number) in lines {
            let row = Row::parse(line).ok_or_else(|| bad(format!("line {number} is not a row: {line}")))?;
            let begun = *first.get_or_insert(row.at);
            if let Some(layer) = row.layer_of(selection) {
                let at = Duration::from_micros(row.at.saturating_sub(begun));
                packets.push(TracePacket { at, layer, ..row.packet });
            }
        }
        if packets.is_empty() {
            return Err(bad(format!("nothing of {selection:?} is in it")));
        }
        Ok(Self { selection: *selection, packets })
    }

    /// The beginning, up to `length`.
    #[must_use]
    pub fn first(&self, length: Duration) -> Self {
        Self { selection: self.selection, packets: self.packets.iter().take_while(|packet| packet.at < length).copied().collect() }
    }

    /// What forwards one layer of it: audio, and the video layer `layer` only.
    #[must_use]
    pub fn with_layer(&self, layer: u8) -> Self {
        let kept = self.packets.iter().filter(|packet| packet.kind == Kind::Audio || packet.layer == layer);
        Self { selection: self.selection, packets: kept.copied().collect() }
    }

    /// Its sound in packets of so many frames of 20 ms, as an encoder sends them that is told to save packets: the sizes are those of one frame.
    #[must_use]
    pub fn with_frames(&self, frames: usize) -> Self {
        let sound = self.packets.iter().filter(|packet| packet.kind == Kind::Audio).step_by(frames.max(1));
        let mut packets: Vec<_> = self.packets.iter().filter(|packet| packet.kind == Kind::Video).chain(sound).copied().collect();
        packets.sort_by_key(|packet| packet.at);
        Self { selection: self.selection, packets }
    }

    /// Whether anything of `kind` is in it.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Audio => self.selection.audio,
            Kind::Video => !self.selection.video.is_empty(),
        }
    }

    /// Time of the last packet.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.packets.last().map_or(Duration::ZERO, |packet| packet.at)
    }
}

struct Row<'a> {
    at: u64,
    rid: &'a str,
    packet: TracePacket,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(',');
        let mut next = || fields.next();
        let at = next()?.parse().ok()?;
        let kind = match next()? {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => return None,
        };
        let rid = next()?;
        let (_ssrc, _payload_type, _seq) = (next()?, next()?, next()?);
        let rtp_timestamp = next()?.parse().ok()?;
        let marker = next()? == "1";
        let size: usize = next()?.parse().ok()?;
        let payload = size.checked_sub(next()?.parse().ok()?)?;
        Some(Self { at, rid, packet: TracePacket { at: Duration::ZERO, kind, rtp_timestamp, marker, payload, layer: 0 } })
    }

    /// Which of the selected layers it belongs to; none: not selected.
    fn layer_of(&self, selection: &Selection) -> Option<u8> {
        match self.packet.kind {
            Kind::Audio => selection.audio.then_some(0),
            Kind::Video => u8::try_from(selection.video.iter().position(|rid| *rid == self.rid)?).ok(),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces")
}

#[cfg(test)]
mod tests;
