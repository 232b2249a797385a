//! The templates that a key frame brings along (appendix A.8.1, `template_dependency_structure`).

use super::{BitReader, Indication, Indications, References, Resolution};

/// Templates of a structure: their ids have six bits.
const MAX_TEMPLATES: usize = 64;

/// Decode targets of a structure: their number has five bits.
pub const MAX_DECODE_TARGETS: u8 = 32;

/// What frames have in common that name this template.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Template {
    /// Spatial layer.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// What a frame is to each decode target.
    pub indications: Indications,
    /// What a frame refers to.
    pub references: References,
}

/// A stream's templates and decode targets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Structure {
    template_id_offset: u8,
    decode_targets: u8,
    chains: u8,
    templates: Vec<Template>,
    /// Sizes of the spatial layers, lowest first; none when the structure doesn't tell.
    resolutions: Vec<Resolution>,
}

impl Structure {
    pub(super) fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        let template_id_offset = reader.bits(6)? as u8;
        let decode_targets = (reader.bits(5)? as u8).saturating_add(1);
        let mut templates = read_layers(reader)?;
        for template in &mut templates {
            template.indications = Indications::read(reader, decode_targets)?;
        }
        for template in &mut templates {
            while reader.flag()? {
                template.references.add(reader.bits(4)?);
            }
        }
        let chains = reader.non_symmetric(u32::from(decode_targets).saturating_add(1))? as u8;
        if chains > 0 {
            for _ in 0..decode_targets {
                reader.non_symmetric(u32::from(chains))?;
            }
            for _ in 0..templates.len() {
                for _ in 0..chains {
                    reader.bits(4)?;
                }
            }
        }
        let resolutions = if reader.flag()? { read_resolutions(reader, templates.last()?.spatial)? } else { Vec::new() };
        Some(Self { template_id_offset, decode_targets, chains, templates, resolutions })
    }

    /// How many decode targets there are: 1 to 32.
    #[must_use]
    pub fn decode_targets(&self) -> u8 {
        self.decode_targets
    }

    pub(super) fn chains(&self) -> u8 {
        self.chains
    }

    /// Every template.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Size of a spatial layer, when the structure tells.
    #[must_use]
    pub fn resolution(&self, spatial: u8) -> Option<Resolution> {
        self.resolutions.get(usize::from(spatial)).copied()
    }

    pub(super) fn template(&self, id: u8) -> Option<&Template> {
        let index = id.wrapping_sub(self.template_id_offset) & 0x3f;
        self.templates.get(usize::from(index))
    }

    /// The highest spatial and temporal layer of a decode target.
    #[must_use]
    pub fn layer_of(&self, target: u8) -> (u8, u8) {
        let parts = self.templates.iter().filter(|template| template.indications.of(target) != Indication::NotPresent);
        parts.fold((0, 0), |(spatial, temporal), template| (template.spatial.max(spatial), template.temporal.max(temporal)))
    }
}

/// Templates come ordered by layer: each says what the next one is of.
fn read_layers(reader: &mut BitReader<'_>) -> Option<Vec<Template>> {
    let mut templates = Vec::new();
    let mut template = Template::default();
    loop {
        if templates.len() >= MAX_TEMPLATES {
            return None;
        }
        templates.push(template);
        match reader.bits(2)? {
            0 => {}
            1 => template.temporal = template.temporal.saturating_add(1),
            2 => (template.spatial, template.temporal) = (template.spatial.saturating_add(1), 0),
            _ => return Some(templates),
        }
    }
}

fn read_resolutions(reader: &mut BitReader<'_>, highest: u8) -> Option<Vec<Resolution>> {
    let mut side = || Some((reader.bits(16)? as u16).saturating_add(1));
    (0..=highest).map(|_| Some(Resolution { width: side()?, height: side()? })).collect()
}
