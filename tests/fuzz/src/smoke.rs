//! Half a minute of fuzzing with the stable compiler: every committed input as it is, then changes of them until the time is over.
//!
//! Nothing tells which change reached new code, so this finds what lies near; `make fuzz` goes further. The order is the same in every run.

use crate::Target;
use crate::corpus;
use crate::mutate::{Dice, mutate};
use stats_alloc::{Region, StatsAlloc};
use std::alloc::System;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Bytes that one input may make its target allocate, in all: what a session description of 256 kB takes, several times over. What
/// multiplies without a bound goes past it.
pub const MOST_BYTES: usize = 64 << 20;

/// Longer than this for one input is a way to stop an edge. Far more than any takes on a busy machine (milliseconds).
pub const LONGEST: Duration = Duration::from_secs(5);

/// What became of one target.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which.
    pub target: &'static str,
    /// Inputs of the corpus.
    pub corpus: usize,
    /// Changed ones.
    pub changed: u64,
    /// The most that one of them allocated, in bytes.
    pub most_allocated: usize,
    /// What broke it, and how: the input is kept.
    pub fault: Option<(Vec<u8>, String)>,
}

/// Plays a target for `each`, its corpus in any case.
///
/// # Errors
/// A corpus can't be read.
pub fn run(allocator: &'static StatsAlloc<System>, target: &Target, each: Duration) -> io::Result<Outcome> {
    let inputs: Vec<Vec<u8>> = corpus::inputs(target.name)?.into_iter().map(|(_, input)| input).collect();
    let mut outcome = Outcome { target: target.name, corpus: inputs.len(), changed: 0, most_allocated: 0, fault: None };
    // The first call makes what all share (a certificate).
    for input in std::iter::once(&Vec::new()).chain(&inputs) {
        if outcome.fault.is_none() {
            try_one(allocator, target, input, &mut outcome);
        }
    }
    let (began, mut dice) = (Instant::now(), Dice::new(1));
    while outcome.fault.is_none() && began.elapsed() < each {
        let mut input = inputs.get(dice.below(inputs.len())).cloned().unwrap_or_default();
        let other = inputs.get(dice.below(inputs.len())).cloned().unwrap_or_default();
        mutate(&mut input, &other, &mut dice);
        try_one(allocator, target, &input, &mut outcome);
        outcome.changed += 1;
    }
    Ok(outcome)
}

fn try_one(allocator: &'static StatsAlloc<System>, target: &Target, input: &[u8], outcome: &mut Outcome) {
    let (region, began) = (Region::new(allocator), Instant::now());
    let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let allocated = region.change().bytes_allocated;
    outcome.most_allocated = outcome.most_allocated.max(allocated);
    let why = match ran {
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
            Some(words.unwrap_or_else(|| "a panic without words".to_owned()))
        }
        Ok(()) if allocated > MOST_BYTES => Some(format!("{allocated} bytes allocated for an input of {}", input.len())),
        Ok(()) if began.elapsed() > LONGEST => Some(format!("{:?} for an input of {} bytes", began.elapsed(), input.len())),
        Ok(()) => None,
    };
    outcome.fault = why.map(|why| (input.to_vec(), why));
}
