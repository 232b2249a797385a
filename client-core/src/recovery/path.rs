//! Watches the way that media takes. A beat goes out on the lossy data channel twice a second, and the edge sends it back at once; bytes that the
//! transport has received, and any other frame, show life as well. A beat that is not back in time is followed by others soon ([`Path::is_quiet`]).
//! Silence is suspicious after [`SUSPECT_AFTER`] and an outage after [`LOST_AFTER`], later where beats get lost anyway: browsers take 5 to 30 s to
//! say so.
//!
//! Not here: what is done about it ([`crate::recovery`]). All times in this folder are milliseconds.

use crate::MonoTime;

/// Guess: four of them fit into the two seconds in which an outage is noticed. A beat is about 120 bytes on the wire, so this is 2 kbit/s each way.
const BEAT_EVERY: u32 = 500;

/// The same during an outage: the first one that comes back ends it.
const PROBE_EVERY: u32 = 250;

/// The same from when one wasn't back after two round trips.
const AGAIN_EVERY: u32 = 150;

/// Five beats unanswered, or so. Where nothing got lost lately three are enough.
const SUSPECT_AFTER: u32 = 1200;

/// Three more have gone out since the suspicion, and a round trip comes on top; an outage is to be noticed within two seconds, slow timer included.
const LOST_AFTER: u32 = 1650;

/// The same where nothing got lost lately, and signalling has answered since: then it isn't all of the network that stands still.
/// Where media comes that is a gap of three quarters of a second; where nothing does, nobody sees what is done about it.
const LOST_WHILE_SIGNALLED: u32 = 750;

/// The most that a round trip adds to it.
const LOST_AFTER_RTT: u32 = 300;

/// So much later for each beat that gets lost for one that comes back, lately: at 30 % loss in bursts, each way, that is about one.
const LOST_AFTER_MORE: u32 = 3000;

/// As much of it as is counted at once: the last beats before an outage must not delay the next one by more than seconds.
const MOST_MISSED: u32 = 6;

/// How long a first connection may take where TURN servers could bring another: browsers give up after 15 s and more. Guess: ICE and DTLS with
/// some losses on a way of 300 ms.
const CONNECTED_WITHIN: u32 = 3000;

/// How long a hint from outside may take to be disproved. Guess: a round trip, and a beat.
const DOUBT_FOR: u32 = 600;

/// A timer this late says that the page slept, not that the path is dead: what came meanwhile may be waiting behind it. Browsers align the
/// timers of hidden pages to a second.
const SLEPT: u32 = 1000;

/// Beats whose departure is remembered. Sixteen at the fastest pace are more than two seconds: an echo that takes longer is no measurement of use.
const REMEMBERED: usize = 16;

