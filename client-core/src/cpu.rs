//! What gives way when the processor can't keep up, and comes back when it can: a ladder, one rung at a time, each with its reason.
//! Down: three seconds of overload in four take one rung, the next one not before the last had time to work. Up: the rung taken last is
//! given back first, after ten seconds without load; a level that failed waits twice as long each time.
//! Pure: [`CpuLadder::observe`] once a second with what was measured, [`CpuLadder::limits`] for what holds now.
//!
//! Not here: measuring, and doing it ([`crate::encodings`] for what is sent, [`crate::wishes`] for what is received).

use crate::MonoTime;
use crate::climbs::Climbs;
use crate::quality::Limit;
use alloc::vec::Vec;
use core::time::Duration;

/// An encoder or decoder that is busy for this share of the time between two frames can't keep up. libwebrtc's overuse detector for software
/// encoders (`high_encode_usage_threshold_percent`).
const BUSY: f32 = 0.85;

/// Below this share there is room for a rung: the largest step of frame rate, 20 to 30, takes a half more and then stays below [`BUSY`].
/// libwebrtc's `low_encode_usage_threshold_percent` is 42.
const IDLE: f32 = 0.5;

/// An encoder that makes fewer of its frames than this is behind. Guess: bitrate control drops single frames.
const ENOUGH_FRAMES: f32 = 0.7;

/// A decoder that drops more of its frames than this is behind. Guess: above what one late key frame costs in a second.
const DROPPED: f32 = 0.1;

/// Seconds of overload among the last four that take a rung: one alone is a page that loads, or the codec that starts. With a sample each
/// second the first relief comes after three, or four with a good one between; at most six are promised.
const OVERLOADED: u32 = 3;

/// A sample that is late tells of as many seconds, two at most: a starved page reads its counters late, and one that slept says little. Guess.
const LATE: Duration = Duration::from_millis(1700);

/// Before this an encoder still works with what it had. Guess: a change of parameters takes a frame or two, averages a second.
const SETTLE: Duration = Duration::from_secs(2);

/// So long after a step the browser's own word is no news: Chromium takes back its own reductions one by one, seconds apart, and says "cpu" until
/// the last. Guess.
const WORD_SETTLE: Duration = Duration::from_secs(10);

/// Without load for so long, a rung is given back. libwebrtc waits 10 s before it adapts up again as well (its quick ramp-up), Jitsi's load reducer 60.
const HOLD: Duration = Duration::from_secs(10);

/// One video that is sent, over the last second; of several encodings the largest that is active.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SenderLoad {
    /// What the encoder says (`qualityLimitationReason`).
    pub limit: Limit,
    /// Share of the time that encoding takes: time for a frame × frames in a second; none: the browser doesn't say.
    pub busy: Option<f32>,
    /// Frames encoded in a second; none: unknown.
    pub encoded_fps: Option<f32>,
    /// Frames that came from the camera in a second, or as many of them as are wanted; none: unknown.
    pub expected_fps: Option<f32>,
    /// It is coded in VP9 or AV1, of which VP8 is the cheap version.
    pub costly_codec: bool,
}

/// One video that is received and shown, over the last second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReceiverLoad {
    /// Share of the time that decoding takes; none: the browser doesn't say.
    pub busy: Option<f32>,
    /// Share of the frames that came and were not shown (`framesDropped`), 0 to 1; none: the browser doesn't say.
    pub dropped: Option<f32>,
}

/// What a second was like.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuSample<'sample> {
    /// Every video that is sent; muted ones left out.
    pub senders: &'sample [SenderLoad],
    /// Every video that is received; paused ones left out.
    pub receivers: &'sample [ReceiverLoad],
    /// Nobody sees the page: timers and painted sources are slow, nothing is shown, and none of that is the processor's fault.
    pub hidden: bool,
}

/// What gives way, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rung {
    /// Cameras at most 20 frames a second, screens 10.
    FrameRate20,
    /// Cameras at most 15 frames a second, screens 5.
    FrameRate15,
    /// Cameras without their largest picture; the only one is halved.
    TopLayer,
    /// VP8 instead of VP9 or AV1, which take twice to several times the work.
    Codec,
    /// Nothing higher than 360 lines is received.
    Receive360,
    /// Nothing higher than 180 lines is received.
    Receive180,
}

