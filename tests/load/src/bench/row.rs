//! What is said about a scenario in the end.

use super::window::Window;
use crate::LoadError;
use crate::cpu::Cores;
use crate::delay::Delays;
use crate::floor::FloorMeasure;
use crate::process::machine;
use crate::scenario::{Scenario, Targets};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// From this share of a core on, a thread of the load can't be trusted to have kept up.
const SATURATED: f64 = 0.95;

/// Waiting for the core longer than this share of the time makes delays somebody else's.
const DISTURBED: f64 = 0.05;

/// Cores' worth of other work from which on delays are somebody else's, and costs are raised by cold caches. A quiet machine has 0.02.
const BUSY: f64 = 0.10;

/// Counts at both ends of the sockets may differ by what is still under way.
const DISAGREES: f64 = 0.01;

/// One line of the table, and one object in the file. Times in microseconds, memory in kB of 1,024 bytes or MB of 1,024 kB.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// What was measured.
    pub scenario: &'static str,
    /// With which server.
    pub server: &'static str,
    /// CPU time of the whole server process for each datagram it sent; median of the windows.
    pub us_per_packet: f64,
    /// The same of sealing and sending alone, in runs of the same length; median.
    pub floor_us: f64,
    /// `us_per_packet / floor_us`.
    pub ratio: f64,
    /// Datagrams a second that one core could send, were it to do nothing else.
    pub pps_per_core: f64,
    /// Resident memory that one subscriber adds.
    pub rss_kb_per_subscriber: f64,
    /// Share of RTP packets that didn't arrive, resends included.
    pub loss: f64,
    /// Forwarding delay: from the publisher's send call to the kernel's receipt at the subscriber.
    pub p50_us: Option<u64>,
    /// 99th percentile.
    pub p99_us: Option<u64>,
    /// 99.9th percentile.
    pub p999_us: Option<u64>,
    /// 99th percentile of the floor's own delay: from when a frame was there until sealing and sending it to everybody had come to a datagram
    /// of it. What one core can't get below.
    pub floor_p99_us: Option<u64>,
    /// What makes this row's figures doubtful; empty: nothing known.
    pub note: String,

    /// Datagrams a second that were sent.
    pub packets_per_second: f64,
    /// Share of a core that the server used, in percent. Cost per packet falls with load: compare rows of like load.
    pub cpu_percent: f64,
    /// Share of a core that the load used: of the busiest thread, or of all when they have one core. Near 100 it is what is measured.
    pub load_percent: f64,
    /// Cores' worth of CPU that other processes used: 0.02 on a quiet machine.
    pub other_cores: f64,
    /// Datagrams in one run of the server (UDP segmentation offload).
    pub datagrams_per_run: f64,
    /// Runs in one system call of the server.
    pub runs_per_call: f64,
    /// The same of the floor.
    pub floor_datagrams_per_run: f64,
    /// What media is sealed with, and so the floor too.
    pub cipher: &'static str,
    /// What the publishers' video is encoded with.
    pub codec: &'static str,
    /// Publishers who sent.
    pub publishers: usize,
    /// Packets that receivers asked for again though they had come, as a share of those that came.
    pub resends_asked: f64,
    /// Share of these that came again.
    pub resends_answered: f64,
    /// Transport-wide feedbacks a second that the server got.
    pub feedbacks_per_second: f64,
    /// Share of datagrams that only probed a path.
    pub probes: f64,
    /// The targets, each with its figure.
    pub targets: Vec<Verdict>,
    /// `us_per_packet` of every window, in order.
    pub windows_us: Vec<f64>,
    /// `floor_us` of every window, in order.
    pub floors_us: Vec<f64>,
    /// CPU time by thread of the server, for each datagram; those below a hundredth of a microsecond left out.
    pub threads_us: std::collections::BTreeMap<String, f64>,
    /// CPU time of the server for one participant's joining, in milliseconds: signalling, handshakes, news for the others.
    pub setup_ms_per_peer: f64,
    /// `rss_kb_per_subscriber` before any media: what a connected participant takes.
    pub rss_connected_kb_per_subscriber: f64,
    /// Resident memory of the server before anybody came.
    pub rss_idle_mb: f64,
    /// The machine.
    pub machine: String,
}

