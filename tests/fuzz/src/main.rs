//! `nearcast-fuzz`: half a minute of fuzzing for each target, one input again, the seeds of the corpora.

use clap::{Parser, Subcommand};
use nearcast_fuzz::{TARGETS, Target, corpus, smoke};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        /// For each target.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// This one only, in this process. Without it all of them, in a process each, as many at a time as there are cores.
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
        What::Smoke { seconds, target: Some(target) } => smoke(seconds, &target),
        What::Smoke { seconds, target: None } => smoke_all(seconds),
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

/// What is allocated is counted for a whole process, so each target has its own.
fn smoke_all(seconds: u64) -> ExitCode {
    let left = Mutex::new(TARGETS.iter());
    let failures = AtomicUsize::new(0);
    let work = || {
        while let Some(target) = left.lock().ok().and_then(|mut left| left.next()) {
            let program = std::env::current_exe().unwrap_or_else(|_| "nearcast-fuzz".into());
            let arguments = ["smoke", "--seconds", &seconds.to_string(), "--target", target.name];
            let good = Command::new(program).args(arguments).status().is_ok_and(|status| status.success());
            failures.fetch_add(usize::from(!good), Ordering::Relaxed);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    if failures.into_inner() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn smoke(seconds: u64, name: &str) -> ExitCode {
    let Some(target) = target(name) else { return failed(&unknown(name)) };
    let outcome = match smoke::run(ALLOCATOR, target, Duration::from_secs(seconds)) {
        Ok(outcome) => outcome,
        Err(error) => return failed(&format!("the corpora can't be read: {error}; write them anew: cargo run -p nearcast-fuzz -- seeds")),
    };
    println!("{:<14} {:>7} {:>9} {:>16}", "target", "corpus", "changed", "kB allocated");
    println!("{:<14} {:>7} {:>9} {:>16}", outcome.target, outcome.corpus, outcome.changed, outcome.most_allocated / 1_024);
    let Some((input, why)) = outcome.fault else {
        println!("test result: ok. 1 passed; 0 failed; 0 ignored");
        return ExitCode::SUCCESS;
    };
    let file = std::env::temp_dir().join(format!("nearcast-fuzz-{name}"));
    let kept = std::fs::write(&file, input).map_or_else(|error| error.to_string(), |()| file.display().to_string());
    eprintln!("{name}: {why}\n  the input: {kept}; again: cargo run -p nearcast-fuzz -- again {name} {kept}");
    println!("test result: FAILED. 0 passed; 1 failed; 0 ignored");
    ExitCode::FAILURE
}

fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

fn unknown(name: &str) -> String {
    format!("there is no target {name}; nearcast-fuzz list names them")
}

fn again(name: &str, files: &[PathBuf]) -> ExitCode {
    let Some(target) = target(name) else { return failed(&unknown(name)) };
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
