//! Watches the quality of a stay: when to read the browser's counters, what of them is whose, and what the app is told.
//!
//! One's own tracks and connection are judged here, from [`Stats`]; the other participants' connections are judged by the edge with the same
//! model, and only passed on.

use super::{Session, Stage};
use crate::quality::{Action, Blend, Cause, Direction, Gauge, Level, Measured, Media, Quality, Rating, opinion, rate};
use crate::stats::{Stats, Track, Way};
use crate::{Event, MonoTime, Output, RequestId};
use alloc::vec::Vec;
use core::time::Duration;
use nearcast_protocol::client::Source;
use nearcast_protocol::{LayerReason, LayerState, Mid, ParticipantId, ParticipantQuality, PublicationId};

/// How often counters are read: livekit-client reads every two seconds and scores every five; a reading of 60 streams costs about a
/// millisecond.
const EVERY: Duration = Duration::from_secs(1);

/// The same while something is wrong, so that both the fall and the way back are seen early.
const EVERY_WHILE_DEGRADED: Duration = Duration::from_millis(250);

/// The same while a track waits for its other source to deliver. Browsers give the same reading again within 50 ms.
const EVERY_WHILE_EAGER: Duration = Duration::from_millis(100);

/// How long after a fall something counts as wrong. Guess: as long as a level needs to be believed again, and some.
const DEGRADED_FOR: Duration = Duration::from_secs(5);

/// A reading that takes longer than this is given up; the browser may have dropped it with its transport.
const PATIENCE: Duration = Duration::from_secs(3);

/// A change of score that is worth telling by itself. Guess: less isn't seen on any meter.
const WORTH_TELLING: u8 = 3;

/// What sound weighs in a connection, where a picture weighs one: a call can do without the picture.
const SOUND_WEIGHS: f32 = 2.0;

/// A rating below this with no cause that we know of is somebody else's: their connection, their camera.
const NOT_OURS_BELOW: f32 = 85.0;

/// Frames per second beyond which nobody asks for more. The default of `publishCamera`.
const ENOUGH_FPS: f32 = 30.0;

/// Publications whose layer is kept: as many as there may be slots of a kind.
const MAX_LAYERS: usize = crate::MAX_SLOTS as usize;

/// Tracks of one's own: the edge allows fewer.
const MAX_OWN: usize = 64;

/// Whose quality it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// One's own connection, from here to the edge.
    Uplink,
    /// One's own connection, from the edge to here.
    Downlink,
    /// A track, on its way between here and the edge.
    Publication(PublicationId),
    /// Somebody's connection, as the edge judges it.
    Participant(ParticipantId),
}

/// A quality as of now.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Whose.
    pub subject: Subject,
    /// Level, cause or (by some points) score have changed: worth an event. Otherwise only the numbers are newer.
    pub news: bool,
    /// How good, and why.
    pub quality: Quality,
    /// The numbers behind it; of a connection those of the track that lost most. Nothing is known of what the edge judged.
    pub measured: Measured,
}

/// Numbers that a [`Judgement`] has in [`Judgement::numbers`].
pub const JUDGEMENT: usize = 28;

impl Judgement {
    /// Everything but names, for the façade (npm/src/quality.ts): subject, score, level, cause, action and layer's reason by number (subject: 4 more when it is no news), points by term,
    /// then what was measured. NaN: not known.
    #[must_use]
    pub fn numbers(&self) -> [f32; JUDGEMENT] {
        let (Quality { score, level, cause, layer, points }, m) = (&self.quality, &self.measured);
        let subject = match self.subject {
            Subject::Uplink => 0.0_f32,
            Subject::Downlink => 1.0,
            Subject::Publication(_) => 2.0,
            Subject::Participant(_) => 3.0,
        };
        let [score, level, cause, action] = [*score, *level as u8, *cause as u8, Action::against(*cause) as u8].map(f32::from);
        let sound = matches!(m.media, Media::Audio(_)) && (m.rtt_ms.is_some() || m.loss.is_some());
        let known = |number: Option<f32>| number.unwrap_or(f32::NAN);
        let [loss, delay, jitter, freeze, frame_rate, resolution, sharpness, silence] = *points;
        [
            if self.news { subject } else { subject + 4.0 },
            score,
            level,
            cause,
            action,
            layer.map_or(f32::NAN, |layer| f32::from(layer as u8)),
            loss,
            delay,
            jitter,
            freeze,
            frame_rate,
            resolution,
            sharpness,
            silence,
            known(m.rtt_ms),
            known(m.jitter_ms),
            known(m.buffer_ms),
            known(m.loss),
            known(m.burst),
            known(m.concealed),
            known(m.freeze),
            known(m.fps),
            known(m.fps_asked),
            known(m.lines),
            known(m.lines_asked),
            known(m.qp),
            known(m.busy),
            if sound { opinion(score) } else { f32::NAN },
        ]
    }
}