/// A target and whether it was reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// What.
    pub what: &'static str,
    /// The figure.
    pub is: f64,
    /// What it has to be: at most, or for `times cheaper` at least.
    pub target: f64,
    /// Whether it is.
    pub met: bool,
}

impl Row {
    pub(super) fn new(scenario: &Scenario, server: &'static str) -> Self {
        Self { scenario: scenario.name, server, machine: machine(), codec: scenario.media.codec.name(), ..Self::default() }
    }

    /// Fills in what the windows and the floor's turns amount to.
    pub(super) fn summarise(&mut self, windows: &[Window], floors: &[FloorMeasure], cores: Cores) {
        self.windows_us = windows.iter().map(Window::us_per_packet).collect();
        self.floors_us = floors.iter().map(|floor| floor.cpu.as_secs_f64() * 1e6 / floor.datagrams.max(1) as f64).collect();
        self.us_per_packet = median(&self.windows_us);
        self.floor_us = median(&self.floors_us);
        self.ratio = self.us_per_packet / self.floor_us.max(f64::MIN_POSITIVE);
        self.pps_per_core = 1e6 / self.us_per_packet.max(f64::MIN_POSITIVE);
        self.cpu_percent = median_of(windows, Window::server_share) * 100.0;
        self.load_percent = median_of(windows, |window| window.client_share(cores.publishers == cores.clients)) * 100.0;
        self.other_cores = median_of(windows, Window::others_share);
        self.packets_per_second = median_of(windows, |window| window.sent as f64 / window.length.as_secs_f64());
        self.datagrams_per_run = median_of(windows, Window::datagrams_per_run);
        self.runs_per_call = median_of(windows, Window::runs_per_call);
        self.floor_datagrams_per_run = median_of(floors, |floor| floor.datagrams as f64 / floor.runs.max(1) as f64);
        let sum = |count: fn(&Window) -> u64| windows.iter().map(count).sum::<u64>();
        let (received, expected) = (sum(|window| window.received), sum(|window| window.expected));
        self.loss = expected.saturating_sub(received) as f64 / expected.max(1) as f64;
        let ratio = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let (asked, answered) = (sum(|window| window.resends.0), sum(|window| window.resends.1));
        (self.resends_asked, self.resends_answered) = (ratio(asked, received), ratio(answered, asked));
        self.probes = ratio(sum(|window| window.probes), sum(|window| window.arrived));
        self.feedbacks_per_second = median_of(windows, |window| window.feedbacks as f64 / window.length.as_secs_f64());
        let mut delays = Delays::default();
        windows.iter().for_each(|window| delays.merge(&window.delays));
        [self.p50_us, self.p99_us, self.p999_us] = [0.5, 0.99, 0.999].map(|share| delays.percentile(share));
        let mut least = Delays::default();
        floors.iter().for_each(|floor| least.merge(&floor.delays));
        self.floor_p99_us = least.percentile(0.99);
        self.sum_threads(windows);
        self.note = notes(windows, floors, cores).join("; ");
    }

    fn sum_threads(&mut self, windows: &[Window]) {
        let sent = windows.iter().map(|window| window.sent).sum::<u64>().max(1) as f64;
        for (name, ran) in windows.iter().flat_map(|window| &window.cpu.threads) {
            *self.threads_us.entry(name.clone()).or_default() += Duration::as_secs_f64(ran) * 1e6 / sent;
        }
        self.threads_us.retain(|_, micros| *micros >= 0.01);
    }

    /// Holds this row against its targets; `other` is the same scenario's row of another server.
    pub fn judge(&mut self, targets: &Targets, other: Option<&Self>) {
        let cheaper = other.map(|other| other.us_per_packet / self.us_per_packet.max(f64::MIN_POSITIVE));
        let at_most = [
            ("× the floor", Some(self.ratio), targets.ratio),
            ("µs a packet", Some(self.us_per_packet), targets.us_per_packet),
            ("µs of delay (p99)", self.p99_us.map(|micros| micros as f64), targets.p99_us.map(|micros| micros as f64)),
            ("kB a subscriber", Some(self.rss_kb_per_subscriber), targets.rss_kb_per_subscriber),
            ("of packets lost", Some(self.loss), targets.loss),
        ];
        let verdict = |what, is: Option<f64>, target: Option<f64>, met: fn(f64, f64) -> bool| {
            let (is, target) = is.zip(target)?;
            Some(Verdict { what, is, target, met: met(is, target) })
        };
        self.targets = at_most.into_iter().filter_map(|(what, is, target)| verdict(what, is, target, |is, target| is <= target)).collect();
        self.targets.extend(verdict(CHEAPER, cheaper, targets.times_cheaper, |is, target| is >= target));
        if !self.targets.is_empty() && self.cpu_percent < targets.least_cpu * 100.0 {
            let least = targets.least_cpu * 100.0;
            self.add_note(&format!("{:.0} % of a core is less than the {least:.0} % that the targets are for", self.cpu_percent));
        }
    }

