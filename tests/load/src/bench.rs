//! CPU per forwarded packet, beside the floor of the same minute.
//!
//! A scenario is measured in windows that replay the same packets; between two windows the floor sends those packets itself. Figures
//! are medians over the windows. What could have spoiled a figure is said in the row's `note`.

mod row;
mod session;
mod table;
mod window;

pub use row::{Row, write_rows};
pub use table::table;

use crate::cpu::Cores;
use crate::floor::{self, Destinations, FloorMeasure, Plan};
use crate::process::machine;
use crate::progress::Progress;
use crate::scenario::{Load, Scenario};
use crate::server::{Cipher, InstalledJanus, Janus, LinkedEdges, NearcastEdge, NoJanus, Server, target_folder};
use crate::trace::Trace;
use crate::{LoadError, process};
use session::Session;
use std::path::PathBuf;
use std::time::Duration;
use window::Window;

/// What the publisher sends before the first subscriber comes: fills the server's packet cache, which all subscribers share.
const PRELUDE: Duration = Duration::from_secs(4);

/// What is sent before the first window: key frame, first reports, warm caches.
const WARM_UP: Duration = Duration::from_secs(3);

/// Each try to find how many publishers use the wanted share of a core: long enough for viewers to have climbed to the best layer again. After
/// 1.5 s they hadn't, and what was to be 70 % of a core became 82.
const TRY: Duration = Duration::from_secs(4);

/// Tries; each comes much closer.
const TRIES: usize = 3;

/// Windows of a server that is only compared with: it is expected to be several times dearer, not a few percent.
const COMPARED_WINDOWS: usize = 2;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Plans {
    /// What.
    pub scenarios: Vec<Scenario>,
    /// Which servers, by name; empty: all there are.
    pub servers: Vec<String>,
    /// The edge's binary.
    pub edge: PathBuf,
    /// Windows of each scenario; figures are medians over them.
    pub windows: usize,
    /// Length of a window, and of the floor's turn. What comes before the windows is no longer than one.
    pub window: Duration,
    /// Receivers take runs of datagrams as a whole (UDP GRO).
    pub runs: bool,
    /// Where to show how far it is.
    pub progress: Progress,
}

/// Measures every scenario with every server. Scenarios that are compared need Janus; where there is none, the reason comes back too.
///
/// # Errors
/// Something could not be measured at all.
pub fn run(plans: &Plans) -> Result<(Vec<Row>, Option<NoJanus>), LoadError> {
    let cores = Cores::choose()?;
    plans.progress.say(&machine());
    let wanted = |name: &str| plans.servers.is_empty() || plans.servers.iter().any(|server| server == name);
    let needs_janus = wanted("janus") && plans.scenarios.iter().any(|scenario| scenario.compared);
    let janus = needs_janus.then(|| InstalledJanus::find_or_install(plans.progress));
    let mut rows = Vec::new();
    for scenario in &plans.scenarios {
        let mut own = if wanted("nearcast") { Some(measure_nearcast(plans, scenario, cores)?) } else { None };
        let found = janus.as_ref().filter(|_| scenario.compared).and_then(|janus| janus.as_ref().ok());
        let other = found.map(|found| measure_janus(plans, scenario, cores, found)).transpose()?;
        if let Some(own) = own.as_mut() {
            own.judge(&scenario.targets, other.as_ref());
        }
        rows.extend(own.into_iter().chain(other));
    }
    Ok((rows, janus.and_then(Result::err)))
}

fn measure_nearcast(plans: &Plans, scenario: &Scenario, cores: Cores) -> Result<Row, LoadError> {
    let log = target_folder().join("bench/edge.log");
    if scenario.relayed {
        let edges = LinkedEdges::start(&plans.edge, Some(cores.server), &log)?;
        return measure(plans, scenario, Box::new(edges), plans.windows, cores);
    }
    let edge = NearcastEdge::start(&plans.edge, 1, Some(cores.server), log, &[])?;
    measure(plans, scenario, Box::new(edge), plans.windows, cores)
}

