//! Joins and leaves, over and over, against a real edge over real sockets: nothing of a participant may stay behind.
//!
//! Participants come in groups to a room of their own: two publish, the others receive, and all go as soon as everybody has media, each
//! in another of the four ways a participant can go ([`Parting`]). Every fifth of the way the edge is left alone until all its tables
//! are empty, and its memory is read. [`soak`] draws all that from a seed, for as long as one likes, and whatever [`Trouble`] it is given.

mod report;
mod trouble;

pub use report::{Report, Sample};
pub use trouble::{Happened, Trouble};

use crate::client::{Crew, Parting, Peer, PeerNumber, Place, Play, Wish};
use crate::cpu::Cores;
use crate::progress::Progress;
use crate::scenario;
use crate::server::{NearcastEdge, Server, target_folder};
use crate::trace::{Kind, Trace};
use crate::{LoadError, process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Participants of one group.
const GROUP: usize = 10;

/// Of these, so many publish.
const PUBLISHERS: usize = 2;

/// What each publisher sends: four frames, the first a key frame.
const PLAY: Duration = Duration::from_millis(150);

/// Memory is read so many times.
const SAMPLES: usize = 5;

/// For handshakes and first media of a group.
const PATIENCE: Duration = Duration::from_secs(30);

/// For the last table entry to go: the timeouts below, and a busy machine.
const EMPTY: Duration = Duration::from_secs(30);

/// Between two looks at the tables.
const LOOK: Duration = Duration::from_millis(50);

/// A participant that vanished is noticed by its WebSocket (2 s without a pong) and given up when it doesn't resume (1 s). Much
/// shorter than the defaults, and long enough that living ones on a busy machine are not taken for dead.
const FLAGS: &[&str] = &["--ping-interval", "300ms", "--idle-timeout", "2s", "--resume-window", "1s"];

/// The same for hours on a machine that does other things too: whoever waits for a processor for two seconds isn't dead.
const PATIENT_FLAGS: &[&str] = &["--ping-interval", "1s", "--idle-timeout", "15s", "--resume-window", "1s"];

/// Two, so that addresses have to be forgotten by the shard next door too.
const SHARDS: u8 = 2;

/// Everything that counts something that is there now, in `GET /v1/stats`. All are zero when nobody is.
const TABLES: &[&str] = &[
    "/total/core/rooms",
    "/total/core/participants",
    "/total/core/publications",
    "/total/core/publication_ids",
    "/total/core/subscriptions",
    "/total/core/sessions",
    "/total/core/connections",
    "/total/core/transports",
    "/total/core/transports_over_tcp",
    "/total/core/transports_over_turn",
    "/total/core/tuples",
    "/total/core/tuples_over_tcp",
    "/total/core/ufrags",
    "/total/thread/connections",
    "/total/thread/foreign_tuples",
    "/total/tcp/tcp_connections",
    "/signalling/open",
];

/// The ways to go, in turn.
const PARTINGS: [Parting; 4] = [Parting::Leave, Parting::Close, Parting::Crash, Parting::Vanish];

/// Lets at least `cycles` participants come and go.
///
/// # Errors
/// A table isn't empty in the end, memory grew by more than the report's bound, or somebody couldn't join or got no media.
pub fn run(binary: &Path, cycles: usize, progress: Progress) -> Result<Report, LoadError> {
    let log = target_folder().join("bench/churn-edge.log");
    let edge = NearcastEdge::start(binary, SHARDS, None, log, FLAGS)?;
    let trace = scenario::ALL
        .first()
        .map_or_else(|| Err(LoadError::refused("choosing media", "there is no scenario")), |first| Trace::load(&first.media))?;
    let mut churn = Churn::new(edge, trace)?;
    let groups = cycles.div_ceil(GROUP).max(SAMPLES);
    let mut report = Report::begin(process::resident_kb(churn.edge.pid())?);
    for sample in 1..=SAMPLES {
        while churn.groups < groups * sample / SAMPLES {
            churn
                .group(&Group::even(churn.groups), None)
                .inspect_err(|_| progress.say(&format!("what the edge counted: {}", churn.counts())))?;
        }
        churn.sample(&mut report, &progress)?;
    }
    churn.check_counts()?;
    report.check()?;
    Ok(report)
}

/// Lets participants come and go for `length`, as the seed draws it: how many, who publishes, how long they stay, how each goes, what
/// strangers send meanwhile, and what of `trouble` happens. Memory is read every minute, when everybody has gone and all tables are empty.
///
/// # Errors
/// As [`run`].
pub fn soak(binary: &Path, length: Duration, seed: u64, trouble: &mut dyn Trouble, progress: Progress) -> Result<Report, LoadError> {
    let log = target_folder().join("bench/churn-edge.log");
    let edge = NearcastEdge::start(binary, SHARDS, None, log, PATIENT_FLAGS)?;
    let first = scenario::ALL.first().ok_or_else(|| LoadError::refused("choosing media", "there is no scenario"))?;
    let trace = Trace::load(&first.media)?;
    let mut churn = Churn::new(edge, trace)?;
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut report = Report::begin(process::resident_kb(churn.edge.pid())?);
    let (began, every) = (Instant::now(), (length / 4).min(Duration::from_secs(60)));
    while began.elapsed() < length {
        let due = Instant::now() + every;
        while Instant::now() < due {
            let group = Group::drawn(&mut dice);
            churn
                .group(&group, Some(&mut *trouble))
                .inspect_err(|_| progress.say(&format!("seed {seed}, {group:?}; the edge counted: {}", churn.counts())))?;
        }
        churn.sample(&mut report, &progress)?;
    }
    churn.check_counts()?;
    report.troubles = churn.troubles;
    report.check()?;
    Ok(report)
}

/// The same numbers for the same seed (xorshift64*; Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most.max(1)
    }
}

