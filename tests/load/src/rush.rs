//! Very many participants join running edges at once, each with a transport of its own: who gets in, how soon, and what the others are told.
//!
//! Tokens and offers are made before the clock starts, but for those who come later than an engine waits. Each then joins at its time, whether or not those before it have been answered: so many
//! wait at once as the edges let wait.

use crate::LoadError;
use crate::client::{Crew, Offer, Peer, Place, Wish};
use crate::cpu::Cores;
use crate::progress::Progress;
use crate::server::{Admitted, Door};
use crate::trace::Kind;
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Participants of a room, where nothing else is said.
pub const ROOM: usize = 10;

/// Threads that join; each waits for its answer. As many as may wait at once, on a system that gives a small stack to each.
const AT_ONCE: usize = 250;

/// Who comes later than this is made a moment before: an engine that isn't connected gives up after 40 s.
const MADE_BEFORE: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_secs(1);

/// For the last transport to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who joins, and how soon.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many.
    pub joins: usize,
    /// So many of them to a room.
    pub room: usize,
    /// Evenly over this.
    pub within: Duration,
}

/// What became of them.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Who asked.
    pub asked: usize,
    /// Who got in, with a transport.
    pub joined: usize,
    /// Who was told to come again later, and when.
    pub later: usize,
    /// Who got neither: the edge refused for good, or didn't answer.
    pub failed: usize,
    /// What the first of those were told.
    pub failure: Option<String>,
    /// Until the answer, in milliseconds: the middle and the slowest.
    pub answered_p50_ms: u64,
    /// See `answered_p50_ms`.
    pub answered_max_ms: u64,
    /// From the first join to the last transport.
    pub all_connected_ms: u64,
}

/// The room of somebody who joins.
#[must_use]
pub fn room_of(number: usize, plan: &Plan) -> String {
    format!("rush-{}", number / plan.room.max(1))
}

/// Lets participants join the edges in turn, and leave when all are there.
///
/// # Errors
/// No tokens, no sockets, or transports that don't come up.
pub fn run(edges: &[SocketAddr], plan: Plan, progress: Progress) -> Result<Outcome, LoadError> {
    gather(edges, plan, vec![Kind::Audio, Kind::Video], progress).map(|(_, outcome)| outcome)
}

/// Lets participants join the edges in turn, each with a receiving section of each of `kinds`, and stay for as long as the crew does.
///
/// # Errors
/// No tokens, no sockets, or transports that don't come up.
pub fn gather(edges: &[SocketAddr], plan: Plan, kinds: Vec<Kind>, progress: Progress) -> Result<(Crew, Outcome), LoadError> {
    let Plan { joins, within, .. } = plan;
    let step = within / u32::try_from(joins.max(1)).unwrap_or(u32::MAX);
    let wish = Wish { publish: None, place: None, receive: 1, kinds, best_first: false };
    let mut people = Vec::new();
    for (number, edge) in (0..joins).zip(edges.iter().cycle()) {
        let (door, after) = (Door(*edge), step * u32::try_from(number).unwrap_or(u32::MAX));
        let made = if after < MADE_BEFORE { Some(make(&wish)?) } else { None };
        people.push((after, door, door.token(&room_of(number, &plan), &format!("rusher-{number}"))?, made));
    }
    progress.say(&format!("{joins} are at the door"));
    let mut crew = Crew::start("rushers", Cores::choose()?.clients)?;
    let began = Instant::now();
    let (tell, told) = mpsc::channel();
    let mut lanes: Vec<Vec<_>> = (0..AT_ONCE.min(joins)).map(|_| Vec::new()).collect();
    for (lane, (after, door, token, made)) in (0..lanes.len()).cycle().zip(people) {
        if let Some(lane) = lanes.get_mut(lane) {
            lane.push((began + after, door, token, made));
        }
    }
    for lane in lanes {
        let (tell, wish) = (tell.clone(), wish.clone());
        thread::spawn(move || {
            for (due, door, token, made) in lane {
                let made = made.map_or_else(
                    || {
                        sleep_until(due.checked_sub(MOMENT).unwrap_or(due));
                        make(&wish)
                    },
                    Ok,
                );
                sleep_until(due);
                // Who listens has given up: then nobody joins any more.
                if tell.send(knock(door, token, made)).is_err() {
                    return;
                }
            }
        });
    }
    drop(tell);
    let (mut outcome, mut waits) = (Outcome { asked: joins, ..Outcome::default() }, Vec::new());
    for (took, answer) in told {
        waits.push(took);
        match answer {
            Ok((mut peer, admitted)) => {
                peer.accept(&admitted.answer, admitted.signalling)?;
                crew.add(peer);
                outcome.joined += 1;
            }
            Err(LoadError::Later { .. }) => outcome.later += 1,
            Err(error) => {
                outcome.failed += 1;
                outcome.failure.get_or_insert_with(|| error.to_string());
            }
        }
    }
    waits.sort_unstable();
    let ms = |wait: Option<&Duration>| wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    (outcome.answered_p50_ms, outcome.answered_max_ms) = (ms(waits.get(waits.len() / 2)), ms(waits.last()));
    progress.say(&format!("{} got in, {} are to come later, {} failed", outcome.joined, outcome.later, outcome.failed));
    let joined = outcome.joined;
    crew.wait_until("everybody's transport", PATIENCE, |status| status.connected >= joined)?;
    outcome.all_connected_ms = ms(Some(&began.elapsed()));
    Ok((crew, outcome))
}

/// How long the answer took, and what it was.
type Answer = (Duration, Result<(Peer, Admitted), LoadError>);

fn knock(door: Door, token: String, made: Result<(Peer, Offer), LoadError>) -> Answer {
    let asked = Instant::now();
    let admitted = made.and_then(|(peer, offer)| Ok((peer, door.enter(token, &offer)?)));
    (asked.elapsed(), admitted)
}

fn make(wish: &Wish) -> Result<(Peer, Offer), LoadError> {
    Peer::new(wish.clone(), Place { address: IpAddr::V4(Ipv4Addr::LOCALHOST), runs: false })
}

fn sleep_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}
