//! One room on three linked edges: all join over some seconds, then somebody speaks to them. What joining cost each edge, what crossed each link, and
//! whether everybody heard every packet.
//!
//! Who is in a room is told of everybody in it, so joining costs what the square of its size costs; `room` smaller than `joins` shows the same people in
//! many rooms beside it.

use crate::client::{Crew, Peer, Place, Play, Wish};
use crate::cpu::Cores;
use crate::process::{CpuTime, cpu_time, resident_kb};
use crate::progress::Progress;
use crate::replay::Replay;
use crate::rush::{self, Outcome, gather, room_of};
use crate::server::{NearcastEdge, Server, start_linked, target_folder};
use crate::trace::{Kind, Selection, Trace};
use crate::{LoadError, media::Codec};
use serde_json::Value;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Until every edge knows of everybody, or the last packet has come.
const PATIENCE: Duration = Duration::from_secs(60);

/// After so long without a packet none comes any more.
const SILENCE: Duration = Duration::from_secs(3);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

const VOICE: Selection = Selection { file: "chromium-vp8-simulcast-720p.csv", codec: Codec::Vp8, video: &[], audio: true };

/// What is to be played.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Who joins, beside the speaker, who is in the first room.
    pub people: rush::Plan,
    /// How long is spoken.
    pub speech: Duration,
    /// Frames of 20 ms in a packet.
    pub frames: usize,
}

/// One edge's share.
#[derive(Debug)]
pub struct EdgeReport {
    /// Participants whose transports it carries.
    pub participants: u64,
    /// Participants of other edges that it knows.
    pub elsewhere: u64,
    /// CPU time while all joined.
    pub joining: CpuTime,
    /// CPU time during the speech.
    pub speaking: CpuTime,
    /// Resident at the end.
    pub resident_kb: u64,
    /// Control written to all links while all joined: messages, and bytes of everything.
    pub control: (u64, u64),
    /// Media sent over all its links during the speech.
    pub crossed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// What was played.
    pub plan: Plan,
    /// How the joining went.
    pub joins: Outcome,
    /// Edge by edge; the speaker is at the first.
    pub edges: Vec<EdgeReport>,
    /// Packets that the speaker sent.
    pub published: u64,
    /// Those who were to hear them.
    pub listeners: u64,
    /// Packets that arrived, each once.
    pub heard: u64,
    /// Delays between the speaker's sending and a listener's kernel, microseconds: half of them, 99 of a hundred.
    pub delays_us: (u64, u64),
}

impl Report {
    /// Of the packets that should have been heard.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.heard as f64 / (self.published * self.listeners).max(1) as f64
    }
}

/// What an edge counted by some moment.
struct Books {
    cpu: CpuTime,
    control: u64,
    bytes: u64,
    media: u64,
}

fn books(edge: &NearcastEdge) -> Result<Books, LoadError> {
    let stats = edge.stats()?;
    let count = |path: &str| count(&stats, path);
    Ok(Books {
        cpu: cpu_time(edge.pid())?,
        control: count("/relay/control_sent")?,
        bytes: count("/relay/bytes_sent")?,
        media: count("/relay/sent")?,
    })
}

fn count(stats: &Value, path: &str) -> Result<u64, LoadError> {
    let found = stats.pointer(path).and_then(Value::as_u64);
    found.ok_or_else(|| LoadError::refused("reading the edge's counters", format!("{path} is missing")))
}

/// Starts the edges, plays, and stops them.
///
/// # Errors
/// There is no edge, it refuses, or its people don't come up.
pub fn run(binary: &Path, plan: Plan, progress: Progress) -> Result<Report, LoadError> {
    let folder = target_folder().join("bench");
    std::fs::create_dir_all(&folder).map_err(LoadError::system(format!("making {}", folder.display())))?;
    let cores = Cores::choose()?;
    let logs = ["edge-big-1.log", "edge-big-2.log", "edge-big-3.log"];
    let edges = start_linked(binary, Some(cores.server), &folder.join("big-room"), logs, &[])?;
    progress.say("three edges are linked");
    let doors: Vec<SocketAddr> = edges.iter().map(NearcastEdge::http).collect();

    let voice = Trace::load(&VOICE)?.with_frames(plan.frames);
    let published = packets_of(&voice, plan.speech);
    let [home, ..] = &edges;
    let mut speaker = speaker(home, voice, cores.publishers)?;
    let before = edges.iter().map(books).collect::<Result<Vec<_>, _>>()?;
    let (crew, joins) = gather(&doors, plan.people, vec![Kind::Audio], progress)?;
    until_everybody_is_known(&edges, &plan, joins.joined as u64)?;
    let joined = edges.iter().map(books).collect::<Result<Vec<_>, _>>()?;

    progress.say("everybody knows everybody; somebody speaks");
    let listeners = (plan.people.room.min(plan.people.joins) as u64).min(joins.joined as u64);
    let heard_before = crew.count()?;
    speaker.play(Play { length: plan.speech, publishers: 1 });
    speaker.wait_until("the speech", plan.speech + PATIENCE, |status| status.played == 1)?;
    let heard = until_all_is_heard(&crew, heard_before, published * listeners)?;
    let spoken = edges.iter().map(books).collect::<Result<Vec<_>, _>>()?;
    let delays = crew.measure()?.delays;

    let mut reports = Vec::new();
    for (edge, ((before, joined), spoken)) in edges.iter().zip(before.iter().zip(&joined).zip(&spoken)) {
        let stats = edge.stats()?;
        reports.push(EdgeReport {
            participants: count(&stats, "/total/core/participants")?,
            elsewhere: count(&stats, "/total/core/participants_elsewhere")?,
            joining: joined.cpu.since(&before.cpu),
            speaking: spoken.cpu.since(&joined.cpu),
            resident_kb: resident_kb(edge.pid())?,
            control: (joined.control - before.control, joined.bytes - before.bytes),
            crossed: spoken.media - joined.media,
        });
    }
    let percentile = |share| delays.percentile(share).unwrap_or_default();
    Ok(Report { plan, joins, edges: reports, published, listeners, heard, delays_us: (percentile(0.5), percentile(0.99)) })
}

