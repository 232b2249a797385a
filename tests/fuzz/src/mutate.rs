//! Small changes to bytes, drawn from a seed: the same seed makes the same changes everywhere.

/// Numbers that readers get wrong.
const INTERESTING: [u8; 10] = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x20, 0x10, 0x40, 0x0a];

/// No input grows beyond this: a datagram, and more for what reads several.
const LONGEST: usize = 4_096;

/// A generator of numbers (xorshift64*; Vigna 2016).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `most`, which is at least 1.
    pub fn below(&mut self, most: usize) -> usize {
        (self.roll() >> 16) as usize % most.max(1)
    }
}

/// Changes `bytes` in one to eight ways; `other` is what may be spliced in.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..1 + dice.below(8) {
        change(bytes, other, dice);
    }
    bytes.truncate(LONGEST);
}

fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    match dice.below(9) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, dice.roll() as u8),
        2 => {
            let end = (at + 1 + dice.below(8)).min(bytes.len());
            drop(bytes.drain(at.min(end)..end));
        }
        3 => {
            let end = (at + 1 + dice.below(32)).min(bytes.len());
            let again = bytes[at.min(end)..end].to_vec();
            bytes.splice(at..at, again);
        }
        4 if !other.is_empty() => {
            let from = dice.below(other.len());
            let length = dice.below(other.len() - from + 1).min(64);
            bytes.splice(at..at, other[from..from + length].iter().copied());
        }
        5 => bytes.splice(at..at, std::iter::repeat_n(dice.roll() as u8, 1 + dice.below(40))).for_each(drop),
        _ => {
            let Some(byte) = bytes.get_mut(at) else { return };
            *byte = match dice.below(4) {
                0 => *byte ^ 1 << dice.below(8),
                1 => dice.roll() as u8,
                2 => byte.wrapping_add(1),
                _ => INTERESTING[dice.below(INTERESTING.len())],
            };
        }
    }
}
