//! What is measured: who sends what to how many. A new scenario is a new entry of [`ALL`].

use crate::media::Codec;
use crate::trace::{Kind, Selection};

/// What a measurement has to hold. None: it is only shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Targets {
    /// Times the floor of the same run.
    pub ratio: Option<f64>,
    /// CPU microseconds of the server per egress packet.
    pub us_per_packet: Option<f64>,
    /// Forwarding delay, 99th percentile, in microseconds.
    pub p99_us: Option<u64>,
    /// Resident kB for each subscriber.
    pub rss_kb_per_subscriber: Option<f64>,
    /// Share of packets lost.
    pub loss: Option<f64>,
    /// At least so many times cheaper, a packet, than the other server.
    pub times_cheaper: Option<f64>,
    /// The load that the figures are for: at least this share of a core. Below it nothing is decided.
    pub least_cpu: f64,
}

/// How many of the publishers send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// All of them.
    AsRecorded,
    /// As many as it takes for the server to use this share of its core.
    ShareOfCore(f64),
}

/// Rooms and their traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// Short name: of the row, and for `--scenario`.
    pub name: &'static str,
    /// What each publisher sends.
    pub media: Selection,
    /// Rooms, all alike.
    pub rooms: usize,
    /// Participants of each room who send. They receive each other when `meeting`.
    pub publishers: usize,
    /// Participants of each room who only receive, everything.
    pub subscribers: usize,
    /// Publishers receive each other's media too.
    pub meeting: bool,
    /// Publishers take turns in speaking; else all speak all the time.
    pub turns: bool,
    /// How many of them send.
    pub load: Load,
    /// Who publishes is on another edge than who receives.
    pub relayed: bool,
    /// Other servers are measured too.
    pub compared: bool,
    /// What has to hold.
    pub targets: Targets,
}

/// Camera at 720p (the best layer of the VP8 recording) and microphone: 247 packets/s, 1.8 Mbit/s.
const CAMERA: Selection = Selection { file: "chromium-vp8-simulcast-720p.csv", codec: Codec::Vp8, video: &["f"], audio: true };

/// Camera as a browser sends it to a server that chooses: three sizes.
const SIMULCAST: Selection = Selection { video: &["q", "h", "f"], ..CAMERA };

const MICROPHONE: Selection = Selection { video: &[], ..CAMERA };

const NO_TARGETS: Targets = Targets {
    ratio: None,
    us_per_packet: None,
    p99_us: None,
    rss_kb_per_subscriber: None,
    loss: None,
    times_cheaper: None,
    least_cpu: 0.0,
};

const ONE_TO_MANY: Scenario = Scenario {
    name: "",
    media: CAMERA,
    rooms: 1,
    publishers: 1,
    subscribers: 50,
    meeting: false,
    turns: false,
    load: Load::AsRecorded,
    relayed: false,
    compared: true,
    targets: NO_TARGETS,
};

const ONE_TO_ONE: Scenario =
    Scenario { rooms: 10, subscribers: 1, compared: false, targets: Targets { loss: Some(0.0), ..NO_TARGETS }, ..ONE_TO_MANY };