/// Packets that a recording has in so much time.
fn packets_of(trace: &Trace, length: Duration) -> u64 {
    let (mut replay, begun) = (Replay::new(trace), Instant::now());
    replay.play(begun, length);
    std::iter::from_fn(|| replay.take_due(begun + length)).count() as u64
}

/// Somebody with a voice, connected.
fn speaker(edge: &NearcastEdge, voice: Trace, core: usize) -> Result<Crew, LoadError> {
    let wish = Wish { publish: Some(voice), place: None, receive: 0, kinds: Vec::new(), best_first: false };
    let (mut peer, offer) = Peer::new(wish, Place { address: IpAddr::V4(Ipv4Addr::LOCALHOST), runs: false })?;
    let first = rush::Plan { joins: 1, room: 1, within: Duration::ZERO };
    let admitted = edge.admit(&room_of(0, &first), "speaker", &offer)?;
    peer.accept(&admitted.answer, admitted.signalling)?;
    let mut crew = Crew::start("speaker", core)?;
    crew.add(peer);
    crew.wait_until("the speaker's transport", PATIENCE, |status| status.connected == 1)?;
    Ok(crew)
}

/// Where all are in one room every edge knows all of them; else there is nothing to wait for.
fn until_everybody_is_known(edges: &[NearcastEdge], plan: &Plan, joined: u64) -> Result<(), LoadError> {
    let deadline = Instant::now() + PATIENCE;
    for edge in edges.iter().filter(|_| plan.people.room >= plan.people.joins) {
        loop {
            let stats = edge.stats()?;
            let known = count(&stats, "/total/core/participants")? + count(&stats, "/total/core/participants_elsewhere")?;
            if known > joined {
                break;
            }
            if Instant::now() >= deadline {
                return Err(LoadError::Late { what: format!("that an edge knows more than {known} of {}", joined + 1), after: PATIENCE });
            }
            sleep(LOOK);
        }
    }
    Ok(())
}

/// Until as many have come as should, or none comes any more. What came.
fn until_all_is_heard(crew: &Crew, before: u64, expected: u64) -> Result<u64, LoadError> {
    let (mut last, mut since) = (crew.count()?, Instant::now());
    while last - before < expected && since.elapsed() < SILENCE {
        sleep(LOOK);
        let now = crew.count()?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(last - before)
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self { plan, joins, published, listeners, heard, delays_us: (p50, p99), .. } = self;
        let rush::Plan { joins: asked, room, within } = plan.people;
        writeln!(out, "{asked} join within {} s, {room} to a room, on three edges on one core", within.as_secs_f32())?;
        writeln!(
            out,
            "{} joined, {} told to come later, {} failed{}; answered after {} ms (median), {} at most; all connected {} ms after the first came",
            joins.joined,
            joins.later,
            joins.failed,
            joins.failure.as_ref().map_or(String::new(), |why| format!(" ({why})")),
            joins.answered_p50_ms,
            joins.answered_max_ms,
            joins.all_connected_ms,
        )?;
        writeln!(
            out,
            "{published} packets spoken in {} s to {listeners}: {heard} heard, {:.3} % of all; {p50} µs on the way (median), {p99} (99th percentile)",
            plan.speech.as_secs_f32(),
            self.share() * 100.0,
        )?;
        writeln!(
            out,
            "| edge | here | elsewhere | CPU joining | control sent | CPU speaking | crossed from it | resident |\n|---|---|---|---|---|---|---|---|"
        )?;
        for (number, edge) in self.edges.iter().enumerate() {
            let (messages, bytes) = edge.control;
            writeln!(
                out,
                "| {} | {} | {} | {:.2} s | {messages} in {} kB | {:.2} s | {} | {} MB |",
                number + 1,
                edge.participants,
                edge.elsewhere,
                edge.joining.ran.as_secs_f32(),
                bytes / 1_000,
                edge.speaking.ran.as_secs_f32(),
                edge.crossed,
                edge.resident_kb / 1_024,
            )?;
        }
        Ok(())
    }
}
