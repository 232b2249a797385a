//! STUN and TURN servers for clients, with credentials that last a while.
//!
//! The credentials are those of draft-uberti-behave-turn-rest-00, which coturn takes with `use-auth-secret`: the server and we know one
//! secret, and nobody has to tell it who may use it. The user name says until when; the password proves that we wrote it.

//!
//! Who has several servers sees their clients told of the nearest ones, by the time that they take to answer this edge ([`measure`], [`ranking`]):
//! clients are near the edge that they chose.

pub mod measure;
pub mod ranking;

use crate::config::Config;
use aws_lc_rs::hmac;
use core::time::Duration;
use nearcast_protocol::IceServer;
use ranking::Ranking;
use serde::Serialize;
use std::sync::Mutex;

/// What clients are told of.
#[derive(Debug)]
pub struct IceServers {
    stun: Vec<String>,
    /// Addresses of each server, that of this edge last.
    turn: Vec<Vec<String>>,
    /// The last of `turn` is this edge's own.
    own: bool,
    secret: String,
    lifetime: Duration,
    measured: Mutex<Measured>,
}

/// What was found out about the servers, by number.
#[derive(Debug, Default)]
struct Measured {
    stun: Ranking,
    turn: Ranking,
}

/// How a server does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Its addresses.
    pub urls: Vec<String>,
    /// The least round trip of the last minutes, in milliseconds; none: it doesn't answer this edge, or wasn't asked yet.
    pub response_ms: Option<f64>,
    /// Clients are told of it now.
    pub given: bool,
}

impl IceServers {
    /// The configured ones.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let turn = config.turn_servers.by_server();
        let stun = config.stun_servers.0.clone();
        let measured = Measured { stun: Ranking::of(stun.len()), turn: Ranking::of(turn.len()) };
        let (secret, lifetime) = (config.turn_secret.0.clone(), config.turn_lifetime.0);
        Self { stun, turn, own: false, secret, lifetime, measured: Mutex::new(measured) }
    }

    /// Adds the TURN server of this edge, and makes a secret for it if there is none.
    pub fn add_own(&mut self, urls: Vec<String>, fresh_secret: impl FnOnce() -> String) {
        if self.secret.is_empty() {
            self.secret = fresh_secret();
        }
        self.turn.push(urls);
        self.own = true;
        // Nothing is nearer.
        self.note(|measured| measured.turn.add(Duration::ZERO));
    }

    /// Looks at what was measured, or adds to it. A lock that a panic has poisoned holds numbers that are still good.
    fn note<T>(&self, what: impl FnOnce(&mut Measured) -> T) -> T {
        what(&mut self.measured.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// How each server does: STUN, then TURN.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let stand = |ranking: &Ranking, urls: Vec<Vec<String>>| {
            let given = ranking.nearest();
            let of = |(number, urls)| Standing {
                urls,
                response_ms: ranking.response(number).map(|time| time.as_secs_f64() * 1000.0),
                given: given.contains(&number),
            };
            urls.into_iter().enumerate().map(of).collect::<Vec<_>>()
        };
        let stun = self.stun.iter().map(|address| vec![address.clone()]).collect();
        self.note(|measured| [stand(&measured.stun, stun), stand(&measured.turn, self.turn.clone())].concat())
    }

    /// What credentials are made with.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The nearest of each kind, best first, with credentials for `identity` from `now` (since 1970) on.
    #[must_use]
    pub fn of(&self, identity: &str, now: Duration) -> Vec<IceServer> {
        let (stun, turn) = self.note(|measured| (measured.stun.nearest(), measured.turn.nearest()));
        let stun = stun.into_iter().filter_map(|number| self.stun.get(number));
        let stun = stun.map(|address| IceServer { urls: vec![address.clone()], username: None, credential: None, lifetime_s: None });
        let username = format!("{}:{identity}", now.saturating_add(self.lifetime).as_secs());
        let password = credential(&self.secret, &username);
        let turn = turn.into_iter().filter_map(|number| self.turn.get(number)).map(|urls| IceServer {
            urls: urls.clone(),
            username: Some(username.clone()),
            credential: Some(password.clone()),
            lifetime_s: u32::try_from(self.lifetime.as_secs()).ok(),
        });
        stun.chain(turn).collect()
    }

    /// How long after credentials were given fresh ones are due: half their life. None: there are none that could expire.
    #[must_use]
    pub fn renewal(&self) -> Option<Duration> {
        (!self.turn.is_empty()).then(|| self.lifetime / 2)
    }
}

/// `base64(HMAC-SHA1(secret, username))`.
pub(crate) fn credential(secret: &str, username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    base64(hmac::sign(&key, username.as_bytes()).as_ref())
}

/// RFC 4648 §4, padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain([&0, &0]).take(3).fold(0_usize, |group, byte| (group << 8) | usize::from(*byte));
        for digit in 0..4 {
            let value = DIGITS.get((group >> (18 - 6 * digit)) & 63).copied().unwrap_or_default();
            text.push(if digit <= chunk.len() { char::from(value) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
