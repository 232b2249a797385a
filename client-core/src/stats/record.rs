//! One stream in one reading: [`STRIDE`] numbers, NaN where the browser says nothing. npm/src/flatten.ts writes them; its test compares the two
//! lists of names.

/// Numbers in a record.
pub const STRIDE: usize = 32;

/// The place of each number. Of a sent stream, what the other side reports (`remote-inbound-rtp`) stands where a received one has its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// See [`Kind`].
    Kind,
    /// `mid`.
    Mid,
    /// `ssrc`.
    Ssrc,
    /// `timestamp`: milliseconds of the page's clock.
    At,
    /// `bytesSent` or `bytesReceived`; of the way: received.
    Bytes,
    /// `packetsSent` or `packetsReceived`; of the way: bytes sent.
    Packets,
    /// `packetsLost`.
    Lost,
    /// `fractionLost`, as reported; of the way: `availableOutgoingBitrate`.
    LossRatio,
    /// `jitter`, seconds.
    Jitter,
    /// `roundTripTime`, seconds; of the way: `currentRoundTripTime`.
    Rtt,
    /// When the report of the other side came; of the way: `lastPacketReceivedTimestamp`.
    HeardAt,
    /// `jitterBufferDelay`, seconds in all.
    Buffered,
    /// `jitterBufferEmittedCount`.
    Emitted,
    /// `totalSamplesReceived`.
    Samples,
    /// `concealedSamples`.
    Concealed,
    /// `silentConcealedSamples`.
    SilentConcealed,
    /// `concealmentEvents`.
    Concealments,
    /// `framesEncoded` or `framesDecoded`.
    Frames,
    /// `totalEncodeTime` or `totalDecodeTime`, seconds.
    Coding,
    /// `qpSum`.
    QpSum,
    /// `framesPerSecond`, by the browser's own window.
    Fps,
    /// `frameWidth`.
    Width,
    /// `frameHeight`.
    Height,
    /// `totalFreezesDuration`, seconds.
    Frozen,
    /// `freezeCount`.
    Freezes,
    /// `framesPerSecond` of the source.
    SourceFps,
    /// `width` of the source.
    SourceWidth,
    /// `height` of the source.
    SourceHeight,
    /// `qualityLimitationReason`: none, cpu, bandwidth, other (0 to 3).
    Limit,
    /// VP8, VP9, AV1, H.264, Opus (1 to 5), others 0.
    Codec,
    /// `active`: 0 or 1.
    Active,
    /// `framesDropped`.
    Dropped,
}

/// What a record is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The transport with its selected pair of candidates: no section, no SSRC.
    Way,
    /// Sound that is sent.
    AudioSent,
    /// A picture, or one encoding of it, that is sent.
    VideoSent,
    /// Sound that is received.
    AudioReceived,
    /// A picture that is received.
    VideoReceived,
}

/// More bytes than a call of years, and later than any clock in milliseconds.
const MOST: f64 = 1e15;

/// A copy of one record with its place in time.
#[derive(Clone, Debug)]
pub(super) struct Record {
    kind: Kind,
    at: f64,
    numbers: [f64; STRIDE],
}

impl Record {
    /// None: of no kind that we know, or of no time.
    pub(super) fn read(numbers: &[f64]) -> Option<Self> {
        let numbers: [f64; STRIDE] = numbers.try_into().ok()?;
        let kinds = [Kind::Way, Kind::AudioSent, Kind::VideoSent, Kind::AudioReceived, Kind::VideoReceived];
        let [number, ..] = numbers;
        let kind = kinds.into_iter().find(|kind| f64::from(*kind as u8) == number)?;
        let record = Self { kind, at: 0.0, numbers };
        Some(Self { at: record.get(Field::At)?, ..record })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Milliseconds.
    pub(super) fn at(&self) -> f64 {
        self.at
    }

    /// A number, if the browser says it. None of them can be negative, or beyond what counters reach; what is, is a fault.
    pub(super) fn get(&self, field: Field) -> Option<f64> {
        self.numbers.get(field as usize).copied().filter(|number| (0.0..MOST).contains(number))
    }

    /// How much a counter has risen since `earlier`; none: it hasn't, or isn't known at both ends.
    pub(super) fn rise(&self, earlier: &Self, field: Field) -> Option<f64> {
        Some(self.get(field)? - earlier.get(field)?).filter(|rise| *rise >= 0.0)
    }
}
