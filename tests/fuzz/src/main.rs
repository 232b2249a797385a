//! `nearcast-fuzz`: half a minute of fuzzing, one input again, the seeds of the corpora.

use clap::{Parser, Subcommand};
use nearcast_fuzz::{TARGETS, corpus, smoke};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Throws hostile bytes at everything that reads from the network.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Plays the committed corpora and seeded changes of them.
    Smoke {
        /// For all targets together.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// This one only.
        #[arg(long)]
        target: Option<String>,
    },
    /// Plays files (what a fuzzer found) through a target.
    Again {
        /// Which target.
        target: String,
        /// The inputs.
        files: Vec<PathBuf>,
    },
    /// Writes the seeds into the corpora (fuzz/corpus).
    Seeds,
    /// Names the targets.
    List,
}

fn main() -> ExitCode {
    match Arguments::parse().what {
        What::Smoke { seconds, target } => smoke(seconds, target.as_deref()),
        What::Again { target, files } => again(&target, &files),
        What::Seeds => {
            for target in TARGETS {
                match corpus::plant(target.name) {
                    Ok(count) => println!("{}: {count} seeds", target.name),
                    Err(error) => return failed(&format!("{}: {error}", target.name)),
                }
            }
            ExitCode::SUCCESS
        }
        What::List => {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            ExitCode::SUCCESS
        }
    }
}

fn smoke(seconds: u64, only: Option<&str>) -> ExitCode {
    let targets = if only.is_some() { 1 } else { TARGETS.len() };
    let each = Duration::from_secs(seconds) / targets as u32;
    let outcomes = match smoke::run(ALLOCATOR, each, only) {
        Ok(outcomes) => outcomes,
        Err(error) => return failed(&format!("the corpora can't be read: {error}; write them anew: cargo run -p nearcast-fuzz -- seeds")),
    };
    println!("{:<14} {:>7} {:>9} {:>16}", "target", "corpus", "changed", "kB allocated");
    let mut broken = 0;
    for outcome in &outcomes {
        println!("{:<14} {:>7} {:>9} {:>16}", outcome.target, outcome.corpus, outcome.changed, outcome.most_allocated / 1_024);
        if let Some((input, why)) = &outcome.fault {
            broken += 1;
            let file = std::env::temp_dir().join(format!("nearcast-fuzz-{}", outcome.target));
            let kept = std::fs::write(&file, input).map_or_else(|error| error.to_string(), |()| file.display().to_string());
            eprintln!(
                "{}: {why}\n  the input: {kept}; again: cargo run -p nearcast-fuzz -- again {} {kept}",
                outcome.target, outcome.target
            );
        }
    }
    let verdict = if broken == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {} passed; {broken} failed; 0 ignored", outcomes.len() - broken);
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn again(name: &str, files: &[PathBuf]) -> ExitCode {
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        return failed(&format!("there is no target {name}; nearcast-fuzz list names them"));
    };
    for file in files {
        match std::fs::read(file) {
            Ok(input) => (target.run)(&input),
            Err(error) => return failed(&format!("{}: {error}", file.display())),
        }
        println!("{}: fine", file.display());
    }
    ExitCode::SUCCESS
}

fn failed(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
