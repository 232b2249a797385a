//! Tags from the dependency descriptor.

use super::Reading;
use crate::codec::Resolution;
use crate::codec::dependency_descriptor::{DependencyReader, FrameDependency, Indication, MAX_DECODE_TARGETS};
use crate::layer::{LayerTag, MAX_SPATIAL, MAX_TEMPORAL, Target, Targets};

/// Targets told apart.
const TARGETS: usize = (MAX_SPATIAL * MAX_TEMPORAL) as usize;

/// Frames remembered: twice as far as a template can refer back.
const RECENT: usize = 32;

/// What is kept of a stream with descriptors.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    reader: DependencyReader,
    /// The decode target that stands for each of our targets: the best that is produced and needs no higher layers.
    serving: [u8; TARGETS],
    /// Our targets that are a decode target, and of these the ones that are produced.
    known: Targets,
    produced: Targets,
    /// `known`, if the stream numbers its decode targets in the order of ours, as libwebrtc does.
    told: Targets,
    /// Decode targets of the structure.
    targets: u8,
    /// The highest spatial layer there is, produced or not.
    top_spatial: u8,
    /// Spatial layers were seen, or are said to be, of which higher ones don't need all.
    separate: bool,
    /// Which targets the last frames were part of, by frame number.
    recent: [(u16, Targets); RECENT],
}

impl Dependencies {
    /// False when the stream has this target and doesn't produce it now.
    pub(super) fn produces(&self, target: Target) -> bool {
        !self.known.contains(target) || self.produced.contains(target)
    }

    /// Reads one packet's descriptor; beside the reading, the size of a spatial layer when the packet starts a sequence.
    /// None: the descriptor can't be read now.
    pub(super) fn read(&mut self, descriptor: &[u8]) -> Option<(Reading, Option<(u8, Resolution)>)> {
        let (frame, changed) = self.reader.read(descriptor).ok()?;
        if changed {
            self.map_targets();
        }
        let keyframe = frame.starts_sequence && frame.start_of_frame && frame.references.is_none();
        let layer = clamped(frame.spatial, frame.temporal);
        let indicated = |wanted: &[Indication]| {
            Targets::which(|target| wanted.contains(&frame.indications.of(self.serving.get(target.index()).copied().unwrap_or(0))))
        };
        let present = indicated(&[Indication::Discardable, Indication::Switch, Indication::Required]);
        // Templates may promise more than frames keep: libwebrtc's for VP9 are the same in all modes.
        self.separate |= !rises_in_size(present);
        let switchable = indicated(&[Indication::Switch]);
        let alone = if frame.references.is_none() { switchable } else { Targets::NONE };
        let sync = if switchable == Targets::NONE { alone } else { self.in_reach(&frame, switchable).union(alone) };
        // With one spatial layer everybody is of the same.
        let switch = if self.top_spatial == 0 { sync } else { alone };
        if let Some(place) = self.recent.get_mut(usize::from(frame.frame_number) % RECENT) {
            *place = (frame.frame_number, present);
        }
        let (starts_frame, ends_frame) = (frame.start_of_frame, frame.end_of_frame);
        let tag = LayerTag {
            encoding: 0,
            layer,
            present,
            switch,
            sync,
            starts_frame,
            ends_frame,
            nested: !self.separate,
            known: self.told,
            produced: self.produced,
        };
        let size = self.reader.structure().and_then(|structure| structure.resolution(frame.spatial));
        Some((Reading { tag, keyframe }, size.map(|size| (layer.spatial, size))))
    }

    /// Those of `switchable` whose spatial layer's lowest temporal layer has everything this frame refers to, and so does everybody
    /// who was getting that spatial layer.
    fn in_reach(&self, frame: &FrameDependency, switchable: Targets) -> Targets {
        if frame.references.far {
            return Targets::NONE;
        }
        let mut reach = Targets::ALL;
        for back in frame.references.near() {
            let number = frame.frame_number.wrapping_sub(back);
            let recent = self.recent.get(usize::from(number) % RECENT);
            let present = recent.filter(|(known, _)| *known == number).map_or(Targets::NONE, |(_, present)| *present);
            reach = Targets::which(|target| reach.contains(target) && present.contains(Target { temporal: 0, ..target }));
        }
        Targets::which(|target| switchable.contains(target) && reach.contains(target))
    }

    /// Finds out which decode target stands for each of ours, and whether they are nested.
    fn map_targets(&mut self) {
        let Some(structure) = self.reader.structure() else { return };
        if structure.decode_targets() != self.targets {
            (self.targets, self.separate) = (structure.decode_targets(), false);
        }
        let mut layers = [None; MAX_DECODE_TARGETS as usize];
        let mut last = None;
        let mut in_order = true;
        (self.known, self.produced, self.top_spatial) = (Targets::NONE, Targets::NONE, 0);
        for (place, target) in layers.iter_mut().zip(0..structure.decode_targets()) {
            let (spatial, temporal) = structure.layer_of(target);
            let layer = clamped(spatial, temporal);
            self.known = self.known.with(layer);
            in_order &= last.replace(layer).is_none_or(|last| last < layer) && layer == Target { spatial, temporal };
            self.top_spatial = self.top_spatial.max(layer.spatial);
            if self.reader.is_active(target) {
                self.produced = self.produced.with(layer);
                *place = Some(layer);
            }
        }
        self.told = if in_order { self.known } else { Targets::NONE };
        let produced = || (0..).zip(&layers).filter_map(|(target, layer): (u8, _)| Some((target, (*layer)?)));
        for (place, wanted) in self.serving.iter_mut().zip(Target::all()) {
            let best = produced().filter(|(_, layer)| layer.spatial <= wanted.spatial && layer.temporal <= wanted.temporal);
            let best = best.max_by_key(|(_, layer)| *layer).or_else(|| produced().min_by_key(|(_, layer)| *layer));
            *place = best.map_or(0, |(target, _)| target);
        }
        self.separate |= structure.templates().iter().any(|template| {
            let is_in = |target: Target| {
                let serving = self.serving.get(target.index()).copied().unwrap_or(0);
                template.indications.of(serving) != Indication::NotPresent
            };
            !rises_in_size(Targets::which(is_in))
        });
    }
}

/// Whether what a frame is part of in one size, it is part of in all larger ones.
fn rises_in_size(present: Targets) -> bool {
    let above = |target: Target| Target { spatial: target.spatial.saturating_add(1), ..target };
    let mut pairs = Target::all().filter(|target| target.spatial < MAX_SPATIAL - 1).map(|target| (target, above(target)));
    pairs.all(|(target, above)| !present.contains(target) || present.contains(above))
}

fn clamped(spatial: u8, temporal: u8) -> Target {
    Target { spatial: spatial.min(MAX_SPATIAL - 1), temporal: temporal.min(MAX_TEMPORAL - 1) }
}
