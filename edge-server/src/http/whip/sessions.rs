//! The sessions that there are: found by the last part of their URL, counted by identity, and begun at a bounded pace.

use super::Problem;
use super::bearer::Bearer;
use super::offer::Purpose;
use super::session::Session;
use crate::http::signal::pace::{Admit, Pace};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use axum::http::StatusCode;
use nearcast_protocol::ErrorCode;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// WHEP sessions of one identity in one room. Guess: the players of one page that many people look at share a token; whoever needs
/// more mints one for each, which costs nothing.
pub const PLAYERS: usize = 100;

/// Sessions a second that one identity may begin for long, and at once after a pause. Guess: a page that many open at once.
const RATE: (u64, u64) = (5, 20);

/// Identities whose pace is remembered; those that have been quiet are forgotten first.
const MOST_PACES: usize = 10_000;

/// Bits of a session's name that nobody can guess.
const SECRET_BYTES: usize = 16;

/// A name within a room, for one of the two protocols.
type Name = (Purpose, String, String);

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    sessions: HashMap<String, Entry>,
    players: HashMap<Name, usize>,
    paces: HashMap<(String, String), Pace>,
}

#[derive(Debug)]
struct Entry {
    owner: Name,
    /// None while it begins.
    session: Option<Arc<Session>>,
}

impl Sessions {
    /// Takes note of somebody who begins a session.
    ///
    /// # Errors
    /// 429 for one who does so too often.
    pub fn admit(&self, bearer: &Bearer, now: Instant) -> Result<(), Problem> {
        let key = (bearer.claims.room.clone(), bearer.claims.sub.clone());
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.paces.len() >= MOST_PACES && !table.paces.contains_key(&key) {
            table.paces.retain(|_, pace| !pace.is_rested(now));
            if table.paces.len() >= MOST_PACES {
                return Err(too_many(1));
            }
        }
        match table.paces.entry(key).or_insert_with(|| Pace::new(RATE.0, RATE.1, now)).admit(now) {
            Admit::Yes => Ok(()),
            Admit::Later(wait) => Err(too_many(wait.as_secs().max(1))),
            Admit::Never => Err(too_many(10)),
        }
    }

    /// Makes room for a session.
    ///
    /// # Errors
    /// 409 for a player too many.
    pub fn reserve(&self, purpose: Purpose, bearer: &Bearer) -> Result<Place, Problem> {
        let owner = (purpose, bearer.claims.room.clone(), bearer.claims.sub.clone());
        let id = secret().ok_or_else(|| {
            let message = "no session could be named: the system has no randomness";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal, message)
        })?;
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let players = table.players.entry(owner.clone()).or_default();
        if purpose == Purpose::Play && *players >= PLAYERS {
            let message = format!("{PLAYERS} sessions of this identity play already; end one, or mint a token for each player");
            return Err(Problem::new(StatusCode::CONFLICT, ErrorCode::LimitReached, message));
        }
        *players += 1;
        table.sessions.insert(id.clone(), Entry { owner, session: None });
        drop(table);
        let identity = match purpose {
            // A publisher that comes again, perhaps after a crash, takes its own place.
            Purpose::Publish => bearer.claims.sub.clone(),
            // Players that share a token must not throw each other out.
            Purpose::Play => format!("{}/{}", bearer.claims.sub, id.get(..8).unwrap_or_default()),
        };
        Ok(Place { table: Arc::clone(&self.table), id, identity })
    }

    /// Waits until no session is left in these rooms, which other edges have now.
    pub async fn leave(&self, rooms: &[String]) {
        let rooms: HashSet<&str> = rooms.iter().map(String::as_str).collect();
        let left: Vec<Arc<Session>> = {
            let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
            let there = table.sessions.values().filter(|entry| rooms.contains(entry.owner.1.as_str()));
            there.filter_map(|entry| entry.session.clone()).collect()
        };
        for session in left {
            session.over().await;
        }
    }

    /// The session of that name.
    ///
    /// # Errors
    /// 404 when there is none in this room, 403 when it belongs to another identity.
    pub fn find(&self, purpose: Purpose, id: &str, bearer: &Bearer) -> Result<Arc<Session>, Problem> {
        let unknown = || {
            let message = "no such session: it has ended, or was never begun";
            Problem::new(StatusCode::NOT_FOUND, ErrorCode::SessionUnknown, message)
        };
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = table.sessions.get(id).ok_or_else(unknown)?;
        let (its_purpose, room, identity) = &entry.owner;
        if *its_purpose != purpose || *room != bearer.claims.room {
            return Err(unknown());
        }
        if *identity != bearer.claims.sub {
            let message = "this session was begun by another identity; use the token it was begun with";
            return Err(Problem::new(StatusCode::FORBIDDEN, ErrorCode::NotPermitted, message));
        }
        entry.session.clone().ok_or_else(unknown)
    }
}

/// Room for one session; whoever drops it gives it back.
#[derive(Debug)]
pub struct Place {
    table: Arc<Mutex<Table>>,
    id: String,
    identity: String,
}

impl Place {
    /// Last part of the session's URL.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As whom it joins.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// From now on it can be found.
    pub fn fill(&self, session: Arc<Session>) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = table.sessions.get_mut(&self.id) {
            entry.session = Some(session);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = table.sessions.remove(&self.id) else { return };
        if let Some(count) = table.players.get_mut(&entry.owner) {
            *count -= 1;
            if *count == 0 {
                table.players.remove(&entry.owner);
            }
        }
    }
}

fn too_many(seconds: u64) -> Problem {
    let message = "this identity begins sessions too fast; wait, and begin one at a time";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::LimitReached, message).retry_later(seconds)
}

fn secret() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