/// A track of one's own.
#[derive(Debug)]
struct Own {
    request: RequestId,
    publication: Option<PublicationId>,
    section: u32,
    source: Source,
    muted: bool,
    /// Most frames per second that the camera has given: what can be asked of it.
    best_fps: f32,
}

/// Something that is judged again and again.
#[derive(Debug)]
struct Judged {
    subject: Subject,
    gauge: Gauge,
    told: Quality,
    /// Judged in the present reading.
    present: bool,
}

/// Everything that is remembered between readings.
#[derive(Debug, Default)]
pub(super) struct Watch {
    stats: Stats,
    own: Vec<Own>,
    layers: Vec<LayerState>,
    judged: Vec<Judged>,
    read_at: MonoTime,
    asked_at: MonoTime,
    degraded_until: MonoTime,
}

impl Watch {
    /// When to read.
    pub(super) fn poll_timeout(&self) -> MonoTime {
        self.read_at
    }

    /// The next reading comes early, unless one is under way.
    fn hurry(&mut self) {
        if self.read_at <= self.asked_at + EVERY {
            self.read_at = self.read_at.min(self.asked_at + EVERY_WHILE_DEGRADED);
        }
    }

    pub(super) fn publish(&mut self, request: RequestId, source: Source, muted: bool) {
        if self.own.len() < MAX_OWN {
            self.own.push(Own { request, publication: None, section: 0, source, muted, best_fps: 0.0 });
        }
    }

    /// The request was granted, or refused.
    pub(super) fn settled(&mut self, request: RequestId, granted: Option<(&PublicationId, &Mid)>) {
        match granted.and_then(|(publication, mid)| Some((publication.clone(), section(mid)?))) {
            Some((publication, section)) => {
                if let Some(own) = self.own.iter_mut().find(|own| own.request == request) {
                    (own.publication, own.section) = (Some(publication), section);
                }
            }
            None => self.drop_own(|own| own.request == request),
        }
    }

    pub(super) fn unpublished(&mut self, publication: &PublicationId) {
        self.drop_own(|own| own.publication.as_ref() == Some(publication));
    }

    fn drop_own(&mut self, is: impl Fn(&Own) -> bool) {
        if let Some(place) = self.own.iter().position(is) {
            self.own.swap_remove(place);
        }
    }

    pub(super) fn muted(&mut self, publication: &PublicationId, muted: bool) {
        self.own.iter_mut().filter(|own| own.publication.as_ref() == Some(publication)).for_each(|own| own.muted = muted);
    }

    pub(super) fn layers(&mut self, changed: &[LayerState]) {
        for layer in changed {
            self.forget(&layer.publication);
            if self.layers.len() < MAX_LAYERS {
                self.layers.push(layer.clone());
            }
        }
    }

    /// Nobody's any more.
    pub(super) fn forget(&mut self, publication: &PublicationId) {
        if let Some(place) = self.layers.iter().position(|known| known.publication == *publication) {
            self.layers.swap_remove(place);
        }
    }

    fn own(&mut self, track: &mut Track, is: impl Fn(&Own) -> bool) -> Option<Subject> {
        let own = self.own.iter_mut().find(|own| is(own) && own.publication.is_some() && !own.muted)?;
        if own.source == Source::Camera {
            own.best_fps = own.best_fps.max(track.measured.fps_source.unwrap_or(0.0)).min(ENOUGH_FPS);
            track.measured.fps_asked = Some(own.best_fps);
        }
        own.publication.clone().map(Subject::Publication)
    }

