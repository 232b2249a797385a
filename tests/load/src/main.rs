//! `nearcast-load bench` and `nearcast-load churn`; see the library.

use clap::{Args, Parser, Subcommand};
use nearcast_load::bench::{self, Plans};
use nearcast_load::media::Codec;
use nearcast_load::progress::Progress;
use nearcast_load::scenario::{self, Scenario};
use nearcast_load::server::{find_edge, target_folder};
use nearcast_load::{LoadError, big_room, churn, instructions, rush};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Puts an edge under load and measures it.
#[derive(Debug, Parser)]
#[command(name = "nearcast-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// CPU per forwarded packet, beside the floor (sealing and sending alone) of the same run.
    Bench(BenchFlags),
    /// Joins and leaves, over and over: nothing of a participant may stay.
    Churn(ChurnFlags),
    /// Very many join running edges at once: who gets in, how soon, and what the others are told.
    Rush(RushFlags),
    /// One room on three linked edges, and a voice that everybody in it hears: what joining and forwarding cost.
    BigRoom(BigRoomFlags),
    /// Instructions that a forwarded packet takes, beside the committed baseline. Needs valgrind.
    Instructions(InstructionFlags),
    /// What `instructions` runs under valgrind.
    #[command(hide = true)]
    Path,
}

#[derive(Args, Debug)]
struct BenchFlags {
    /// Only scenarios whose name contains this; repeat for more.
    #[arg(long, value_name = "TEXT")]
    scenario: Vec<String>,
    /// Few participants and one short window: to try the harness, not for figures.
    #[arg(long)]
    quick: bool,
    /// Windows of each scenario; figures are medians over them.
    #[arg(long, value_name = "N", default_value_t = 3)]
    windows: usize,
    /// Length of a window in seconds.
    #[arg(long, value_name = "S", default_value_t = 6.0)]
    seconds: f64,
    /// Only this server (nearcast, janus); repeat for more.
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// What the publishers' video is encoded with: vp8, vp9, av1 or h264. Only VP8 was recorded in layers.
    #[arg(long, value_name = "CODEC", value_parser = codec, default_value = "vp8")]
    codec: Codec,
    /// Receivers take datagrams one by one (no UDP GRO), as on a network whose cards don't segment.
    #[arg(long)]
    one_by_one: bool,
    /// End with an error when a target is missed.
    #[arg(long)]
    hold: bool,
    /// The edge's binary instead of target/release/nearcast-edge.
    #[arg(long, value_name = "FILE")]
    edge: Option<PathBuf>,
    /// Where rows go instead of target/bench/results.json.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct InstructionFlags {
    /// Make the new count the baseline.
    #[arg(long)]
    commit: bool,
}

#[derive(Args, Debug)]
struct RushFlags {
    /// Where edges in development mode serve HTTP, taken in turn.
    #[arg(long, value_name = "IP:PORT", required = true)]
    at: Vec<SocketAddr>,
    /// Who joins.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    joins: usize,
    /// So many of them to a room.
    #[arg(long, value_name = "N", default_value_t = rush::ROOM)]
    room: usize,
    /// Evenly over so many seconds.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
}

