//! Which frames need which: the dependency descriptor, a header extension for any codec.
//! Source: RTP Payload Format For AV1 (AOMedia), appendix A.
//!
//! A key frame carries a *structure* of templates, and every packet names one of them; so what a packet says depends on the last
//! structure of its stream, which [`DependencyReader`] keeps. *Decode targets* are the qualities the stream can be had in.
//!
//! Bounds: a structure has at most 64 templates, 32 decode targets and 32 chains, whatever it claims; one is kept.

use super::Resolution;
use super::bits::BitReader;

mod active;
mod structure;
#[cfg(test)]
pub(crate) mod test_descriptors;
#[cfg(test)]
mod tests;

pub use active::{ActiveTargets, LONGEST, tell_active_targets};
pub use structure::{MAX_DECODE_TARGETS, Structure, Template};

/// Bytes of a descriptor that names a template and nothing else.
const MANDATORY_LEN: usize = 3;

/// What a frame is to a decode target (table A.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Indication {
    /// Not a part of it.
    NotPresent,
    /// A part of it that nothing else in it needs.
    Discardable,
    /// A part of it, and whoever can decode this frame can decode all later ones of the target.
    Switch,
    /// A part of it that later frames need.
    Required,
}

/// A frame's indications, two bits for each decode target.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Indications(u64);

impl Indications {
    /// What the frame is to decode target `target`.
    #[must_use]
    pub fn of(self, target: u8) -> Indication {
        match self.0.wrapping_shr(u32::from(target).saturating_mul(2)) & 0x03 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }

    fn read(reader: &mut BitReader<'_>, targets: u8) -> Option<Self> {
        let mut all = 0;
        for target in 0..u32::from(targets) {
            all |= u64::from(reader.bits(2)?).wrapping_shl(target.saturating_mul(2));
        }
        Some(Self(all))
    }
}

/// The earlier frames that one frame refers to, by how far back they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct References {
    /// Bit n: the frame n + 1 before this one.
    near: u16,
    /// There are some further back than 16 frames.
    pub far: bool,
}

impl References {
    /// The frame can be decoded on its own.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.near == 0 && !self.far
    }

    /// How far back the near ones are: 1 to 16.
    pub fn near(self) -> impl Iterator<Item = u16> {
        (0..16_u16).filter(move |bit| self.near & (1 << bit) != 0).map(|bit| bit.saturating_add(1))
    }

    fn add(&mut self, difference_minus_one: u32) {
        match 1_u16.checked_shl(difference_minus_one) {
            Some(bit) => self.near |= bit,
            None => self.far = true,
        }
    }
}

/// What the descriptor of one packet says of its frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameDependency {
    /// First packet of the frame.
    pub start_of_frame: bool,
    /// Last packet of the frame.
    pub end_of_frame: bool,
    /// Rises with every frame, spatial layers counted each.
    pub frame_number: u16,
    /// Spatial layer.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// What the frame is to each decode target.
    pub indications: Indications,
    /// What it refers to.
    pub references: References,
    /// It came with a structure: it begins a coded video sequence.
    pub starts_sequence: bool,
}

/// Why a descriptor says nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// It ends early, or claims more than the bounds allow.
    Malformed,
    /// It names a template of a structure that isn't known: the packet that carried it was lost.
    UnknownTemplate,
}

/// Reads the descriptors of one stream.
#[derive(Debug, Default)]
pub struct DependencyReader {
    structure: Option<Box<Structure>>,
    /// Decode targets that are being produced, a bit for each.
    active: u32,
}

impl DependencyReader {
    /// The last structure that came.
    #[must_use]
    pub fn structure(&self) -> Option<&Structure> {
        self.structure.as_deref()
    }

    /// Whether decode target `target` is being produced.
    #[must_use]
    pub fn is_active(&self, target: u8) -> bool {
        self.active & 1_u32.checked_shl(u32::from(target)).unwrap_or(0) != 0
    }

    /// Forgets the structure: another stream begins.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Reads a descriptor; `true` beside it when it changed which decode targets there are.
    ///
    /// # Errors
    /// [`Unreadable`]: wait for the next structure. What was known before stays.
    pub fn read(&mut self, descriptor: &[u8]) -> Result<(FrameDependency, bool), Unreadable> {
        self.parse(descriptor).ok_or(Unreadable::Malformed)?
    }

    fn parse(&mut self, descriptor: &[u8]) -> Option<Result<(FrameDependency, bool), Unreadable>> {
        let mut reader = BitReader::new(descriptor);
        let (start_of_frame, end_of_frame) = (reader.flag()?, reader.flag()?);
        let template_id = reader.bits(6)? as u8;
        let frame_number = reader.bits(16)? as u16;

        let mut flags = [false; 5];
        if descriptor.len() > MANDATORY_LEN {
            for flag in &mut flags {
                *flag = reader.flag()?;
            }
        }
        let [has_structure, has_active, custom_indications, custom_references, custom_chains] = flags;
        let attached = if has_structure { Some(Box::new(Structure::read(&mut reader)?)) } else { None };
        let Some(structure) = attached.as_deref().or(self.structure.as_deref()) else { return Some(Err(Unreadable::UnknownTemplate)) };
        let targets = structure.decode_targets();
        let active = match has_active {
            true => reader.bits(u32::from(targets))?,
            false if has_structure => u32::MAX,
            false => self.active,
        };
        let Some(template) = structure.template(template_id) else { return Some(Err(Unreadable::UnknownTemplate)) };
        let indications = if custom_indications { Indications::read(&mut reader, targets)? } else { template.indications };
        let references = if custom_references { read_references(&mut reader)? } else { template.references };
        if custom_chains {
            for _ in 0..structure.chains() {
                reader.bits(8)?;
            }
        }
        let frame = FrameDependency {
            start_of_frame,
            end_of_frame,
            frame_number,
            spatial: template.spatial,
            temporal: template.temporal,
            indications,
            references,
            starts_sequence: has_structure,
        };
        let changed = has_structure || active != self.active;
        self.active = active;
        if attached.is_some() {
            self.structure = attached;
        }
        Some(Ok((frame, changed)))
    }
}

/// References of one frame on its own: each in one, two or three groups of four bits.
fn read_references(reader: &mut BitReader<'_>) -> Option<References> {
    let mut references = References::default();
    loop {
        let groups = reader.bits(2)?;
        if groups == 0 {
            return Some(references);
        }
        references.add(reader.bits(groups.saturating_mul(4))?);
    }
}

/// The frame number of a descriptor as it came.
#[must_use]
pub fn frame_number(descriptor: &[u8]) -> Option<u16> {
    descriptor.get(1..MANDATORY_LEN)?.first_chunk().map(|number| u16::from_be_bytes(*number))
}

/// Gives a descriptor another frame number, in place. One that is cut short stays as it is.
pub fn rewrite_frame_number(descriptor: &mut [u8], number: u16) {
    if let Some(place) = descriptor.get_mut(1..MANDATORY_LEN) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}
