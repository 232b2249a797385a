//! Readings of statistics: hundreds of numbers every second, most of them as they were, and none of which may change by a bit.
//!
//! Each number is written as what differs from the one at its place in the reading before, bit for bit (exclusive or), and those that don't
//! differ as one count. Neighbouring counters share sign, exponent and the top of the mantissa, and whole numbers end in zeros: with the bytes
//! turned round, what is left is short.

use super::Entry;
use super::record::Record;
use crate::wire::Writer;
use alloc::vec::Vec;

#[cfg(not(target_arch = "wasm32"))]
use super::record::Restore;
#[cfg(not(target_arch = "wasm32"))]
use crate::wire::Item;

/// Numbers that a reading may claim to have when it is read again. A hundred tracks have a thirtieth of them.
#[cfg(not(target_arch = "wasm32"))]
const MOST: usize = 100_000;

/// The last reading in this piece, by place. Missing: zero.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<u64>);

impl Numbers {
    /// What leads from the reading before to this one: pairs of places skipped and difference.
    fn step(&mut self, reading: &[f64]) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        let mut same = 0;
        self.0.resize(reading.len(), 0);
        for (before, number) in self.0.iter_mut().zip(reading) {
            let changed = (*before ^ number.to_bits()).swap_bytes();
            if changed == 0 {
                same += 1;
            } else {
                out.number(same);
                out.number(changed);
                same = 0;
            }
            *before = number.to_bits();
        }
        out.0
    }

    /// The reverse of [`Self::step`], for a reading of so many numbers.
    #[cfg(not(target_arch = "wasm32"))]
    fn apply(&mut self, count: usize, mut steps: &[u8]) -> Option<Vec<f64>> {
        self.0.resize(count, 0);
        let mut next = || match Item::next(&mut steps)? {
            Item::Number(number) => Some(number),
            _ => None,
        };
        let mut at = 0_usize;
        while let Some(skipped) = next() {
            at = at.checked_add(usize::try_from(skipped).ok()?)?;
            *self.0.get_mut(at)? ^= next()?.swap_bytes();
            at += 1;
        }
        Some(self.0.iter().copied().map(f64::from_bits).collect())
    }
}

/// A reading.
impl Record for Vec<f64> {
    fn record(&self, entry: &mut Entry) {
        let steps = entry.numbers.step(self);
        entry.out.array(2);
        entry.out.number(self.len() as u64);
        entry.out.bytes(&steps);
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Restore for Vec<f64> {
    fn restore(item: &Item<'_>, numbers: &mut Numbers) -> Option<Self> {
        let [(_, Item::Number(count)), (_, Item::Bytes(steps))] = super::trace::fields(item) else { return None };
        numbers.apply(usize::try_from(*count).ok().filter(|count| *count <= MOST)?, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_bit_of_every_reading_comes_back(readings in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..20), 0..5)) {
            let (mut writing, mut reading) = (Numbers::default(), Numbers::default());
            for bits in readings {
                let numbers: Vec<f64> = bits.iter().copied().map(f64::from_bits).collect();
                let restored = reading.apply(numbers.len(), &writing.step(&numbers)).unwrap();
                prop_assert_eq!(restored.iter().map(|number| number.to_bits()).collect::<Vec<_>>(), bits);
            }
        }
    }

    #[test]
    fn what_stays_as_it_was_costs_nothing_and_a_counter_a_few_bytes() {
        let mut numbers = Numbers::default();
        let mut reading = vec![f64::NAN; 352];
        reading[40] = 261_474.0;
        numbers.step(&reading);
        assert_eq!(numbers.step(&reading).len(), 0);
        reading[40] += 1377.0;
        assert!(numbers.step(&reading).len() <= 8);
    }
}
