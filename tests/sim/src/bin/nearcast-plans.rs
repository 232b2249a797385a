//! `make sim`: runs the network plans, prints their score, and compares it with the committed one.

use clap::Parser;
use nearcast_sim::plan::scoreboard::{Row, differences, from_json, table, to_json};
use nearcast_sim::plan::trace::time_line;
use nearcast_sim::plan::{Plan, catalogue};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The seed of the committed score.
const SEED: u64 = 8867;

/// Plays network plans in virtual time: real shards, independent receivers, modelled links.
///
/// Each plan's numbers are printed with their targets and written to target/sim/scoreboard.json. Without other wishes they are compared
/// with tests/sim/scoreboard.json: any difference is an error, until --bless makes it the score.
#[derive(Debug, Parser)]
#[command(name = "nearcast-plans", version)]
struct Flags {
    /// Only plans whose name contains this; repeat for more.
    #[arg(long, value_name = "TEXT")]
    plan: Vec<String>,
    /// Another seed than the committed score's: nothing is compared.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A seed nobody has tried, printed so that it can be tried again: nothing is compared.
    #[arg(long, conflicts_with = "seed")]
    fresh_seed: bool,
    /// Makes today's numbers the committed score.
    #[arg(long, conflicts_with_all = ["seed", "fresh_seed", "plan"])]
    bless: bool,
    /// Writes target/sim/PLAN.csv for each plan: what every viewer's path carried and was believed to, ten times a second, and why.
    #[arg(long)]
    trace: bool,
    /// Lists the plans and ends.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nearcast-plans: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<(), String> {
    let wanted = |plan: &Plan| flags.plan.is_empty() || flags.plan.iter().any(|text| plan.name.contains(text.as_str()));
    let plans: Vec<_> = catalogue::all().into_iter().filter(wanted).collect();
    if plans.is_empty() {
        return Err("no plan has such a name; --list shows them".to_owned());
    }
    if flags.list {
        plans.iter().for_each(|plan| println!("{:20} {:4} s  {}", plan.name, plan.length.as_secs(), plan.about));
        return Ok(());
    }
    let seed = match (flags.seed, flags.fresh_seed) {
        (Some(seed), _) => seed,
        (None, true) => std::time::UNIX_EPOCH.elapsed().map_err(|error| error.to_string())?.as_millis() as u64,
        (None, false) => SEED,
    };
    eprintln!("{} plans, seed {seed}", plans.len());
    let rows = play(&plans, seed, flags.trace)?;
    print!("{}", table(&rows));
    let (met, missed) = rows
        .iter()
        .filter(|row| row.target.is_some())
        .fold((0, 0), |(met, missed), row| if row.ok() { (met + 1, missed) } else { (met, missed + 1) });
    println!("{met} targets met, {missed} not met");

    let (written, committed) = (workspace().join("target/sim/scoreboard.json"), workspace().join("tests/sim/scoreboard.json"));
    write(&written, &to_json(&rows))?;
    if flags.bless {
        return write(&committed, &to_json(&rows));
    }
    if seed != SEED {
        return Ok(());
    }
    compare(&committed, &rows, &plans)
}

/// Plays the plans on all cores, and keeps their order.
fn play(plans: &[Plan], seed: u64, traced: bool) -> Result<Vec<Row>, String> {
    let next = AtomicUsize::new(0);
    let played = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((index, plan)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|index| Some((index, plans.get(index)?)))
                {
                    let began = Instant::now();
                    let run = plan.run(seed, traced);
                    let rows: Vec<_> = (plan.score)(&run).iter().map(|metric| Row::new(plan.name, metric)).collect();
                    eprintln!("{:20} {:4} s in {:.1} s", plan.name, plan.length.as_secs(), began.elapsed().as_secs_f64());
                    let traced = traced.then(|| time_line(&run));
                    played.lock().unwrap().push((index, rows, traced));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap();
    played.sort_by_key(|(index, ..)| *index);
    for (index, _, traced) in &played {
        if let (Some(plan), Some(traced)) = (plans.get(*index), traced) {
            write(&workspace().join("target/sim").join(format!("{}.csv", plan.name)), traced)?;
        }
    }
    Ok(played.into_iter().flat_map(|(_, rows, _)| rows).collect())
}

fn compare(committed: &PathBuf, rows: &[Row], plans: &[Plan]) -> Result<(), String> {
    let text = std::fs::read_to_string(committed).map_err(|error| format!("{}: {error}", committed.display()))?;
    let mut before = from_json(&text).ok_or_else(|| format!("{} is no scoreboard; --bless writes one", committed.display()))?;
    before.retain(|row| plans.iter().any(|plan| plan.name == row.plan));
    let different = differences(&before, rows);
    if different.is_empty() {
        println!("the committed score, to the digit");
        return Ok(());
    }
    Err(format!("not the committed score; read why, and when it is meant, --bless:\n  {}", different.join("\n  ")))
}

fn write(path: &PathBuf, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(told)?;
    std::fs::write(path, text).map_err(told)
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