/// Top to bottom.
const RUNGS: [Rung; 6] = [Rung::FrameRate20, Rung::FrameRate15, Rung::TopLayer, Rung::Codec, Rung::Receive360, Rung::Receive180];

impl Rung {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FrameRate20 => "frame-rate-20",
            Self::FrameRate15 => "frame-rate-15",
            Self::TopLayer => "top-layer",
            Self::Codec => "codec",
            Self::Receive360 => "receive-360",
            Self::Receive180 => "receive-180",
        }
    }

    const fn eases_decoding_only(self) -> bool {
        matches!(self, Self::Receive360 | Self::Receive180)
    }
}

/// Why a rung was taken, or given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CpuReason {
    /// An encoder says that the processor limits it.
    EncoderLimited,
    /// Encoding takes nearly all the time there is.
    EncodeTime,
    /// An encoder misses frames.
    FramesMissed,
    /// Decoding takes nearly all the time there is.
    DecodeTime,
    /// A decoder drops frames.
    FramesDropped,
    /// The load has gone.
    Recovered,
}

impl CpuReason {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EncoderLimited => "encoder-limited",
            Self::EncodeTime => "encode-time",
            Self::FramesMissed => "frames-missed",
            Self::DecodeTime => "decode-time",
            Self::FramesDropped => "frames-dropped",
            Self::Recovered => "recovered",
        }
    }

    const fn is_decoding(self) -> bool {
        matches!(self, Self::DecodeTime | Self::FramesDropped)
    }
}

/// A rung was taken, or given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// Which.
    pub rung: Rung,
    /// Otherwise given back.
    pub taken: bool,
    /// Why.
    pub reason: CpuReason,
}

/// What holds now, all rungs together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CpuLimits {
    /// Frames a second that cameras send at most; none: no limit. Screens: half of that, since sharpness comes first there.
    pub max_fps: Option<u8>,
    /// The largest picture of cameras is not sent.
    pub no_top_layer: bool,
    /// VP8 instead of VP9 and AV1.
    pub cheap_codec: bool,
    /// Lines that are received at most; none: no limit.
    pub receive_lines: Option<u16>,
}

/// The ladder of one session.
#[derive(Debug, Default)]
pub struct CpuLadder {
    /// Taken, the latest last. At most all rungs.
    taken: Vec<Rung>,
    /// The last four seconds, the newest in bit 0: overloaded.
    overloads: u8,
    /// When the last sample was.
    observed: Option<MonoTime>,
    /// Since when there is no load.
    idle_since: Option<MonoTime>,
    last_step: Option<MonoTime>,
    /// By the number of rungs taken.
    climbs: Climbs,
}

/// How a second counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Load {
    Over(CpuReason),
    /// Neither nor: what is, stays.
    Between,
    Idle,
}

impl CpuLadder {
    /// Takes the sample of the last second; at most one step.
    pub fn observe(&mut self, now: MonoTime, sample: CpuSample) -> Option<Step> {
        let since_step = self.last_step.map(|at| now.since(at));
        let settled = |within: Duration| since_step.is_none_or(|since| since >= within);
        let load = if settled(SETTLE) { load(&sample, settled(WORD_SETTLE)) } else { Load::Between };
        let late = self.observed.replace(now).is_some_and(|at| now.since(at) >= LATE);
        let (by, bits) = if late { (2, 0b11) } else { (1, 0b1) };
        self.overloads = self.overloads << by & 0b1111 | if matches!(load, Load::Over(_)) { bits } else { 0 };
        self.climbs.stayed(now, self.taken.len());
        match load {
            Load::Over(reason) => {
                self.idle_since = None;
                if self.overloads.count_ones() >= OVERLOADED { self.take(now, &sample, reason) } else { None }
            }
            Load::Between => {
                self.idle_since = None;
                None
            }
            Load::Idle => {
                let since = *self.idle_since.get_or_insert(now);
                // A sample tells of the second before it.
                if now.since(since) + Duration::from_secs(1) >= self.climbs.hold(self.taken.len().saturating_sub(1), HOLD) {
                    self.give_back(now)
                } else {
                    None
                }
            }
        }
    }

