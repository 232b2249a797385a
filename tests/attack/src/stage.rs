//! An edge, a call in it that is measured, and what each case is judged by.

use crate::report::Row;
use crate::wire::Thrown;
use nearcast_load::LoadError;
use nearcast_load::client::{Crew, Measure, Peer, Place, Play, Wish};
use nearcast_load::cpu::Cores;
use nearcast_load::process::{cpu_time, resident_kb};
use nearcast_load::scenario;
use nearcast_load::server::{NearcastEdge, Server, target_folder};
use nearcast_load::trace::{Kind, Trace};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// A key of the tests' own, beside the development one, to sign tokens that nobody should accept.
pub const KEY_ID: &str = "attack";
/// Its secret.
pub const KEY_SECRET: &str = "a-secret-of-the-attack-tests-0123456789";

/// The room of the call.
pub const ROOM: &str = "call";

/// Viewers of the call.
const VIEWERS: usize = 2;

/// For handshakes and first media, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Packets that are under way when a case ends arrive within this.
const SETTLE: Duration = Duration::from_millis(300);

/// The longest gap that a case may cause. Not what anybody should notice, but what a machine with two busy cores does by itself now and
/// then: the row of the quiet call shows how much that is.
const LONGEST_GAP: Duration = Duration::from_millis(1_000);

/// What a case may add to the edge's memory for good, in kB: a few participants that it brought along, and caches that fill.
const MOST_MEMORY: i64 = 8 * 1_024;

/// An edge and a call.
pub struct Stage {
    // Peers end before their edge.
    publisher: Crew,
    viewers: Crew,
    /// The edge.
    pub edge: NearcastEdge,
    /// How long each case throws.
    pub length: Duration,
    /// CPU share of the undisturbed call.
    quiet: f64,
}

/// What a case says of itself.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What it threw.
    pub thrown: Thrown,
    /// What it found, for the table.
    pub note: String,
    /// What was wrong.
    pub faults: Vec<String>,
    /// It fills the edge's socket on purpose: of the call's packets this share may be lost (P3: 5 %).
    pub loss_allowed: f64,
    /// What it may add to the edge's memory beyond what any case may, in kB: it brings many participants, and malloc keeps what they had.
    pub memory_allowed: i64,
}

impl Verdict {
    /// Of what was thrown.
    #[must_use]
    pub fn of(thrown: Thrown) -> Self {
        Self { thrown, ..Self::default() }
    }

    /// Notes a fault if something isn't so.
    pub fn hold(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.faults.push(otherwise.into());
        }
    }
}