/// Below it a single loss lies some twenty seconds back, in the unit of [`Path::missed`].
const CLEAN: u32 = 50;

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
    /// While suspect, or new and impatient: lost then.
    lost_at: MonoTime,
    /// While new, `lost_at` counts.
    impatient: bool,
    beat_at: MonoTime,
    /// When the last one went out.
    beaten_at: MonoTime,
    /// Beats since the last sign of life.
    unanswered: u32,
    /// Beats lost for one that comes back, smoothed, in sixteenths of a thousandth.
    missed: u32,
    beat: u32,
    /// The latest one that came back over this transport; zero: none.
    echo: u32,
    sent: [(u32, MonoTime); REMEMBERED],
    rtt: Option<u32>,
    received: Option<f64>,
    /// Somebody else said so, not silence alone.
    doubted: bool,
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
            impatient: false,
            beat_at: zero,
            beaten_at: zero,
            unanswered: 0,
            missed: 0,
            beat: 0,
            echo: 0,
            sent: [(0, zero); REMEMBERED],
            rtt: None,
            received: None,
            doubted: false,
            revived: false,
        }
    }

    /// Beats begin now. `impatient`: without a connection it is lost soon.
    pub(crate) fn entered(&mut self, now: MonoTime, impatient: bool) {
        (self.beat_at, self.lost_at, self.impatient) = (now, now.after(CONNECTED_WITHIN), impatient);
    }

    pub(crate) fn health(&self) -> Health {
        self.health
    }

    /// Nothing is wrong with it, as far as is known.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.health, Health::New | Health::Good)
    }

    /// A beat is not back in time, and nothing else was heard: something may be wrong. Never at an edge that echoes nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unanswered > 1 && self.rtt.is_some()
    }

    /// No beat got lost lately.
    pub(crate) fn is_clean(&self) -> bool {
        self.is_good() && self.was_clean()
    }

    /// No beat got lost lately, but for those of this silence, of which nobody else has a reason to tell.
    pub(crate) fn was_clean(&self) -> bool {
        self.rtt.is_some() && self.missed < CLEAN && !self.doubted
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
        (self.watched, self.received, self.echo, self.sent) = (false, None, 0, [(0, MonoTime::default()); REMEMBERED]);
    }

    /// Another transport is to take over from one that still works: it has some time to be heard.
    pub(crate) fn moved(&mut self, now: MonoTime) {
        self.renew();
        self.health = Health::New;
        self.entered(now, true);
    }

    /// Something has come over it, lately.
    pub(crate) fn is_heard(&self) -> bool {
        self.health == Health::Good
    }

    /// A sign of life.
    pub(crate) fn heard(&mut self, now: MonoTime) {
        if self.health == Health::Lost {
            self.revived = true;
        } else {
            self.beat_at = self.beat_at.max(self.beaten_at.after(BEAT_EVERY));
        }
        (self.health, self.heard_at, self.unanswered, self.doubted) = (Health::Good, now, 0, false);
    }

    /// A beat came back.
    pub(crate) fn echoed(&mut self, now: MonoTime, beat: u32) {
        if let Some((_, at)) = self.sent.iter().find(|(number, _)| *number == beat && beat != 0) {
            let sample = now.millis_since(*at);
            // As TCP smooths (RFC 6298 §2).
            self.rtt = Some(self.rtt.map_or(sample, |rtt| (rtt.saturating_mul(7).saturating_add(sample)) / 8));
            if self.health != Health::Lost && self.echo > 0 {
                self.missed = self.missed - self.missed / 16 + beat.saturating_sub(self.echo).saturating_sub(1).min(MOST_MISSED) * 1000;
            }
            self.echo = self.echo.max(beat);
            self.watched = true;
            self.heard(now);
        }
    }

    /// Bytes that the transport has received so far, the last of them at `at`. Those of another pair, or of a counter that began anew, say nothing;
    /// nor do those that came before others that are known, or too long ago.
    pub(crate) fn counted(&mut self, now: MonoTime, at: MonoTime, received: f64) {
        if self.received.replace(received).is_some_and(|before| received > before) && at > self.heard_at && now < at.after(SUSPECT_AFTER) {
            self.watched = true;
            self.heard(at);
        }
    }

    /// Somebody says that the path may be broken: unless it shows life soon, it is. Without `even_unwatched` only if it would show.
    pub(crate) fn doubt(&mut self, now: MonoTime, even_unwatched: bool) {
        if self.health == Health::Good && (self.watched || even_unwatched) {
            (self.health, self.lost_at) = (Health::Suspect, now.after(DOUBT_FOR));
            (self.beat_at, self.doubted) = (now, true);
        }
    }

    /// A beat at once: something else is lost, and so this may be.
    pub(crate) fn hasten(&mut self, now: MonoTime) {
        self.beat_at = self.beat_at.min(now);
    }

    /// The browser has given it up.
    pub(crate) fn fail(&mut self) {
        self.health = Health::Lost;
    }

    pub(crate) fn poll_timeout(&self) -> MonoTime {
        self.beat_at.min(self.judged_at().unwrap_or(self.beat_at))
    }

    /// The edge answers over the other way, since this one fell silent.
    pub(crate) fn signalled(&mut self) {
        if self.health == Health::Suspect && self.was_clean() {
            self.lost_at = self.lost_at.min(self.heard_at.after(LOST_WHILE_SIGNALLED));
        }
    }

    /// When silence changes what we think of it.
    fn judged_at(&self) -> Option<MonoTime> {
        match self.health {
            // Three beats that are late, one after the other. Slow timers (hidden pages) send too few for that.
            Health::Good if self.watched => {
                Some(if self.unanswered > 2 && self.was_clean() { self.beat_at } else { self.heard_at.after(SUSPECT_AFTER) })
            }
            Health::Suspect => Some(self.lost_at),
            Health::New if self.impatient => Some(self.lost_at),
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
            if self.health != Health::Good {
                self.health = Health::Lost;
            } else {
                let after = LOST_AFTER + self.rtt.unwrap_or_default().min(LOST_AFTER_RTT) + self.missed / 16 * LOST_AFTER_MORE / 1000;
                (self.health, self.lost_at) = (Health::Suspect, self.heard_at.after(after));
            }
        } else if now < self.beat_at {
            return None;
        }
        let pace = match (self.health, self.rtt) {
            (Health::Lost, _) => PROBE_EVERY,
            (_, None) => BEAT_EVERY,
            (_, Some(rtt)) if self.unanswered == 0 => rtt.saturating_mul(2).clamp(AGAIN_EVERY, BEAT_EVERY),
            _ => AGAIN_EVERY,
        };
        (self.beat_at, self.beaten_at, self.unanswered) = (now.after(pace), now, self.unanswered.saturating_add(1));
        self.beat = self.beat.wrapping_add(1).max(1);
        if let Some(slot) = self.sent.get_mut(self.beat as usize % REMEMBERED) {
            *slot = (self.beat, now);
        }
        Some(self.beat)
    }
}

#[cfg(test)]
mod tests;
