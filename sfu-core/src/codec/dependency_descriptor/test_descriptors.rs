//! Descriptors written bit by bit, in the order of appendix A.8.1, for tests.

/// A template: spatial and temporal layer, indications (a letter each, as in the specification), references, previous frames of the chains.
pub(crate) type TemplateText = (u8, u8, &'static str, &'static [u32], &'static [u32]);

/// A structure to write.
#[derive(Clone, Copy)]
pub(crate) struct StructureText {
    pub(crate) offset: u32,
    pub(crate) templates: &'static [TemplateText],
    /// The chain of each decode target; empty without chains.
    pub(crate) protected_by: &'static [u32],
    pub(crate) sizes: &'static [(u32, u32)],
}

/// One spatial layer, three temporal: frames T0 T2 T1 T2.
pub(crate) const L1T3: StructureText = StructureText {
    offset: 0,
    templates: &[
        (0, 0, "SSS", &[], &[0]),
        (0, 0, "SSS", &[4], &[4]),
        (0, 1, "-DS", &[2], &[2]),
        (0, 2, "--D", &[1], &[1]),
        (0, 2, "--D", &[1], &[3]),
    ],
    protected_by: &[0, 0, 0],
    sizes: &[(1280, 720)],
};

/// Two spatial layers that are apart between key frames; frames S0 S1, T0 and T1 by turns.
pub(crate) const L2T2_KEY: StructureText = StructureText {
    offset: 60,
    templates: &[
        (0, 0, "SSSS", &[], &[0, 0]),
        (0, 0, "SS--", &[4], &[4, 3]),
        (0, 1, "-D--", &[2], &[2, 1]),
        (1, 0, "--SS", &[1], &[1, 1]),
        (1, 0, "--SS", &[4], &[1, 4]),
        (1, 1, "---D", &[2], &[3, 2]),
    ],
    protected_by: &[0, 0, 1, 1],
    sizes: &[(640, 360), (1280, 720)],
};

/// The same two, the upper always made from the lower.
pub(crate) const L2T2: StructureText = StructureText {
    offset: 8,
    templates: &[
        (0, 0, "SSSS", &[], &[0, 0]),
        (0, 0, "SSRR", &[4], &[4, 3]),
        (0, 1, "-D-R", &[2], &[2, 1]),
        (1, 0, "--SS", &[1], &[1, 1]),
        (1, 0, "--SS", &[1, 4], &[1, 1]),
        (1, 1, "---D", &[1, 2], &[3, 2]),
    ],
    protected_by: &[0, 0, 1, 1],
    sizes: &[],
};

/// A descriptor to write.
#[derive(Clone, Copy, Default)]
pub(crate) struct DescriptorText {
    /// Start and end of frame.
    pub(crate) edges: (bool, bool),
    pub(crate) template: u32,
    pub(crate) number: u32,
    pub(crate) structure: Option<StructureText>,
    /// A bit for each decode target, and how many there are.
    pub(crate) active: Option<(u32, u32)>,
    pub(crate) indications: Option<&'static str>,
    pub(crate) references: Option<&'static [u32]>,
    pub(crate) chains: Option<&'static [u32]>,
}

#[derive(Default)]
pub(crate) struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn put_indications(&mut self, text: &str) {
        for letter in text.chars() {
            self.put("-DSR".find(letter).expect("an indication") as u32, 2);
        }
    }

    fn put_non_symmetric(&mut self, values: u32, value: u32) {
        let width = u32::BITS - values.leading_zeros();
        let short = (1 << width) - values;
        if value < short { self.put(value, width - 1) } else { self.put(value + short, width) }
    }

    fn put_structure(&mut self, structure: &StructureText) {
        let targets = structure.templates[0].2.len() as u32;
        self.put(structure.offset, 6);
        self.put(targets - 1, 5);
        for pair in structure.templates.windows(2) {
            let next = match (pair[1].0 - pair[0].0, pair[1].1.wrapping_sub(pair[0].1)) {
                (0, 0) => 0,
                (0, _) => 1,
                _ => 2,
            };
            self.put(next, 2);
        }
        self.put(3, 2);
        structure.templates.iter().for_each(|template| self.put_indications(template.2));
        for template in structure.templates {
            for back in template.3 {
                self.put(1, 1);
                self.put(back - 1, 4);
            }
            self.put(0, 1);
        }
        let chains = structure.protected_by.iter().max().map_or(0, |highest| highest + 1);
        self.put_non_symmetric(targets + 1, chains);
        if chains > 0 {
            structure.protected_by.iter().for_each(|chain| self.put_non_symmetric(chains, *chain));
            structure.templates.iter().flat_map(|template| template.4).for_each(|back| self.put(*back, 4));
        }
        self.put(u32::from(!structure.sizes.is_empty()), 1);
        for (width, height) in structure.sizes {
            self.put(width - 1, 16);
            self.put(height - 1, 16);
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.0.chunks(8).map(|byte| byte.iter().enumerate().map(|(at, bit)| u8::from(*bit) << (7 - at)).sum()).collect()
    }
}

impl DescriptorText {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(u32::from(self.edges.0), 1);
        bits.put(u32::from(self.edges.1), 1);
        bits.put(self.template, 6);
        bits.put(self.number, 16);
        let flags =
            [self.structure.is_some(), self.active.is_some(), self.indications.is_some(), self.references.is_some(), self.chains.is_some()];
        if flags.contains(&true) {
            flags.iter().for_each(|flag| bits.put(u32::from(*flag), 1));
        }
        self.structure.iter().for_each(|structure| bits.put_structure(structure));
        self.active.iter().for_each(|(mask, count)| bits.put(*mask, *count));
        self.indications.iter().for_each(|text| bits.put_indications(text));
        for references in self.references.iter() {
            for back in *references {
                let groups = if *back > 256 {
                    3
                } else if *back > 16 {
                    2
                } else {
                    1
                };
                bits.put(groups, 2);
                bits.put(back - 1, groups * 4);
            }
            bits.put(0, 2);
        }
        self.chains.iter().copied().flatten().for_each(|back| bits.put(*back, 8));
        bits.bytes()
    }
}
