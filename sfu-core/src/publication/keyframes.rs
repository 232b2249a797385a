//! When to ask a publisher for key frames: requests of all viewers and all encodings merged and throttled (RFC 4585 §6.3.1, RFC 5104
//! §4.3.1).
//!
//! * One viewer is served at once, an encoding asked for twice a second at most, and again when nothing came for as long.
//! * A crowd of newcomers ([`CROWD`]) waits a little longer, and whoever sees a picture and waits for a larger one lets it pass first: so many
//!   joins in two seconds cost four requests, whichever encodings they begin with and go on to.
//! * Browsers answer a request for one encoding with key frames of all that are on (libwebrtc's simulcast encoders do). That is noticed and
//!   then made use of: one request stands for all. A publisher that turns out to answer otherwise is asked for each again.
//!
//! Not here: who waits for what (`forwarder`), sending the requests (`shard::feedback`).

use crate::layer::MAX_ENCODINGS;
use minicbor::{Decode, Encode};
use std::time::{Duration, Instant};

/// Least time between two requests for one encoding. Two a second bound what a storm of viewers can cost a publisher; LiveKit throttles
/// alike (500 ms to 1 s a layer).
const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// The same while a crowd comes, and for the third request in a row and those after it: four in two seconds, not five.
const CROWD_INTERVAL: Duration = Duration::from_millis(750);

/// The same where there are several encodings: three in two seconds, and one for those who then go on to a larger one.
const CROWD_INTERVAL_OF_SEVERAL: Duration = Duration::from_secs(1);

/// Newcomers between two requests that are a crowd. Guess: more than a meeting that begins on time, fewer than a webinar.
const CROWD: u32 = 16;

/// How long a crowd is expected to go on coming after it was last seen.
const CROWD_LASTS: Duration = Duration::from_secs(1);

/// A larger picture is waited for in a crowd this long at most. Guess: longer than a crowd takes to come in.
const LARGER_PATIENCE: Duration = Duration::from_secs(3);

/// Ask again when no key frame came for this long after a request: a request or the frame was lost.
const RETRY: Duration = Duration::from_millis(500);

/// Encodings that answer together do so within this time of each other: three frame intervals at 30 frames/s.
const TOGETHER: Duration = Duration::from_millis(100);

/// What a key frame is needed for.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cbor(index_only)]
pub(crate) enum Need {
    /// Somebody sees nothing, or something broken, or too much for its path.
    #[n(0)]
    Picture,
    /// Somebody sees a picture, and is to have a larger one.
    #[n(1)]
    Larger,
}

/// Encodings that key frames are needed of, one bit each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Needs {
    pictures: u8,
    larger: u8,
}

impl Needs {
    pub(crate) fn of(encoding: u8, need: Need) -> Self {
        match need {
            Need::Picture => Self { pictures: bit(encoding), larger: 0 },
            Need::Larger => Self { pictures: 0, larger: bit(encoding) },
        }
    }
}

impl std::ops::BitOrAssign for Needs {
    fn bitor_assign(&mut self, more: Self) {
        (self.pictures, self.larger) = (self.pictures | more.pictures, self.larger | more.larger);
    }
}

/// How a publisher of several encodings answers a request for one of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Manner {
    #[default]
    Unknown,
    /// Once as if with key frames of all: it may have been chance.
    Perhaps,
    /// With key frames of all.
    All,
    /// With a key frame of that one.
    One,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wants {
    picture: Option<Instant>,
    larger: Option<Instant>,
    asked: Option<Instant>,
    /// When the publisher was last told to send it again.
    turned_on: Option<Instant>,
    /// Asked for by asking for another encoding.
    along: bool,
    /// The last request came as soon after another as it could.
    in_a_row: bool,
    /// The last key frame.
    came: Option<Instant>,
}

impl Wants {
    fn since(&self) -> Option<Instant> {
        match (self.picture, self.larger) {
            (Some(picture), Some(larger)) => Some(picture.min(larger)),
            (picture, larger) => picture.or(larger),
        }
    }
}

/// Key-frame requests of one publication.
#[derive(Debug, Default)]
pub(crate) struct KeyframeRequests {
    encodings: [Wants; MAX_ENCODINGS],
    /// Viewers who came since the last request for a first picture.
    newcomers: u32,
    /// When a crowd was last seen.
    crowded: Option<Instant>,
    manner: Manner,
}

/// The encodings of a publication as they matter to requests, one bit each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) several: bool,
    /// Those being sent.
    pub(crate) live: u8,
    /// Those that are off because the publisher was told so: they can't answer, and begin with a key frame when they are turned on.
    pub(crate) off: u8,
    /// Everything is asked of the publisher itself, and not of another part of the room, which others ask too.
    pub(crate) first_hand: bool,
}

impl KeyframeRequests {
    /// A viewer needs one.
    pub(crate) fn want(&mut self, encoding: u8, need: Need, now: Instant) {
        if let Some(wants) = self.encodings.get_mut(usize::from(encoding)) {
            let since = match need {
                Need::Picture => &mut wants.picture,
                Need::Larger => &mut wants.larger,
            };
            since.get_or_insert(now);
        }
    }

    /// Several viewers need some.
    pub(crate) fn want_all(&mut self, needs: Needs, now: Instant) {
        for encoding in 0..MAX_ENCODINGS as u8 {
            if needs.pictures & bit(encoding) != 0 {
                self.want(encoding, Need::Picture, now);
            }
            if needs.larger & bit(encoding) != 0 {
                self.want(encoding, Need::Larger, now);
            }
        }
    }

    /// So many viewers more can be shown their first picture.
    pub(crate) fn welcome(&mut self, newcomers: u32) {
        self.newcomers = self.newcomers.saturating_add(newcomers);
    }