/// Who comes together.
#[derive(Clone, Debug)]
struct Group {
    members: usize,
    publishers: usize,
    /// Beyond the first media.
    stay: Duration,
    /// One for each member.
    partings: Vec<Parting>,
    /// Datagrams of strangers meanwhile.
    noise: usize,
    /// What else happens meanwhile.
    troubles: Vec<u64>,
}

impl Group {
    /// Every group begins with another way to go, so that publishers and subscribers go in each.
    fn even(number: usize) -> Self {
        let partings = PARTINGS.iter().copied().cycle().skip(number % PARTINGS.len()).take(GROUP).collect();
        Self { members: GROUP, publishers: PUBLISHERS, stay: Duration::ZERO, partings, noise: 0, troubles: Vec::new() }
    }

    fn drawn(dice: &mut Dice) -> Self {
        let publishers = 1 + dice.below(3);
        let members = publishers + 1 + dice.below(GROUP);
        let partings = (0..members).map(|_| PARTINGS.get(dice.below(PARTINGS.len())).copied().unwrap_or(Parting::Vanish)).collect();
        let (stay, noise) = (Duration::from_millis(dice.below(300) as u64), dice.below(500));
        Self { members, publishers, stay, partings, noise, troubles: (0..dice.below(3)).map(|_| dice.below(1 << 30) as u64).collect() }
    }
}

struct Churn {
    // Peers end before their edge.
    crew: Crew,
    edge: NearcastEdge,
    trace: Trace,
    groups: usize,
    /// Participants so far.
    joined: usize,
    /// Handshakes that were meant to fail.
    spoilt: usize,
    /// What happened so far: how often, and how much was thrown.
    troubles: BTreeMap<&'static str, (u64, u64)>,
}

impl Churn {
    fn new(edge: NearcastEdge, trace: Trace) -> Result<Self, LoadError> {
        let crew = Crew::start("churners", Cores::choose()?.clients)?;
        Ok(Self { crew, edge, trace, groups: 0, joined: 0, spoilt: 0, troubles: BTreeMap::new() })
    }

    /// One group comes, sees and goes.
    fn group(&mut self, group: &Group, trouble: Option<&mut dyn Trouble>) -> Result<(), LoadError> {
        let (before, room) = (self.crew.status(), format!("churn-{}", self.groups));
        let mut members = Vec::new();
        for number in 0..group.members {
            let publishes = number < group.publishers;
            let others = if publishes { group.publishers - 1 } else { group.publishers };
            let kinds = vec![Kind::Audio, Kind::Video];
            let wish = Wish { publish: publishes.then(|| self.trace.clone()), place: None, receive: others, kinds, best_first: false };
            members.push(self.join(&room, &format!("member-{number}"), wish)?);
        }
        self.joined += group.members;
        self.crew.wait_until("a group's connections", PATIENCE, |status| status.connected >= before.connected + group.members)?;
        self.make_noise(group.noise);
        self.crew.play(Play { length: PLAY, publishers: usize::MAX });
        if let Some(trouble) = trouble {
            for draw in &group.troubles {
                let happened = trouble.happen(&self.edge, &room, *draw)?;
                self.joined += happened.participants;
                self.spoilt += happened.handshakes_spoilt;
                let (times, thrown) = self.troubles.entry(happened.what).or_default();
                (*times, *thrown) = (*times + 1, *thrown + happened.thrown);
            }
        }
        // Who publishes alone receives nothing.
        let receivers = if group.publishers > 1 { group.members } else { group.members - 1 };
        self.crew.wait_until("media for a whole group", PATIENCE, |status| {
            status.receiving >= before.receiving + receivers && status.played >= before.played + group.publishers
        })?;
        std::thread::sleep(group.stay);
        for (member, parting) in members.into_iter().zip(&group.partings) {
            self.crew.part(member, *parting);
        }
        self.groups += 1;
        Ok(())
    }

