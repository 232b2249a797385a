//! VP9 payload descriptor. Source: RFC 9628 §4.2.

use super::reader::Reader;
use super::{PictureId, Resolution};

#[cfg(test)]
mod tests;

/// Spatial layers a scalability structure can describe.
pub const MAX_SPATIAL_LAYERS: usize = 8;

/// Which layer a packet is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vp9Layer {
    /// Temporal layer, 0..=7.
    pub tid: u8,
    /// Subscribers may switch up to this temporal layer from here on.
    pub switching_up: bool,
    /// Spatial layer, 0..=7.
    pub sid: u8,
    /// The frame refers to the spatial layer below it in the same picture.
    pub inter_layer: bool,
}

/// The scalability structure: which layers the stream has from here on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScalabilityStructure {
    /// Spatial layers, 1..=8.
    pub spatial_layers: u8,
    sizes: Option<[Resolution; MAX_SPATIAL_LAYERS]>,
}

impl ScalabilityStructure {
    /// Sizes of the spatial layers, lowest first; empty if the structure names none.
    #[must_use]
    pub fn resolutions(&self) -> &[Resolution] {
        self.sizes.as_ref().and_then(|sizes| sizes.get(..usize::from(self.spatial_layers))).unwrap_or_default()
    }
}

/// The descriptor in front of every VP9 payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vp9Descriptor {
    /// Number of the picture; its spatial layers share it.
    pub picture_id: Option<PictureId>,
    /// The frame refers to earlier pictures.
    pub inter_predicted: bool,
    /// The packet's layer, if the stream has layers.
    pub layer: Option<Vp9Layer>,
    /// Flexible mode: references are given per picture.
    pub flexible: bool,
    /// The packet begins a frame (of one spatial layer).
    pub start_of_frame: bool,
    /// The packet ends a frame.
    pub end_of_frame: bool,
    /// No higher spatial layer refers to this frame.
    pub not_reference_for_upper: bool,
    /// Running number of the base temporal layer's pictures; only in non-flexible mode.
    pub tl0_pic_idx: Option<u8>,
    /// The stream's layers, usually on key frames.
    pub scalability: Option<ScalabilityStructure>,
    /// Bytes of the descriptor: where the VP9 payload starts.
    pub header_len: usize,
}

impl Vp9Descriptor {
    /// Reads the descriptor at the front of `payload`; `None` if it is cut short.
    #[inline]
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let flags = reader.u8()?;
        let has = |bit: u8| flags & bit != 0;
        let (inter_predicted, has_layer, flexible) = (has(0x40), has(0x20), has(0x10));
        let picture_id = if has(0x80) { Some(PictureId::read(&mut reader)?) } else { None };
        let layer = if has_layer { Some(Vp9Layer::from_byte(reader.u8()?)) } else { None };
        let tl0_pic_idx = if has_layer && !flexible { Some(reader.u8()?) } else { None };
        if flexible && inter_predicted {
            skip_references(&mut reader)?;
        }
        let scalability = if has(0x02) { Some(ScalabilityStructure::read(&mut reader)?) } else { None };
        Some(Self {
            picture_id,
            inter_predicted,
            layer,
            flexible,
            start_of_frame: has(0x08),
            end_of_frame: has(0x04),
            not_reference_for_upper: has(0x01),
            tl0_pic_idx,
            scalability,
            header_len: reader.taken(),
        })
    }
}

impl Vp9Layer {
    fn from_byte(byte: u8) -> Self {
        Self { tid: byte >> 5, switching_up: byte & 0x10 != 0, sid: (byte >> 1) & 0x07, inter_layer: byte & 0x01 != 0 }
    }
}

/// One to three differences to the pictures referred to, the last without the continuation bit.
fn skip_references(reader: &mut Reader<'_>) -> Option<()> {
    for _ in 0..3 {
        if reader.u8()? & 0x01 == 0 {
            return Some(());
        }
    }
    None
}

impl ScalabilityStructure {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let head = reader.u8()?;
        let spatial_layers = (head >> 5).saturating_add(1);
        let sizes = if head & 0x10 == 0 { None } else { Some(read_sizes(reader, spatial_layers)?) };
        if head & 0x08 != 0 {
            for _ in 0..reader.u8()? {
                let references = (reader.u8()? >> 2) & 0x03;
                reader.skip(usize::from(references))?;
            }
        }
        Some(Self { spatial_layers, sizes })
    }
}

fn read_sizes(reader: &mut Reader<'_>, count: u8) -> Option<[Resolution; MAX_SPATIAL_LAYERS]> {
    let mut sizes = [Resolution::default(); MAX_SPATIAL_LAYERS];
    for size in sizes.iter_mut().take(usize::from(count)) {
        *size = Resolution { width: reader.u16()?, height: reader.u16()? };
    }
    Some(sizes)
}

/// Whether the packet is the first of a key picture: it begins a frame of the lowest spatial layer that refers to nothing.
#[inline]
#[must_use]
pub fn is_keyframe(payload: &[u8]) -> bool {
    Vp9Descriptor::parse(payload).is_some_and(|descriptor| {
        let lowest = descriptor.layer.is_none_or(|layer| layer.sid == 0);
        descriptor.start_of_frame && !descriptor.inter_predicted && lowest
    })
}
