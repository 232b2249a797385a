//! `nearcast-attack`: plays the cases against an edge of its own and prints what each cost.

use clap::{Parser, Subcommand};
use nearcast_attack::stage::Stage;
use nearcast_attack::{cases, churn, idle, table};
use nearcast_load::LoadError;
use nearcast_load::progress::Progress;
use nearcast_load::server::{find_edge, target_folder};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Attacks a live edge, one way after another, while a measured call goes on in it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// The edge to start; none: target/release/nearcast-edge.
    #[arg(long, global = true)]
    edge: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// Plays the cases.
    Play {
        /// Seconds that each case throws.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// These only, by id (P3) .
        #[arg(long)]
        only: Vec<String>,
        /// The cheap ones only.
        #[arg(long)]
        cheap: bool,
    },
    /// Measures what idle WebSockets cost.
    Idle {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
        /// Seconds that they are watched.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Lets participants come, go and break, with faults and attacks among them, drawn from a seed: nothing may stay.
    Churn {
        /// For so long.
        #[arg(long, value_name = "MIN", default_value_t = 20.0)]
        minutes: f64,
        /// What draws it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Names the cases.
    List,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let binary = find_edge(arguments.edge);
    let outcome = match arguments.what {
        What::Play { seconds, only, cheap } => play(&binary, seconds, &only, cheap),
        What::Idle { count, seconds } => idle(&binary, count, seconds),
        What::Churn { minutes, seed } => {
            let length = Duration::try_from_secs_f64(minutes * 60.0).unwrap_or_default();
            churn::play(&binary, length, seed, Progress::start()).map(|report| {
                print!("{report}");
                true
            })
        }
        What::List => {
            cases::CASES.iter().for_each(|case| println!("{:<4} {}", case.id, case.what));
            Ok(true)
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(binary: &std::path::Path, seconds: u64, only: &[String], cheap: bool) -> Result<bool, LoadError> {
    let mut stage = Stage::start(binary, Duration::from_secs(seconds))?;
    let chosen = |case: &cases::Case| (only.is_empty() || only.iter().any(|id| id == case.id)) && (!cheap || case.cheap);
    let rows = cases::play(&mut stage, chosen, |row| {
        eprintln!("{:<4} {} {} {}", row.id, if row.ok { "ok" } else { "NO" }, row.what, row.faults.join("; "));
    })?;
    drop(stage);
    println!("{}", nearcast_load::process::machine());
    print!("{}", table(&rows));
    let file = target_folder().join("attack/results.json");
    let json = serde_json::to_string_pretty(&rows).map_err(|error| LoadError::refused("writing the results", error))?;
    std::fs::write(&file, json).map_err(LoadError::system(format!("writing {}", file.display())))?;
    let bad = rows.iter().filter(|row| !row.ok).count();
    println!("test result: {}. {} passed; {bad} failed; 0 ignored", if bad == 0 { "ok" } else { "FAILED" }, rows.len() - bad);
    Ok(bad == 0)
}

fn idle(binary: &std::path::Path, count: usize, seconds: u64) -> Result<bool, LoadError> {
    let measured = idle::measure(binary, count, Duration::from_secs(seconds))?;
    println!("{} idle WebSockets: {:.1} kB each, {:.1} % of one core", measured.open, measured.kb_each, measured.cpu * 100.0);
    Ok(true)
}