    /// Which targets this row misses, in words.
    pub fn missed(&self) -> impl Iterator<Item = String> {
        self.targets.iter().filter(|verdict| !verdict.met).map(|verdict| format!("{} with {}: {verdict}", self.scenario, self.server))
    }

    pub(super) fn add_note(&mut self, text: &str) {
        let separator = if self.note.is_empty() { "" } else { "; " };
        self.note += &format!("{separator}{text}");
    }
}

/// The only target that is a least and not a most.
const CHEAPER: &str = "times cheaper a packet than the other server";

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bound = if self.what == CHEAPER { "at least" } else { "at most" };
        let figure = |value: f64| if value == 0.0 || value >= 0.01 { format!("{value:.2}") } else { format!("{value:.1e}") };
        write!(formatter, "{} {} ({bound} {})", figure(self.is), self.what, figure(self.target))
    }
}

/// What could have spoiled the figures.
fn notes(windows: &[Window], floors: &[FloorMeasure], cores: Cores) -> Vec<String> {
    let most = |figure: &dyn Fn(&Window) -> f64| windows.iter().map(figure).fold(0.0, f64::max);
    let sum = |count: fn(&Window) -> u64| windows.iter().map(count).sum::<u64>();
    let one_core = cores.publishers == cores.clients;
    let (client, server) = (most(&|window| window.client_share(one_core)), most(&Window::server_share));
    let others = most(&Window::others_share);
    let (waited, disagreement) = (most(&Window::waited_share), most(&Window::disagreement));
    let (overflows, unsent, nacks) = (sum(|window| window.overflows), sum(|window| window.unsent), sum(|window| window.nacks));
    let floor_unsent: u64 = floors.iter().map(|floor| floor.unsent).sum();
    let mut notes = Vec::new();
    let mut note = |when: bool, text: String| notes.extend(when.then_some(text));
    note(cores.are_shared(), "server and load share the only core".to_owned());
    note(client >= SATURATED, format!("the load's core was saturated ({:.0} %): loss and delay may be the load's", client * 100.0));
    note(server >= SATURATED, format!("the server's core was saturated ({:.0} %)", server * 100.0));
    note(
        waited >= DISTURBED,
        format!("the server's threads waited for its core, for others or for each other, for {:.0} % of a window", waited * 100.0),
    );
    note(
        others >= BUSY,
        format!("the machine was busy: other processes used {others:.1} cores, so delays say little and costs are too high"),
    );
    note(disagreement >= DISAGREES, format!("datagrams sent and received differ by {:.1} %", disagreement * 100.0));
    note(overflows > 0, format!("{overflows} datagrams dropped at full receive buffers"));
    note(unsent > 0, format!("{unsent} datagrams refused by the kernel at the server"));
    note(floor_unsent > 0, format!("{floor_unsent} datagrams refused by the kernel at the floor"));
    note(nacks > 0, format!("{nacks} packets were asked of publishers again: lost on their way to the server"));
    notes
}

fn median_of<T>(items: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    median(&items.iter().map(figure).collect::<Vec<_>>())
}

/// The middle one; the mean of the middle two. Zero of nothing.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => at(count / 2),
        count => f64::midpoint(at(count / 2 - 1), at(count / 2)),
    }
}

/// Writes rows as a JSON array.
///
/// # Errors
/// The file can't be written.
pub fn write_rows(rows: &[Row], file: &Path) -> Result<(), LoadError> {
    let writing = || format!("writing {}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(LoadError::system(writing()))?;
    }
    let json = serde_json::to_string_pretty(rows).map_err(|error| LoadError::refused(writing(), error))?;
    std::fs::write(file, json + "\n").map_err(LoadError::system(writing()))
}

#[cfg(test)]
mod tests;
