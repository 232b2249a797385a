//! One stream over the last second.

use super::record::{Field, Kind, Record};
use crate::quality::{Measured, Media};
use alloc::vec::Vec;

/// What differences are taken over, in milliseconds: a second, less what timers are early.
const WINDOW: f64 = 900.0;

/// Readings that are kept: four a second fill the window.
const MAX_READINGS: usize = 8;

/// What the other side reported this long ago says nothing of now, in milliseconds. Browsers and edges report every five seconds at least.
const REPORT_STALE: f64 = 7000.0;

/// A stream, by section and SSRC.
#[derive(Debug)]
pub(super) struct Stream {
    section: u32,
    ssrc: f64,
    /// Oldest first, at least one.
    readings: Vec<Record>,
    /// When the last packet was seen to have moved.
    moved_at: f64,
    /// In the latest reading.
    pub(super) present: bool,
}

impl Stream {
    /// None: which one it is isn't known.
    pub(super) fn begin(record: Record) -> Option<Self> {
        let (section, ssrc) = (record.get(Field::Mid)?, record.get(Field::Ssrc)?);
        Some(Self { section: section as u32, ssrc, readings: Vec::from([record]), moved_at: 0.0, present: true })
    }

    pub(super) fn is_of(&self, record: &Record) -> bool {
        let same = |field, ours| record.get(field) == Some(ours);
        record.kind() == self.kind() && same(Field::Mid, self.section.into()) && same(Field::Ssrc, self.ssrc)
    }

    pub(super) fn kind(&self) -> Kind {
        self.readings.last().map_or(Kind::Way, Record::kind)
    }

    pub(super) fn section(&self) -> u32 {
        self.section
    }

    pub(super) fn moved_at(&self) -> f64 {
        self.moved_at
    }

    /// Takes the next reading.
    pub(super) fn read(&mut self, record: Record) {
        self.present = true;
        if let Some(last) = self.readings.last() {
            // Browsers give the same reading again when they are asked too soon.
            if record.at() == last.at() {
                return;
            }
            let fell = |field| record.get(field).zip(last.get(field)).is_some_and(|(now, before)| now < before);
            let anew = [Field::Bytes, Field::Packets, Field::Frames, Field::Samples, Field::Emitted].into_iter().any(fell);
            if anew || record.at() < last.at() {
                self.readings.clear();
            } else if record.rise(last, Field::Packets).is_some_and(|packets| packets > 0.0) {
                self.moved_at = record.at();
            }
        }
        let old = self.readings.iter().rposition(|reading| record.at() - reading.at() >= WINDOW);
        self.readings.drain(..old.unwrap_or(0).max((self.readings.len() + 1).saturating_sub(MAX_READINGS)));
        self.readings.push(record);
    }

    /// The latest value.
    pub(super) fn last(&self, field: Field) -> Option<f64> {
        self.readings.last()?.get(field)
    }

    /// How much a counter rose over the window.
    pub(super) fn rise(&self, field: Field) -> Option<f64> {
        let (first, last) = self.window()?;
        last.rise(first, field)
    }

    /// How much a counter of seconds rose, of the time that passed.
    pub(super) fn share(&self, field: Field) -> Option<f32> {
        self.per_second(field)
    }

    fn per_second(&self, field: Field) -> Option<f32> {
        let (first, last) = self.window()?;
        Some((last.rise(first, field)? * 1000.0 / (last.at() - first.at())) as f32)
    }

    fn window(&self) -> Option<(&Record, &Record)> {
        self.readings.first().zip(self.readings.last()).filter(|(first, last)| last.at() > first.at())
    }

    /// A value in seconds, as milliseconds.
    pub(super) fn milliseconds(&self, field: Field) -> Option<f32> {
        self.last(field).map(|seconds| (seconds * 1000.0) as f32)
    }

    /// Share of packets that the other side missed, by its latest report.
    pub(super) fn reported_loss(&self) -> Option<f64> {
        let age = self.last(Field::At)? - self.last(Field::HeardAt)?;
        self.last(Field::LossRatio).filter(|_| age < REPORT_STALE)
    }

    /// The shorter side, in pixels.
    pub(super) fn lines(&self) -> Option<f32> {
        self.shorter(Field::Width, Field::Height)
    }

    pub(super) fn source_lines(&self) -> Option<f32> {
        self.shorter(Field::SourceWidth, Field::SourceHeight)
    }

    fn shorter(&self, width: Field, height: Field) -> Option<f32> {
        Some(self.last(width)?.min(self.last(height)?) as f32)
    }

    pub(super) fn media(&self) -> Media {
        super::media(self.kind(), self.last(Field::Codec))
    }

    /// What can be said of a picture either way; nothing of sound.
    pub(super) fn picture(&self) -> Measured {
        Measured {
            fps: self.per_second(Field::Frames),
            fps_source: self.last(Field::SourceFps).map(|fps| fps as f32),
            lines: self.lines(),
            qp: super::ratio(self.rise(Field::QpSum), self.rise(Field::Frames)),
            ..Measured::default()
        }
    }
}
