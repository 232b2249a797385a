//! Packets of one track, in order, to a file that ffmpeg reads: VP8 to IVF, Opus to Ogg, by the `webrtc` crate's writers.

use crate::Error;
use crate::clip::{Kind, is_vp8_key_frame};
use bytes::Bytes;
use rtc::media::io::Writer;
use rtc::media::io::ivf_reader::IVFFileHeader;
use rtc::media::io::ivf_writer::IVFWriter;
use rtc::media::io::ogg_writer::OggWriter;
use rtc::rtp::Packet;
use rtc::rtp::codec::vp8::Vp8Packet;
use rtc::rtp::packetizer::Depacketizer;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// What a packet was part of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Seen {
    /// It ends a frame.
    pub(crate) frame_end: bool,
    /// It begins a key frame of this size.
    pub(crate) key_frame: Option<(u16, u16)>,
}

/// Looks at the packets of a track and writes them, if there is a folder to write to.
pub(crate) struct Recorder {
    kind: Kind,
    /// Without the extension.
    path: Option<PathBuf>,
    writer: Option<Box<dyn Writer + Send>>,
    /// Timestamps are written from here on: the Ogg writer subtracts them without wrapping.
    first_timestamp: Option<u32>,
}

impl Recorder {
    pub(crate) fn new(kind: Kind, folder: Option<&Path>, name: &str) -> Self {
        let extension = if kind == Kind::Video { "ivf" } else { "ogg" };
        let path = folder.map(|folder| folder.join(format!("{name}.{extension}")));
        Self { kind, path, writer: None, first_timestamp: None }
    }

    /// The file, once something was written to it.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.writer.as_ref().and(self.path.as_deref())
    }

    pub(crate) fn write(&mut self, mut packet: Packet) -> Result<Seen, Error> {
        let seen = match self.kind {
            Kind::Audio => Seen { frame_end: true, key_frame: None },
            Kind::Video => Seen { frame_end: packet.header.marker, key_frame: key_frame_size(&packet.payload) },
        };
        self.open(seen)?;
        let first = *self.first_timestamp.get_or_insert(packet.header.timestamp);
        // One packet later than zero, which the Ogg writer takes for a header's.
        packet.header.timestamp = packet.header.timestamp.wrapping_sub(first).wrapping_add(960);
        if let Some(writer) = &mut self.writer {
            writer.write_rtp(&packet).map_err(|error| self.broken(&error.to_string()))?;
        }
        Ok(seen)
    }

    /// Audio from the first packet on, video from the first key frame on: nothing before it can be decoded.
    fn open(&mut self, seen: Seen) -> Result<(), Error> {
        let Some(path) = self.path.as_deref().filter(|_| self.writer.is_none()) else { return Ok(()) };
        if self.kind == Kind::Video && seen.key_frame.is_none() {
            return Ok(());
        }
        let (width, height) = seen.key_frame.unwrap_or_default();
        let file = BufWriter::new(File::create(path).map_err(|error| self.broken(&error.to_string()))?);
        let writer: Result<Box<dyn Writer + Send>, _> = match self.kind {
            Kind::Video => IVFWriter::new(file, &ivf_header(width, height)).map(|writer| Box::new(writer) as _),
            Kind::Audio => OggWriter::new(file, 48_000, 2).map(|writer| Box::new(writer) as _),
        };
        self.writer = Some(writer.map_err(|error| self.broken(&error.to_string()))?);
        Ok(())
    }

    pub(crate) fn close(&mut self) -> Result<(), Error> {
        match &mut self.writer {
            Some(writer) => writer.close().map_err(|error| self.broken(&error.to_string())),
            None => Ok(()),
        }
    }

    fn broken(&self, why: &str) -> Error {
        Error::Media { path: self.path.clone().unwrap_or_default(), why: why.to_owned() }
    }
}

/// The writer counts frames, so a tick of the file is a frame; 30 a second is what the publishers of these tests send.
fn ivf_header(width: u16, height: u16) -> IVFFileHeader {
    IVFFileHeader {
        signature: *b"DKIF",
        version: 0,
        header_size: 32,
        four_cc: *b"VP80",
        width,
        height,
        timebase_denominator: 30,
        timebase_numerator: 1,
        num_frames: 0,
        unused: 0,
    }
}

/// Width and height, when the packet begins a VP8 key frame (RFC 6386 §9.1: start code, then two numbers of 14 bits).
fn key_frame_size(payload: &Bytes) -> Option<(u16, u16)> {
    let mut descriptor = Vp8Packet::default();
    let frame = descriptor.depacketize(payload).ok()?;
    if descriptor.s != 1 || descriptor.pid != 0 || !is_vp8_key_frame(&frame) {
        return None;
    }
    match frame.get(3..10)? {
        &[0x9d, 0x01, 0x2a, w0, w1, h0, h1] => Some((u16::from_le_bytes([w0, w1]) & 0x3fff, u16::from_le_bytes([h0, h1]) & 0x3fff)),
        _ => None,
    }
}