    /// Judges one thing; none: nothing is known of it, as before.
    fn judge(&mut self, now: MonoTime, subject: Subject, rating: Option<Rating>, measured: Measured) -> Option<Judgement> {
        let place = self.judged.iter().position(|judged| judged.subject == subject).unwrap_or_else(|| {
            self.judged.push(Judged { subject, gauge: Gauge::default(), told: Quality::default(), present: true });
            self.judged.len() - 1
        });
        let judged = self.judged.get_mut(place)?;
        judged.present = true;
        let Quality { score: before_score, level: before, .. } = *judged.gauge.quality();
        let quality = judged.gauge.update(now, rating);
        let fell = before != Level::Unknown && (quality.level < before || quality.score + WORTH_TELLING <= before_score);
        if fell || matches!(quality.level, Level::Poor | Level::Lost) {
            self.degraded_until = now + DEGRADED_FOR;
        }
        let news = (quality.level, quality.cause, quality.layer) != (judged.told.level, judged.told.cause, judged.told.layer)
            || quality.score.abs_diff(judged.told.score) >= WORTH_TELLING;
        if news {
            judged.told = quality;
        }
        let known = news || quality.level != Level::Unknown;
        known.then(|| Judgement { subject: judged.subject.clone(), news, quality, measured })
    }

    /// What is no longer there is no longer known.
    fn let_go(&mut self, told: &mut Vec<Judgement>) {
        self.judged.retain(|judged| {
            if !judged.present && judged.told.level != Level::Unknown {
                let (subject, quality) = (judged.subject.clone(), Quality::default());
                told.push(Judgement { subject, news: true, quality, measured: Measured::default() });
            }
            judged.present
        });
    }
}

impl Session {
    /// Reads the counters when that is due.
    pub(super) fn quality_timeout(&mut self, now: MonoTime) {
        if self.stage != Stage::In {
            return;
        }
        if self.recovery.path.is_quiet() {
            self.watch.hurry();
        }
        if now >= self.watch.read_at {
            (self.watch.asked_at, self.watch.read_at) = (now, now + PATIENCE);
            self.push(Output::ReadStats);
        }
    }

    /// Judges everything by what was read.
    pub(super) fn stats(&mut self, now: MonoTime, numbers: &[f64]) {
        if self.stage != Stage::In {
            return;
        }
        self.watch.stats.read(numbers);
        self.read_links(now);
        let tracks = self.watch.stats.tracks();
        // Of a way that carries nothing no estimate says anything.
        let carries = self.direct.sends_over().unwrap_or(0);
        let sendable = self.watch.stats.way_of(carries).and_then(Way::sendable).map(|bits| bits as u32);
        self.adapt(now, &tracks, sendable);
        let way = self.watch.stats.way();
        if let Some(received) = way.received() {
            self.recovery.path.counted(now, now.before(way.silence().unwrap_or_default() as u32), received);
        }
        let mut told = Vec::new();
        self.watch.judged.iter_mut().for_each(|judged| judged.present = false);
        let (mut up, mut down) = (Connection::default(), Connection::default());
        let mut flows = false;
        for mut track in tracks {
            let subject = match track.direction {
                Direction::Uplink => self.sent(&mut track),
                Direction::Downlink => self.received(&mut track),
            };
            let Some(subject) = subject else { continue };
            flows |= track.flows;
            track.measured.silent = track.fell_silent;
            if track.direction == Direction::Uplink { &mut up } else { &mut down }.add(&track.measured);
            told.extend(self.watch.judge(now, subject, rate(&track.measured), track.measured));
        }
        let way = Measured { rtt_ms: self.watch.stats.way().rtt_ms(), ..Measured::default() };
        for (subject, connection) in [(Subject::Uplink, up), (Subject::Downlink, down)] {
            // Without tracks the way is all there is to judge.
            let rating = connection.blend.rating().or_else(|| rate(&way));
            let measured = connection.worst.map_or(way, |(_, measured)| measured);
            told.extend(self.watch.judge(now, subject, rating, measured));
        }
        self.watch.let_go(&mut told);
        let path = &self.recovery.path;
        let degraded =
            now < self.watch.degraded_until || !path.is_good() || path.is_quiet() || (flows && self.watch.stats.way().is_doubtful());
        let every = match degraded {
            _ if self.direct.is_eager(now) => EVERY_WHILE_EAGER,
            true => EVERY_WHILE_DEGRADED,
            false => EVERY,
        };
        self.watch.read_at = (self.watch.asked_at + every).max(now);
        if !told.is_empty() {
            self.event(Event::Quality(told));
        }
    }