/// In a thread of its own, which moves into Janus's network namespace; and so do the sockets that it opens.
fn measure_janus(plans: &Plans, scenario: &Scenario, cores: Cores, found: &InstalledJanus) -> Result<Row, LoadError> {
    let measure = || {
        let log = target_folder().join("bench/janus.log");
        let janus = Janus::start(found, scenario.media.codec, Some(cores.server), log)?;
        measure(plans, scenario, Box::new(janus), plans.windows.min(COMPARED_WINDOWS), cores)
    };
    let measured = std::thread::scope(|scope| scope.spawn(measure).join());
    measured.map_err(|_| LoadError::refused("measuring Janus", "the thread that does it panicked"))?
}

fn measure(plans: &Plans, scenario: &Scenario, server: Box<dyn Server>, windows: usize, cores: Cores) -> Result<Row, LoadError> {
    let name = server.name();
    let say = |what: &str| plans.progress.say(&format!("{} with {name}: {what}", scenario.name));
    let trace = Trace::load(&scenario.media)?;
    let mut row = Row::new(scenario, name);
    let idle = process::resident_kb(server.pid())?;
    row.rss_idle_mb = idle as f64 / 1024.0;

    let mut session = Session::new(server, scenario, &trace, cores, plans.runs)?;
    let mut set_up = session.publish()?;
    session.play(PRELUDE.min(plans.window))?;
    let mut rss_before = session.resident_kb()?;
    if scenario.meeting {
        // Who receives are the publishers themselves.
        rss_before = idle;
        set_up += session.subscribe(plans.progress)?;
    } else {
        set_up = session.subscribe(plans.progress)?;
    }
    let receivers = scenario.receivers().max(1) as f64;
    let grown_kb = |now: u64| now.saturating_sub(rss_before) as f64 / receivers;
    row.setup_ms_per_peer = set_up.as_secs_f64() * 1e3 / receivers;
    row.rss_connected_kb_per_subscriber = grown_kb(session.resident_kb()?);
    session.play(WARM_UP.min(plans.window))?;
    session.check_everybody_receives()?;
    if let Load::ShareOfCore(share) = scenario.load {
        find_load(&mut session, share)?;
        say(&format!("{} publishers for {:.0} % of a core", session.playing(), share * 100.0));
    }
    row.publishers = session.playing();
    let cipher = session.cipher()?;
    row.cipher = cipher.name();

    let mut measured = Vec::new();
    let mut floors: Vec<FloorMeasure> = Vec::new();
    for number in 1..=windows {
        say(&format!("window {number} of {windows}, {} s, then the floor", plans.window.as_secs_f32()));
        let window = session.window(plans.window)?;
        floors.push(floor_of(plans, scenario, &trace, &window, cipher, cores)?);
        measured.push(window);
    }
    row.rss_kb_per_subscriber = grown_kb(session.resident_kb()?);
    row.summarise(&measured, &floors, cores);
    say(&format!("{:.2} µs a packet, {:.2} × the floor", row.us_per_packet, row.ratio));
    Ok(row)
}

/// Lets as many publishers send as it takes for the server to use `share` of its core.
fn find_load(session: &mut Session<'_>, share: f64) -> Result<(), LoadError> {
    session.set_playing((session.playing() / 4).max(1));
    for _ in 0..TRIES {
        let used = session.window(TRY)?.server_share();
        let wanted = session.playing() as f64 * share / used.max(f64::MIN_POSITIVE);
        session.set_playing(wanted.round().max(1.0) as usize);
    }
    Ok(())
}

/// What sealing and sending as much as in `window` costs, in runs as long.
fn floor_of(
    plans: &Plans,
    scenario: &Scenario,
    trace: &Trace,
    window: &Window,
    cipher: Cipher,
    cores: Cores,
) -> Result<FloorMeasure, LoadError> {
    // Of several layers one is forwarded; nobody here wants less than the best.
    let best = u8::try_from(scenario.media.video.len().saturating_sub(1)).unwrap_or_default();
    let one = Plan::new(&trace.with_layer(best).first(plans.window), window.datagrams_per_run());
    let count = scenario.copies_of_each().max(1);
    // Fewer than play, when the server doesn't forward everything to everybody.
    let publishers = (window.sent as f64 / (one.counts().0 * count).max(1) as f64).round().max(1.0) as usize;
    let destinations = Destinations { count, runs: plans.runs };
    floor::run(&one.times(publishers), cipher, destinations, window.runs_per_call(), cores)
}