#[derive(Args, Debug)]
struct BigRoomFlags {
    /// Who joins, beside the one who speaks.
    #[arg(long, value_name = "N", default_value_t = 1999)]
    people: usize,
    /// So many of them to a room, where it isn't one for all: what the same people cost apart from each other.
    #[arg(long, value_name = "N")]
    room: Option<usize>,
    /// They come evenly over so many seconds.
    #[arg(long, value_name = "S", default_value_t = 40.0)]
    seconds: f64,
    /// For so long somebody speaks to them.
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    speech: f64,
    /// Sound in a packet, in milliseconds: 20 to 120, by twenties.
    #[arg(long, value_name = "MS", default_value_t = 120, value_parser = clap::value_parser!(u16).range(20..=120))]
    packet: u16,
    /// The edge's binary instead of target/release/nearcast-edge.
    #[arg(long, value_name = "FILE")]
    edge: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct ChurnFlags {
    /// Joins and leaves.
    #[arg(long, value_name = "N", default_value_t = 500)]
    cycles: usize,
    /// The edge's binary instead of target/release/nearcast-edge.
    #[arg(long, value_name = "FILE")]
    edge: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Bench(flags) => run_bench(flags),
        Command::Churn(flags) => run_churn(flags),
        Command::Rush(flags) => run_rush(&flags),
        Command::BigRoom(flags) => run_big_room(flags),
        Command::Instructions(flags) => count_instructions(&flags),
        Command::Path => instructions::print_path(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nearcast-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_churn(flags: ChurnFlags) -> Result<(), LoadError> {
    print!("{}", churn::run(&find_edge(flags.edge), flags.cycles, Progress::start())?);
    Ok(())
}

fn run_rush(flags: &RushFlags) -> Result<(), LoadError> {
    let within = Duration::try_from_secs_f64(flags.seconds).unwrap_or_default();
    let plan = rush::Plan { joins: flags.joins, room: flags.room, within };
    let outcome = rush::run(&flags.at, plan, Progress::start())?;
    println!("{}", serde_json::json!(outcome));
    Ok(())
}

fn run_big_room(flags: BigRoomFlags) -> Result<(), LoadError> {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let people = rush::Plan { joins: flags.people, room: flags.room.unwrap_or(flags.people), within: seconds(flags.seconds) };
    let plan = big_room::Plan { people, speech: seconds(flags.speech), frames: usize::from(flags.packet / 20) };
    print!("{}", big_room::run(&find_edge(flags.edge), plan, Progress::start())?);
    Ok(())
}

fn codec(name: &str) -> Result<Codec, String> {
    let known = [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264];
    known.into_iter().find(|codec| codec.name() == name).ok_or_else(|| "there are vp8, vp9, av1 and h264".to_owned())
}

fn count_instructions(flags: &InstructionFlags) -> Result<(), LoadError> {
    let report = instructions::run(Progress::start())?;
    print!("{report}");
    if flags.commit { report.commit() } else { report.check() }
}

fn run_bench(flags: BenchFlags) -> Result<(), LoadError> {
    let wanted =
        |scenario: &&Scenario| flags.scenario.is_empty() || flags.scenario.iter().any(|text| scenario.name.contains(text.as_str()));
    let chosen: Vec<Scenario> = scenario::ALL.iter().filter(wanted).map(|scenario| scenario.with_codec(flags.codec)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = scenario::ALL.iter().map(|scenario| scenario.name).collect();
        return Err(LoadError::refused("choosing scenarios", format!("none fits; there are: {}", names.join(", "))));
    }
    let seconds = Duration::try_from_secs_f64(flags.seconds).unwrap_or_default();
    let (scenarios, windows, window) = if flags.quick {
        (chosen.iter().map(|scenario| scenario.quick()).collect(), 1, Duration::from_secs(1))
    } else {
        (chosen, flags.windows.max(1), seconds.max(Duration::from_secs(1)))
    };
    let (servers, runs, progress) = (flags.server, !flags.one_by_one, Progress::start());
    let plans = Plans { scenarios, servers, edge: find_edge(flags.edge), windows, window, runs, progress };
    let (rows, no_janus) = bench::run(&plans)?;
    let json = flags.json.unwrap_or_else(|| target_folder().join("bench/results.json"));
    bench::write_rows(&rows, &json)?;
    println!("\n{}", bench::table(&rows));
    if let Some(why) = no_janus {
        println!("{why}");
    }
    println!("rows: {}", json.display());
    let missed: Vec<String> = rows.iter().flat_map(bench::Row::missed).collect();
    if missed.is_empty() || !flags.hold { Ok(()) } else { Err(LoadError::OutOfBounds(missed.join("\n"))) }
}