    /// One arrived: whoever waited is served.
    pub(crate) fn on_keyframe(&mut self, encoding: u8, now: Instant) {
        let lately = |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < RETRY);
        let asked_for_another = (0..).zip(&self.encodings).any(|(other, wants)| other != encoding && !wants.along && lately(wants.asked));
        let Some(wants) = self.encodings.get_mut(usize::from(encoding)) else { return };
        // Each packet of a key frame says so.
        let first = wants.came.is_none_or(|came| now.saturating_duration_since(came) > TOGETHER);
        (wants.picture, wants.larger, wants.came) = (None, None, Some(now));
        if first && asked_for_another && !lately(wants.asked) && !lately(wants.turned_on) {
            self.manner = match self.manner {
                Manner::Unknown => Manner::Perhaps,
                Manner::Perhaps => Manner::All,
                known => known,
            };
        }
    }

    /// Nobody is to see an encoding any more: what was waited for isn't.
    pub(crate) fn forget(&mut self, encoding: u8) {
        if let Some(wants) = self.encodings.get_mut(usize::from(encoding)) {
            (wants.picture, wants.larger) = (None, None);
        }
    }

    /// The publisher was told to send an encoding again, which begins with a key frame: as good as a request for whoever waits already.
    pub(crate) fn on_turned_on(&mut self, encoding: u8, now: Instant) {
        if let Some(wants) = self.encodings.get_mut(usize::from(encoding)) {
            wants.turned_on = Some(now);
        }
    }

    /// Somebody waits for one.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.encodings.iter().any(|wants| wants.since().is_some())
    }

    /// Encodings that somebody can't go on without, one bit each.
    pub(crate) fn pictures_wanted(&self) -> u8 {
        (0..).zip(&self.encodings).filter(|(_, wants)| wants.picture.is_some()).fold(0, |wanted, (encoding, _)| wanted | bit(encoding))
    }

    /// Newcomers that the next request stands for.
    pub(crate) fn newcomers(&self) -> u32 {
        self.newcomers
    }

    /// Encodings to be asked for now, one bit each; once.
    pub(crate) fn take_due(&mut self, now: Instant, sent: Sent) -> u8 {
        if self.newcomers >= CROWD {
            self.crowded = Some(now);
        }
        self.notice_who_answers_alone(now, sent.live);
        let due = (0..MAX_ENCODINGS as u8).filter(|encoding| sent.off & bit(*encoding) == 0 && self.is_due(*encoding, now, sent.several));
        let due = due.fold(0, |due, encoding| due | bit(encoding));
        if due == 0 {
            return 0;
        }
        if (0_u8..).zip(&self.encodings).any(|(encoding, wants)| due & bit(encoding) != 0 && wants.picture.is_some()) {
            self.newcomers = 0;
        }
        let one = if self.manner == Manner::All && sent.first_hand { lowest(due & sent.live).or(lowest(due)) } else { None };
        for (encoding, wants) in (0_u8..).zip(&mut self.encodings) {
            let along = one.is_some_and(|one| one != encoding) && wants.since().is_some();
            if along || one.map_or(due & bit(encoding) != 0, |one| one == encoding) {
                let last = wants.asked.replace(now);
                wants.in_a_row = last.is_some_and(|last| now.saturating_duration_since(last) < CROWD_INTERVAL.saturating_mul(2));
                wants.along = along;
            }
        }
        one.map_or(due, bit)
    }

    fn is_due(&self, encoding: u8, now: Instant, several: bool) -> bool {
        let Some(wants) = self.encodings.get(usize::from(encoding)) else { return false };
        let Some(since) = wants.since() else { return false };
        let any = || self.encodings.iter().filter_map(|wants| wants.asked).max();
        let asked = if self.manner == Manner::All { any() } else { wants.asked };
        let passed = asked.map_or(Duration::MAX, |asked| now.saturating_duration_since(asked));
        if wants.turned_on.is_some_and(|on| on >= since && now.saturating_duration_since(on) < RETRY) {
            return false;
        }
        if asked.is_some_and(|asked| asked >= since) {
            return passed >= RETRY;
        }
        let crowd = self.crowded.is_some_and(|seen| now.saturating_duration_since(seen) < CROWD_LASTS);
        if wants.picture.is_none() && crowd && now.saturating_duration_since(since) < LARGER_PATIENCE {
            return false;
        }
        let pause = match (self.newcomers >= CROWD || wants.in_a_row, several) {
            (false, _) => MIN_INTERVAL,
            (true, false) => CROWD_INTERVAL,
            (true, true) => CROWD_INTERVAL_OF_SEVERAL,
        };
        passed >= pause
    }

    /// An encoding that was asked for by asking for another, which answered alone.
    fn notice_who_answers_alone(&mut self, now: Instant, live: u8) {
        let answered = |wants: &Wants| match (wants.asked, wants.came) {
            (Some(asked), Some(came)) if came >= asked && !wants.along => Some((asked, came)),
            _ => None,
        };
        let Some((asked, came)) = self.encodings.iter().filter_map(answered).max() else { return };
        if now.saturating_duration_since(came) < TOGETHER {
            return;
        }
        for (encoding, wants) in (0_u8..).zip(&mut self.encodings) {
            if wants.along && wants.asked == Some(asked) && wants.since().is_some_and(|since| since <= asked) && live & bit(encoding) != 0 {
                self.manner = Manner::One;
                (wants.asked, wants.along) = (None, false);
            }
        }
    }
}

fn bit(encoding: u8) -> u8 {
    1_u8.wrapping_shl(u32::from(encoding))
}

fn lowest(encodings: u8) -> Option<u8> {
    (encodings != 0).then(|| encodings.trailing_zeros() as u8)
}
