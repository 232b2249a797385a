//! What layers are called everywhere: encodings (simulcast), and the spatial and temporal layers inside one (scalable coding).
//!
//! A publication has one or more *encodings*, each an RTP stream of its own with its own cache. Inside an encoding a *decode target*
//! (AV1 RTP specification, A.4) names a spatial and a temporal layer and everything they need. What reads packets says for each which
//! targets it belongs to and at which it may be switched to; what forwards them needs to know nothing of codecs to choose.

/// Spatial layers told apart inside one encoding: L3 is what browsers send.
pub(crate) const MAX_SPATIAL: u8 = 4;

/// Temporal layers told apart: T3 is what browsers send, VP8 can number four.
pub(crate) const MAX_TEMPORAL: u8 = 4;

/// Encodings of one publication: browsers send three.
pub(crate) const MAX_ENCODINGS: usize = 4;

/// A decode target inside an encoding.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Target {
    /// 0 the smallest picture; below [`MAX_SPATIAL`].
    pub(crate) spatial: u8,
    /// 0 the lowest frame rate; below [`MAX_TEMPORAL`].
    pub(crate) temporal: u8,
}

impl Target {
    /// The best there can be: everything of an encoding.
    pub(crate) const TOP: Self = Self { spatial: MAX_SPATIAL - 1, temporal: MAX_TEMPORAL - 1 };

    /// All targets, lowest first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..MAX_SPATIAL).flat_map(|spatial| (0..MAX_TEMPORAL).map(move |temporal| Self { spatial, temporal }))
    }

    /// Its place among [`Target::all`].
    pub(crate) const fn index(self) -> usize {
        self.spatial.wrapping_mul(MAX_TEMPORAL).wrapping_add(self.temporal) as usize
    }

    const fn bit(self) -> u16 {
        1_u16.wrapping_shl(self.index() as u32)
    }
}

/// A set of decode targets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Targets(u16);

impl Targets {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u16::MAX);

    pub(crate) const fn contains(self, target: Target) -> bool {
        self.0 & target.bit() != 0
    }

    #[must_use]
    pub(crate) const fn with(self, target: Target) -> Self {
        Self(self.0 | target.bit())
    }

    #[must_use]
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Every target that needs the layer `(spatial, temporal)` where each layer needs all below it.
    pub(crate) fn at_least(layer: Target) -> Self {
        Self::which(|target| target.spatial >= layer.spatial && target.temporal >= layer.temporal)
    }

    /// One bit each, in the order of [`Target::all`].
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// What [`Targets::bits`] gave.
    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// How many there are.
    pub(crate) const fn count(self) -> u8 {
        self.0.count_ones() as u8
    }

    /// Every target of which `is_in` is true.
    pub(crate) fn which(is_in: impl Fn(Target) -> bool) -> Self {
        Target::all().filter(|target| is_in(*target)).fold(Self::NONE, Self::with)
    }
}

/// Where a packet stands among the layers of its publication.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LayerTag {
    /// Index into the publication's encodings: the order of its offer, which need not be that of the sizes. Never changes.
    pub(crate) encoding: u8,
    /// The layer the packet's frame is of.
    pub(crate) layer: Target,
    /// The targets that need it.
    pub(crate) present: Targets,
    /// The targets that can be switched to from here on, whatever was forwarded before. All of them at a key frame.
    pub(crate) switch: Targets,
    /// The targets that can be switched to from here on by who was getting a lower temporal layer of the same spatial layer. Holds
    /// all of `switch`.
    pub(crate) sync: Targets,
    /// First packet of a frame (in scalable coding: of one layer's frame).
    pub(crate) starts_frame: bool,
    /// Last packet of such a frame.
    pub(crate) ends_frame: bool,
    /// The lower targets' frames are all among those of the higher ones, so that going down is possible at any frame. False in the
    /// `_KEY` modes, where a spatial layer stands on its own between key frames; going down to a lower temporal layer of the same
    /// spatial layer is possible at any frame in these too.
    pub(crate) nested: bool,
    /// The stream's decode targets, where it tells of them and numbers them in the order of [`Target::all`]; else none.
    pub(crate) known: Targets,
    /// Of these the ones that are being produced.
    pub(crate) produced: Targets,
}

impl LayerTag {
    /// The tag in a stream without layers.
    pub(crate) const fn single(keyframe: bool, starts_frame: bool, ends_frame: bool) -> Self {
        let switch = if keyframe { Targets::ALL } else { Targets::NONE };
        let layer = Target { spatial: 0, temporal: 0 };
        Self {
            encoding: 0,
            layer,
            present: Targets::ALL,
            switch,
            sync: switch,
            starts_frame,
            ends_frame,
            nested: true,
            known: Targets::NONE,
            produced: Targets::NONE,
        }
    }
}

/// One of the qualities of a publication, as a subscriber is given it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct LayerChoice {
    /// Index into the publication's encodings.
    pub(crate) encoding: u8,
    pub(crate) target: Target,
}

impl LayerChoice {
    /// All of the first encoding: what there is in a publication without layers.
    pub(crate) const FIRST: Self = Self { encoding: 0, target: Target::TOP };
}

/// One quality a publication can be had in, as measured at its arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rung {
    /// Index into the publication's encodings.
    pub(crate) encoding: u8,
    pub(crate) target: Target,
    /// What forwarding it costs, bits per second of RTP packets, headers included.
    pub(crate) bitrate: u64,
    /// Pixels; 0 while unknown.
    pub(crate) width: u16,
    /// Pixels; 0 while unknown.
    pub(crate) height: u16,
    /// Frames per second; 0 while unknown.
    pub(crate) fps: u8,
    /// Packets of it have arrived lately. A rung that isn't live can't be chosen, but wanting it may bring it back (dynacast).
    pub(crate) live: bool,
}

/// Rungs told of one publication: three encodings of three temporal layers are nine, as is one of L3T3; a guess at what nobody exceeds.
pub(crate) const MAX_RUNGS: usize = 32;

/// Everything a publication can be had in, lowest cost first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rungs {
    rungs: [Rung; MAX_RUNGS],
    len: usize,
}

impl Default for Rungs {
    fn default() -> Self {
        Self { rungs: [Rung::default(); MAX_RUNGS], len: 0 }
    }
}

impl Rungs {
    /// Adds a rung; one too many is left out.
    pub(crate) fn push(&mut self, rung: Rung) {
        if let Some(place) = self.rungs.get_mut(self.len) {
            *place = rung;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Whether both have the same qualities, of the same sizes and alive, whatever they cost.
    pub(crate) fn same_shape(&self, other: &Self) -> bool {
        let shape = |rung: &Rung| (rung.encoding, rung.target, rung.width, rung.height, rung.live);
        self.len == other.len && self.iter().all(|rung| other.iter().any(|known| shape(known) == shape(rung)))
    }

    /// The same, with some that can't be had now.
    #[must_use]
    pub(crate) fn without(mut self, is_off: impl Fn(&Rung) -> bool) -> Self {
        self.rungs.iter_mut().filter(|rung| is_off(rung)).for_each(|rung| rung.live = false);
        self
    }

    pub(crate) fn sort_by_cost(&mut self) {
        if let Some(rungs) = self.rungs.get_mut(..self.len) {
            rungs.sort_unstable_by_key(|rung| (rung.bitrate, rung.encoding, rung.target));
        }
    }
}

impl std::ops::Deref for Rungs {
    type Target = [Rung];

    fn deref(&self) -> &[Rung] {
        self.rungs.get(..self.len).unwrap_or_default()
    }
}