    /// What holds now.
    #[must_use]
    pub fn limits(&self) -> CpuLimits {
        let mut limits = CpuLimits::default();
        for rung in &self.taken {
            match rung {
                Rung::FrameRate20 => limits.max_fps = limits.max_fps.or(Some(20)),
                Rung::FrameRate15 => limits.max_fps = Some(15),
                Rung::TopLayer => limits.no_top_layer = true,
                Rung::Codec => limits.cheap_codec = true,
                Rung::Receive360 => limits.receive_lines = limits.receive_lines.or(Some(360)),
                Rung::Receive180 => limits.receive_lines = Some(180),
            }
        }
        limits
    }

    /// The first rung that is left and would help.
    fn take(&mut self, now: MonoTime, sample: &CpuSample, reason: CpuReason) -> Option<Step> {
        let left = |rung: &&Rung| !self.taken.contains(rung);
        let helps = |rung: &&Rung| match rung {
            Rung::Receive360 | Rung::Receive180 => !sample.receivers.is_empty(),
            Rung::Codec => sample.senders.iter().any(|sender| sender.costly_codec),
            _ => !sample.senders.is_empty(),
        };
        // What is received gives way first where decoding is what takes the time.
        let fits = |rung: &&Rung| reason.is_decoding() && rung.eases_decoding_only();
        let all = || RUNGS.iter().filter(left).filter(helps);
        let rung = *all().find(fits).or_else(|| all().next())?;
        self.climbs.fell(self.taken.len());
        self.taken.push(rung);
        self.stepped(now);
        Some(Step { rung, taken: true, reason })
    }

    fn give_back(&mut self, now: MonoTime) -> Option<Step> {
        let rung = self.taken.pop()?;
        self.climbs.climbed(now);
        self.stepped(now);
        Some(Step { rung, taken: false, reason: CpuReason::Recovered })
    }

    fn stepped(&mut self, now: MonoTime) {
        self.last_step = Some(now);
        (self.idle_since, self.overloads) = (None, 0);
    }
}

/// `word`: what encoders say counts too.
fn load(sample: &CpuSample, word: bool) -> Load {
    let mut worst = Load::Idle;
    for sender in sample.senders {
        worst = worse(worst, sending(sender, word, sample.hidden));
    }
    for receiver in sample.receivers {
        worst = worse(worst, receiving(receiver, sample.hidden));
    }
    // A page that nobody sees has less to do: that is no room.
    if sample.hidden && worst == Load::Idle { Load::Between } else { worst }
}

/// The first overload names the reason.
fn worse(one: Load, other: Load) -> Load {
    match (one, other) {
        (Load::Over(_), _) | (_, Load::Idle) => one,
        _ => other,
    }
}

fn sending(sender: &SenderLoad, word: bool, hidden: bool) -> Load {
    let busy = by_share(sender.busy, CpuReason::EncodeTime);
    if let Load::Over(_) = busy {
        return busy;
    }
    if sender.limit == Limit::Cpu {
        return if word { Load::Over(CpuReason::EncoderLimited) } else { Load::Between };
    }
    let missed = match (sender.encoded_fps, sender.expected_fps) {
        (Some(encoded), Some(expected)) => encoded < expected * ENOUGH_FRAMES,
        _ => false,
    };
    // With too little bandwidth, frames are left out on purpose.
    if missed && !hidden && sender.limit == Limit::None { Load::Over(CpuReason::FramesMissed) } else { busy }
}

fn receiving(receiver: &ReceiverLoad, hidden: bool) -> Load {
    if !hidden && receiver.dropped.is_some_and(|dropped| dropped > DROPPED) {
        return Load::Over(CpuReason::FramesDropped);
    }
    by_share(receiver.busy, CpuReason::DecodeTime)
}

/// By the share of a second that a codec was busy; unknown counts as idle, and other signs decide.
fn by_share(busy: Option<f32>, reason: CpuReason) -> Load {
    let share = busy.unwrap_or_default();
    if share >= BUSY {
        Load::Over(reason)
    } else if share > IDLE {
        Load::Between
    } else {
        Load::Idle
    }
}

#[cfg(test)]
mod tests;