impl Stage {
    /// Starts `binary` and the call.
    ///
    /// # Errors
    /// The edge or the call doesn't come up.
    pub fn start(binary: &Path, length: Duration) -> Result<Self, LoadError> {
        let log = target_folder().join("attack/edge.log");
        // One media thread: all that is thrown meets the call's.
        let flags = ["--key", &format!("{KEY_ID}:{KEY_SECRET}"), "--idle-timeout", "5s", "--ping-interval", "1s", "--resume-window", "1s"];
        let edge = NearcastEdge::start(binary, 1, None, log, &flags)?;
        let cores = Cores::choose()?;
        let first = scenario::ALL.first().ok_or_else(|| LoadError::refused("choosing media", "there is no scenario"))?;
        let trace = Trace::load(&first.media)?;
        let (mut publisher, mut viewers) = (Crew::start("publisher", cores.publishers)?, Crew::start("viewers", cores.clients)?);
        let kinds = vec![Kind::Audio, Kind::Video];
        let join = |crew: &mut Crew, name: &str, publish: Option<Trace>, receive| {
            let wish = Wish { publish, place: None, receive, kinds: kinds.clone(), best_first: false };
            let (mut peer, offer) = Peer::new(wish, Place { address: edge.address(), runs: false })?;
            let admitted = edge.admit(ROOM, name, &offer)?;
            peer.accept(&admitted.answer, admitted.signalling)?;
            crew.add(peer);
            Ok::<(), LoadError>(())
        };
        join(&mut publisher, "publisher", Some(trace), 0)?;
        publisher.wait_until("the publisher's connection", PATIENCE, |status| status.connected == 1)?;
        for number in 0..VIEWERS {
            join(&mut viewers, &format!("viewer-{number}"), None, 1)?;
        }
        viewers.wait_until("the viewers' connections", PATIENCE, |status| status.connected == VIEWERS)?;
        publisher.play(Play { length: Duration::from_secs(3_600), publishers: 1 });
        viewers.wait_until("the call's media", PATIENCE, |status| status.receiving == VIEWERS)?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self { publisher, viewers, edge, length, quiet: 0.0 })
    }

    /// What the edge counts: a path such as `total/core/dropped_stun`.
    ///
    /// # Errors
    /// It doesn't answer, or counts no such thing.
    pub fn count(&self, path: &str) -> Result<u64, LoadError> {
        let stats = self.edge.stats()?;
        let found = stats.pointer(&format!("/{path}")).and_then(Value::as_u64);
        found.ok_or_else(|| LoadError::refused("reading the edge's counters", format!("{path} is missing")))
    }

    /// Key frames the call's publisher was asked for so far.
    ///
    /// # Errors
    /// The publisher's thread has ended.
    pub fn keyframes_asked(&self) -> Result<u64, LoadError> {
        Ok(self.publisher.measure()?.keyframes_asked)
    }

    /// Lets the call go on for a while, alone, so that there is something to compare with.
    ///
    /// # Errors
    /// The edge or the call has ended.
    pub fn rest(&mut self) -> Result<Row, LoadError> {
        let length = self.length;
        let row = self.play("P0", "nothing: the call alone", |_| {
            std::thread::sleep(length);
            Ok(Verdict::default())
        })?;
        self.quiet = row.cpu;
        Ok(row)
    }

    /// Plays one case and judges it.
    ///
    /// # Errors
    /// The edge or the call has ended.
    pub fn play(
        &mut self,
        id: &'static str,
        what: &'static str,
        case: impl FnOnce(&mut Self) -> Result<Verdict, LoadError>,
    ) -> Result<Row, LoadError> {
        let pid = self.edge.pid();
        let (before, cpu, memory, began) = (self.viewers.measure()?, cpu_time(pid)?, resident_kb(pid)?, Instant::now());
        let refused = self.count("total/core/egress_refused")?;
        let restarts = self.count("total/thread/restarts")?;
        let mut verdict = case(self)?;
        let took = began.elapsed();
        let used = cpu_time(pid)?.since(&cpu).ran;
        std::thread::sleep(SETTLE);
        let after = self.viewers.measure()?;
        let rss_kb = resident_kb(pid)? as i64 - memory as i64;
        self.judge(&mut verdict, &before, &after, took)?;
        verdict.hold(rss_kb <= MOST_MEMORY + verdict.memory_allowed, format!("memory grew by {rss_kb} kB"));
        verdict.hold(self.count("total/core/egress_refused")? == refused, "the egress guard had to stop something");
        verdict.hold(self.count("total/thread/restarts")? == restarts, "the media core panicked");
        let cpu = used.as_secs_f64() / took.as_secs_f64();
        let own = (used.as_secs_f64() - self.quiet * took.as_secs_f64()).max(0.0);
        let lost = lost(&before, &after);
        Ok(Row {
            id,
            what,
            thrown: verdict.thrown.count,
            per_second: (verdict.thrown.count as f64 / took.as_secs_f64()) as u64,
            bytes: verdict.thrown.bytes,
            lost,
            arrived: after.received - before.received,
            longest_gap_ms: after.longest_gap.as_millis() as u64,
            disordered: after.disordered - before.disordered,
            cpu,
            us_each: if verdict.thrown.count > 0 { own * 1e6 / verdict.thrown.count as f64 } else { 0.0 },
            rss_kb,
            note: verdict.note,
            ok: verdict.faults.is_empty(),
            faults: verdict.faults,
        })
    }

    fn judge(&self, verdict: &mut Verdict, before: &Measure, after: &Measure, took: Duration) -> Result<(), LoadError> {
        let (lost, arrived) = (lost(before, after), after.received - before.received);
        let allowed = (verdict.loss_allowed * (lost + arrived) as f64) as u64;
        verdict.hold(lost <= allowed, format!("the call lost {lost} packets of {}", lost + arrived));
        // 100 packets a second of the 247 that each viewer gets: the call lives, however slow the machine.
        verdict.hold(arrived as f64 > took.as_secs_f64() * 100.0 * VIEWERS as f64, format!("only {arrived} packets in {took:?}"));
        verdict.hold(after.longest_gap <= LONGEST_GAP, format!("nothing came for {:?}", after.longest_gap));
        verdict.hold(after.disordered == before.disordered, "packets came behind later ones");
        Ok(())
    }
}

fn lost(before: &Measure, after: &Measure) -> u64 {
    (after.expected - before.expected).saturating_sub(after.received - before.received)
}