/// Every scenario, in the order they are run.
pub const ALL: &[Scenario] = &[
    Scenario { name: "1→50", ..ONE_TO_MANY },
    Scenario {
        name: "1→200",
        subscribers: 200,
        targets: Targets { rss_kb_per_subscriber: Some(60.0), loss: Some(0.0), times_cheaper: Some(20.0), ..NO_TARGETS },
        ..ONE_TO_MANY
    },
    // One publisher to 200 is less than a fifth of a core, and packets are dearer at low load: what has to hold from a fifth on is
    // measured with as many publishers as that takes.
    Scenario {
        name: "N→200 at 25 %",
        publishers: 10,
        subscribers: 200,
        load: Load::ShareOfCore(0.25),
        compared: false,
        targets: Targets { ratio: Some(1.6), us_per_packet: Some(1.25), loss: Some(0.0), least_cpu: 0.2, ..NO_TARGETS },
        ..ONE_TO_MANY
    },
    Scenario { name: "10×10 meeting", media: SIMULCAST, publishers: 10, subscribers: 0, meeting: true, ..ONE_TO_MANY },
    Scenario { name: "40 audio", media: MICROPHONE, publishers: 40, subscribers: 0, meeting: true, turns: true, ..ONE_TO_MANY },
    Scenario {
        name: "N→200 at 70 %",
        publishers: 16,
        subscribers: 200,
        load: Load::ShareOfCore(0.7),
        compared: false,
        targets: Targets {
            us_per_packet: Some(1.25),
            ratio: Some(1.6),
            p99_us: Some(2_000),
            loss: Some(0.0),
            least_cpu: 0.2,
            ..NO_TARGETS
        },
        ..ONE_TO_MANY
    },
    // Delay at such a load where a frame has few receivers. One of seven packets for 200 takes 1.7 ms to send, all on one core: the last
    // of them has waited that long in an empty house, and longer where frames meet.
    Scenario {
        name: "meetings at 70 %",
        rooms: 20,
        publishers: 10,
        subscribers: 0,
        meeting: true,
        load: Load::ShareOfCore(0.7),
        compared: false,
        targets: Targets { p99_us: Some(2_000), loss: Some(0.0), ..NO_TARGETS },
        ..ONE_TO_MANY
    },
    // What a link costs: each packet has one receiver, here on the same edge and there on another, whose CPU time counts as well.
    Scenario { name: "10×1→1", ..ONE_TO_ONE },
    Scenario { name: "10×1→1 relayed", relayed: true, ..ONE_TO_ONE },
];

impl Scenario {
    /// Publishers that each publisher receives.
    #[must_use]
    pub fn heard_by_publishers(&self) -> usize {
        if self.meeting { self.publishers.saturating_sub(1) } else { 0 }
    }

    /// Copies of one publisher's media that leave the server.
    #[must_use]
    pub fn copies_of_each(&self) -> usize {
        self.heard_by_publishers() + self.subscribers
    }

    /// Participants who receive something, in all rooms.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.rooms * (self.subscribers + if self.meeting { self.publishers } else { 0 })
    }

    /// What each publisher sends.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let video = (!self.media.video.is_empty()).then_some(Kind::Video);
        self.media.audio.then_some(Kind::Audio).into_iter().chain(video).collect()
    }

    /// The same with another codec's recording, where there is video. Only VP8 was recorded in layers.
    #[must_use]
    pub fn with_codec(self, codec: Codec) -> Self {
        let file = match codec {
            Codec::Vp9 => "chromium-vp9-720p.csv",
            Codec::Av1 => "chromium-av1-360p.csv",
            Codec::H264 => "chromium-h264-360p.csv",
            Codec::Vp8 | Codec::Opus => return self,
        };
        if self.media.video.is_empty() {
            return self;
        }
        Self { media: Selection { file, codec, video: &["-"], ..self.media }, ..self }
    }

    /// The same with few participants: for tests of the harness, not for figures.
    #[must_use]
    pub fn quick(self) -> Self {
        Self {
            rooms: self.rooms.min(2),
            publishers: self.publishers.min(if self.meeting { 3 } else { 2 }),
            subscribers: self.subscribers.min(4),
            targets: NO_TARGETS,
            load: Load::AsRecorded,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_count_who_receives_whom() {
        let one_to_many = ALL[0];
        assert_eq!((one_to_many.copies_of_each(), one_to_many.receivers()), (50, 50));
        assert_eq!(Scenario { rooms: 4, ..one_to_many }.receivers(), 200);
        let meeting = Scenario { publishers: 10, subscribers: 0, meeting: true, ..one_to_many };
        assert_eq!((meeting.copies_of_each(), meeting.receivers()), (9, 10));
        assert_eq!(meeting.quick().copies_of_each(), 2);
    }

    #[test]
    fn names_are_unique_and_recordings_are_there() {
        for (index, scenario) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != scenario.name));
            for codec in [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264] {
                assert!(crate::trace::Trace::load(&scenario.with_codec(codec).media).is_ok());
            }
        }
    }
}