    /// Counters decide something from now on.
    pub(super) fn read_soon(&mut self, now: MonoTime) {
        self.watch.read_at = self.watch.read_at.min(now + EVERY_WHILE_EAGER);
    }

    /// Has direct connections look at what was counted.
    fn read_links(&mut self, now: MonoTime) {
        let stats = core::mem::take(&mut self.watch.stats);
        self.directly(|direct, room, acts| direct.read(now, room, &stats, acts));
        self.watch.stats = stats;
    }

    /// Whose a sent track is. While nothing is sent to the edge, what goes directly is judged.
    fn sent(&mut self, track: &mut Track) -> Option<Subject> {
        let (section, held) = (track.section, self.direct.is_held());
        let directly = self.direct.sent(section).filter(|_| held);
        self.watch.own(track, |own| directly.map_or(!held && own.section == section, |id| own.publication.as_ref() == Some(id)))
    }

    /// Whose a received track is, and what was asked of it; none: nothing is expected of it.
    fn received(&self, track: &mut Track) -> Option<Subject> {
        let routed = self.direct.routed(track.section);
        let is = |mid: &Mid, id: &PublicationId| {
            routed.map_or_else(|| section(mid) == Some(track.section) && !self.direct.has(id), |routed| routed == id)
        };
        let (publication, source) = self.room.carried(is)?;
        let measured = &mut track.measured;
        // What the edge says of its layers is nothing to a direct connection.
        if routed.is_none()
            && let Some(layer) = self.watch.layers.iter().find(|layer| layer.publication == *publication)
        {
            measured.layer = Some(layer.reason);
            let lines = f32::from(layer.width.min(layer.height));
            match layer.reason {
                LayerReason::Hidden | LayerReason::Muted | LayerReason::NotAmongLoudest => return None,
                LayerReason::Best | LayerReason::Wished if layer.paused => return None,
                _ if layer.paused => (measured.lines, measured.lines_asked, measured.fps) = (Some(0.0), Some(1.0), None),
                LayerReason::Best | LayerReason::Wished => measured.lines_asked = Some(lines),
                LayerReason::Bandwidth | LayerReason::Priority | LayerReason::HoldDown | LayerReason::Publisher => {
                    let wished = self.wishes.of(publication).map_or(0.0, |wish| f32::from(wish.width.min(wish.height)));
                    // There is more, or it wouldn't be held: twice as much is the next layer.
                    measured.lines_asked = Some(if wished > lines { wished.min(4.0 * lines) } else { 2.0 * lines });
                }
            }
            // A screen sends frames when something moves: no rate is too low.
            measured.fps_asked = (source == Source::Camera).then(|| f32::from(layer.fps));
        }
        Some(Subject::Publication(publication.clone()))
    }

    /// How others are connected, by the edge's judgement.
    pub(super) fn qualities(&mut self, qualities: Vec<ParticipantQuality>) {
        let judgement = |ParticipantQuality { participant, score, level, cause }| Judgement {
            subject: Subject::Participant(participant),
            news: true,
            quality: Quality { score, level, cause, ..Quality::default() },
            measured: Measured::default(),
        };
        self.event(Event::Quality(qualities.into_iter().map(judgement).collect()));
    }
}

/// One direction of one's own connection: all tracks that go that way.
#[derive(Default)]
struct Connection {
    blend: Blend,
    /// The track that lost most, and how much.
    worst: Option<(f32, Measured)>,
}

impl Connection {
    fn add(&mut self, measured: &Measured) {
        let Some(rating) = rate(measured) else { return };
        let score = rating.score();
        if rating.cause == Cause::Unknown && score < NOT_OURS_BELOW {
            return;
        }
        let sound = matches!(measured.media, Media::Audio(_));
        self.blend.add(Some(rating), if sound { SOUND_WEIGHS } else { 1.0 });
        if self.worst.is_none_or(|(worst, _)| score < worst) {
            self.worst = Some((score, *measured));
        }
    }
}

/// Browsers number their sections.
fn section(mid: &Mid) -> Option<u32> {
    mid.as_str().parse().ok()
}
