//! Watches the way that media takes. A beat goes out on the lossy data channel twice a second, and the edge sends it back at once; bytes that the
//! transport has received, and any other frame, show life as well. Silence is suspicious after [`SUSPECT_AFTER`] and an outage after [`LOST_AFTER`]:
//! browsers take 5 to 30 s to say so.
//!
//! Not here: what is done about it ([`crate::recovery`]). All times in this folder are milliseconds.

use crate::MonoTime;

/// Guess: four of them fit into the two seconds in which an outage is noticed. A beat is about 120 bytes on the wire, so this is 2 kbit/s each way.
const BEAT_EVERY: u32 = 500;

/// The same while nothing is heard: the first one that comes back ends the outage.
const PROBE_EVERY: u32 = 250;

/// Two beats unanswered, with half a beat to spare.
const SUSPECT_AFTER: u32 = 1250;

/// Four more have gone out since the suspicion; an outage is to be noticed within two seconds, slow timer included.
const LOST_AFTER: u32 = 1900;

/// How long a hint from outside may take to be disproved. Guess: a round trip, and a beat.
const DOUBT_FOR: u32 = 600;

/// A timer this late says that the page slept, not that the path is dead: what came meanwhile may be waiting behind it. Browsers align the
/// timers of hidden pages to a second.
const SLEPT: u32 = 1000;

/// Beats whose departure is remembered. Eight at the faster pace are two seconds: an echo that takes longer is no measurement of use.
const REMEMBERED: usize = 8;

/// What is known of the path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Health {
    /// Never connected so far.
    New,
    /// Something was heard lately.
    Good,
    /// Silent for longer than it should be.
    Suspect,
    /// An outage.
    Lost,
}

/// The path of the present transport.
#[derive(Debug)]
pub(crate) struct Path {
    health: Health,
    /// Its silence means something: it has echoed a beat, or its bytes are counted.
    watched: bool,
    heard_at: MonoTime,
    /// While suspect: lost then.
    lost_at: MonoTime,
    beat_at: MonoTime,
    beat: u32,
    sent: [(u32, MonoTime); REMEMBERED],
    rtt: Option<u32>,
    received: Option<f64>,
    /// Heard again after it was lost; its reader clears it.
    pub(crate) revived: bool,
}

impl Path {
    pub(crate) fn new() -> Self {
        let zero = MonoTime::default();
        Self {
            health: Health::New,
            watched: false,
            heard_at: zero,
            lost_at: zero,
            beat_at: zero,
            beat: 0,
            sent: [(0, zero); REMEMBERED],
            rtt: None,
            received: None,
            revived: false,
        }
    }

    /// Beats begin now.
    pub(crate) fn entered(&mut self, now: MonoTime) {
        self.beat_at = now;
    }

    pub(crate) fn health(&self) -> Health {
        self.health
    }

    /// Nothing is wrong with it, as far as is known.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.health, Health::New | Health::Good)
    }

    /// Smoothed round trip of beats, in milliseconds.
    pub(crate) fn rtt(&self) -> Option<u32> {
        self.rtt
    }

    /// Another transport takes over, which has yet to be heard.
    pub(crate) fn renew(&mut self) {
        if self.health != Health::New {
            self.health = Health::Lost;
        }
        (self.watched, self.received, self.sent) = (false, None, [(0, MonoTime::default()); REMEMBERED]);
    }

    /// A sign of life.
    pub(crate) fn heard(&mut self, now: MonoTime) {
        self.revived |= self.health == Health::Lost;
        (self.health, self.heard_at) = (Health::Good, now);
    }

    /// A beat came back.
    pub(crate) fn echoed(&mut self, now: MonoTime, beat: u32) {
        if let Some((_, at)) = self.sent.iter().find(|(number, _)| *number == beat && beat != 0) {
            let sample = now.millis_since(*at);
            // As TCP smooths (RFC 6298 §2).
            self.rtt = Some(self.rtt.map_or(sample, |rtt| (rtt.saturating_mul(7).saturating_add(sample)) / 8));
            self.watched = true;
            self.heard(now);
        }
    }

    /// Bytes that the transport has received so far. Those of another pair, or of a counter that began anew, say nothing.
    pub(crate) fn counted(&mut self, now: MonoTime, received: f64) {
        if self.received.replace(received).is_some_and(|before| received > before) {
            self.watched = true;
            self.heard(now);
        }
    }

    /// Somebody says that the path may be broken: unless it shows life soon, it is. Without `even_unwatched` only if it would show.
    pub(crate) fn doubt(&mut self, now: MonoTime, even_unwatched: bool) {
        if self.health == Health::Good && (self.watched || even_unwatched) {
            (self.health, self.lost_at) = (Health::Suspect, now.after(DOUBT_FOR));
            self.beat_at = now;
        }
    }

    /// The browser has given it up.
    pub(crate) fn fail(&mut self) {
        self.health = Health::Lost;
    }

    pub(crate) fn poll_timeout(&self) -> MonoTime {
        self.beat_at.min(self.judged_at().unwrap_or(self.beat_at))
    }

    /// When silence changes what we think of it.
    fn judged_at(&self) -> Option<MonoTime> {
        match self.health {
            Health::Good if self.watched => Some(self.heard_at.after(SUSPECT_AFTER)),
            Health::Suspect => Some(self.lost_at),
            _ => None,
        }
    }

    /// The beat that is due.
    pub(crate) fn handle_timeout(&mut self, now: MonoTime) -> Option<u32> {
        let due = self.poll_timeout();
        if now < due {
            return None;
        }
        if now.millis_since(due) > SLEPT {
            self.heard_at = now;
            self.lost_at = now.after(DOUBT_FOR);
        } else if self.judged_at().is_some_and(|at| now >= at) {
            if self.health == Health::Suspect {
                self.health = Health::Lost;
            } else {
                (self.health, self.lost_at) = (Health::Suspect, self.heard_at.after(LOST_AFTER));
            }
        } else if now < self.beat_at {
            return None;
        }
        self.beat_at = now.after(if self.is_good() { BEAT_EVERY } else { PROBE_EVERY });
        self.beat = self.beat.wrapping_add(1).max(1);
        if let Some(slot) = self.sent.get_mut(self.beat as usize % REMEMBERED) {
            *slot = (self.beat, now);
        }
        Some(self.beat)
    }
}

#[cfg(test)]
mod tests;
