//! Which of several servers are the nearest, from how long each took to answer. No clock and no socket: [`super::measure`] has them.

use core::time::Duration;

/// As many servers of a kind are told of: one to use and others for when it fails. Guess: browsers contact all that they are given, and an
/// allocation on each costs the server and the start of the call.
pub const MOST_GIVEN: usize = 3;

/// Answers that are remembered of each server. At one every half minute, four minutes: longer than queues last on the way.
const REMEMBERED: usize = 8;

/// Questions in a row without an answer after which a server is taken for gone. One answer may be lost.
const SILENT_AFTER: u32 = 2;

/// How a server did.
#[derive(Clone, Debug, Default)]
struct Response {
    /// The last answers, oldest overwritten first.
    times: [Option<Duration>; REMEMBERED],
    next: usize,
    /// Questions in a row without an answer.
    missed: u32,
}

impl Response {
    /// The least of the remembered times: what the way takes when nothing stands in it.
    fn least(&self) -> Option<Duration> {
        self.times.iter().flatten().min().copied().filter(|_| self.missed < SILENT_AFTER)
    }

    fn note(&mut self, time: Option<Duration>) {
        if time.is_none() {
            self.missed = self.missed.saturating_add(1);
            return;
        }
        // Back from the dead: what was measured before may have been another way.
        if self.missed >= SILENT_AFTER {
            self.times = [None; REMEMBERED];
        }
        self.missed = 0;
        if let Some(slot) = self.times.get_mut(self.next % REMEMBERED) {
            *slot = time;
        }
        self.next = self.next.wrapping_add(1);
    }
}

/// Servers of one kind, by number.
#[derive(Clone, Debug, Default)]
pub struct Ranking(Vec<Response>);

impl Ranking {
    /// So many, of which nothing is known.
    #[must_use]
    pub fn of(servers: usize) -> Self {
        Self(vec![Response::default(); servers])
    }

    /// One more, known to answer in this time.
    pub fn add(&mut self, time: Duration) {
        let mut response = Response::default();
        response.note(Some(time));
        self.0.push(response);
    }

    /// A server answered after this time; none: it didn't.
    pub fn note(&mut self, server: usize, time: Option<Duration>) {
        if let Some(response) = self.0.get_mut(server) {
            response.note(time);
        }
    }

    /// The least round trip of a server; none: it doesn't answer, or wasn't asked yet.
    #[must_use]
    pub fn response(&self, server: usize) -> Option<Duration> {
        self.0.get(server)?.least()
    }

    /// The nearest, at most [`MOST_GIVEN`], nearest first; behind them those that weren't asked yet, then those that don't answer: clients may reach
    /// what this edge can't. While none is known to answer, all, in the order of their numbers.
    #[must_use]
    pub fn nearest(&self) -> Vec<usize> {
        let mut servers: Vec<usize> = (0..self.0.len()).collect();
        // A stable sort: equals keep the operator's order.
        servers.sort_by_key(|server| match (self.response(*server), self.0.get(*server)) {
            (Some(time), _) => (0, time),
            (None, Some(response)) if response.missed < SILENT_AFTER => (1, Duration::ZERO),
            _ => (2, Duration::ZERO),
        });
        if servers.iter().any(|server| self.response(*server).is_some()) {
            servers.truncate(MOST_GIVEN);
        } else {
            servers.sort_unstable();
        }
        servers
    }
}

#[cfg(test)]
mod tests;