    /// Strangers knock: what looks like STUN, DTLS and media, from an address that nobody knows.
    fn make_noise(&self, datagrams: usize) {
        let Ok(socket) = std::net::UdpSocket::bind("127.0.0.1:0") else { return };
        for number in 0..datagrams {
            let first = [0, 1, 22, 128, 200].get(number % 5).copied().unwrap_or_default();
            let mut datagram = vec![number as u8; 20 + number % 80];
            if let Some(place) = datagram.first_mut() {
                *place = first;
            }
            // Lost or not, nobody waits for it.
            let _sent = socket.send_to(&datagram, self.edge.udp());
        }
    }

    fn join(&mut self, room: &str, identity: &str, wish: Wish) -> Result<PeerNumber, LoadError> {
        let place = Place { address: self.edge.address(), runs: false };
        let (mut peer, offer) = Peer::new(wish, place)?;
        let admitted = self.edge.admit(room, identity, &offer)?;
        peer.accept(&admitted.answer, admitted.signalling)?;
        Ok(self.crew.add(peer))
    }

    /// Reads the edge's memory when everybody has gone.
    fn sample(&self, report: &mut Report, progress: &Progress) -> Result<(), LoadError> {
        let in_use = self.wait_until_empty()?;
        let resident_kb = process::resident_kb(self.edge.pid())?;
        report.note(self.joined, resident_kb, in_use);
        let (resident, in_use) = (resident_kb as f64 / 1024.0, in_use as f64 / 1024.0);
        progress.say(&format!("{} participants came and went, tables empty, {resident:.1} MB, {in_use:.1} kB of it in use", self.joined));
        Ok(())
    }

    /// Returns the bytes that are in use then.
    fn wait_until_empty(&self) -> Result<u64, LoadError> {
        let deadline = Instant::now() + EMPTY;
        loop {
            let stats = self.edge.stats()?;
            let left = full_tables(&stats)?;
            if left.is_empty() {
                let in_use = stats.pointer("/machine/heap_bytes").and_then(Value::as_u64);
                return in_use
                    .ok_or_else(|| LoadError::refused("reading the edge's memory", "/machine/heap_bytes is missing in /v1/stats"));
            }
            if Instant::now() >= deadline {
                let what = format!("{} s after the last one went, these aren't empty: {}", EMPTY.as_secs(), left.join(", "));
                return Err(LoadError::OutOfBounds(what));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Everything but zeros, to find a fault by.
    fn counts(&self) -> String {
        let stats = self.edge.stats().unwrap_or_default();
        let counts = stats.get("total").into_iter().flat_map(Value::as_object).flatten().filter_map(|(_, part)| part.as_object()).flatten();
        counts.filter(|(_, count)| count.as_u64() != Some(0)).map(|(name, count)| format!("{name}={count} ")).collect()
    }

    /// That everybody was really there.
    fn check_counts(&self) -> Result<(), LoadError> {
        let stats = self.edge.stats()?;
        let count = |name: &str| stats.pointer(&format!("/total/core/{name}")).and_then(Value::as_u64).unwrap_or_default();
        let (expected, failed, panics) = (self.joined as u64, count("dtls_failed"), count("peer_panics"));
        let counts = [count("joins"), count("leaves")];
        if counts != [expected; 2] {
            return Err(LoadError::OutOfBounds(format!("joins, leaves: {counts:?} instead of {expected} each")));
        }
        if failed > self.spoilt as u64 {
            return Err(LoadError::OutOfBounds(format!("{failed} handshakes failed, of which {} were meant to", self.spoilt)));
        }
        let restarts = stats.pointer("/total/thread/restarts").and_then(Value::as_u64).unwrap_or_default();
        if panics + restarts > 0 {
            return Err(LoadError::OutOfBounds(format!("the edge met {panics} faults of its own, and {restarts} of its core")));
        }
        Ok(())
    }
}

/// The tables that hold something, as `name = count`.
fn full_tables(stats: &Value) -> Result<Vec<String>, LoadError> {
    let mut full = Vec::new();
    for table in TABLES {
        let count = stats.pointer(table).and_then(Value::as_u64);
        let count = count.ok_or_else(|| LoadError::refused("reading the edge's tables", format!("{table} is missing in /v1/stats")))?;
        if count > 0 {
            full.push(format!("{table} = {count}"));
        }
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Statistics with every table of size zero.
    fn empty() -> Value {
        let mut stats = json!({ "total": { "core": {}, "thread": {}, "tcp": {} }, "signalling": {} });
        for table in TABLES {
            let (parent, name) = table.rsplit_once('/').unwrap();
            stats.pointer_mut(parent).unwrap()[name] = json!(0);
        }
        stats
    }

    #[test]
    fn a_table_that_holds_something_is_named() {
        let mut stats = empty();
        assert!(full_tables(&stats).unwrap().is_empty());
        stats["total"]["core"]["tuples"] = json!(2);
        assert_eq!(full_tables(&stats).unwrap(), ["/total/core/tuples = 2"]);
    }

    #[test]
    fn a_table_that_is_gone_is_not_taken_for_empty() {
        let mut stats = empty();
        stats["signalling"] = json!({});
        assert!(full_tables(&stats).unwrap_err().to_string().contains("/signalling/open is missing"));
    }
}
