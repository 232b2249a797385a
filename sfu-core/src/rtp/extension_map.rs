//! Which header extension each id stands for: negotiated per peer in SDP (`a=extmap`), read for every packet.

#[cfg(test)]
mod tests;

/// Header extensions the edge reads or writes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum ExtensionKind {
    /// Media section of the packet (RFC 9143).
    Mid,
    /// RTP stream id of a simulcast layer (RFC 8852).
    Rid,
    /// On an RTX stream, the stream id that is being repaired (RFC 8852).
    RepairedRid,
    /// Transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    TransportCc,
    /// Client-to-mixer audio level (RFC 6464).
    AudioLevel,
    /// Sender's clock, 6.18 fixed point seconds.
    AbsSendTime,
    /// Rotation and camera facing (3GPP TS 26.114).
    VideoOrientation,
    /// Wished playout delay limits.
    PlayoutDelay,
    /// AV1 RTP specification, appendix A: frame dependencies, for any codec.
    DependencyDescriptor,
    /// Which layers a sender has active, and their bitrates.
    VideoLayersAllocation,
    /// Capture time at the source, NTP format.
    AbsCaptureTime,
}

/// An extension id that cannot be used: zero is padding and 15 is reserved (RFC 8285 §4.2).
///
/// Remedy: refuse the `a=extmap` line, or offer an id in 1..=14 or 16..=255.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("header extension id {0} is reserved (RFC 8285): use 1..=14, or 16..=255 with two-byte headers")]
pub struct InvalidExtensionId(pub u8);

impl ExtensionKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 11] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::TransportCc,
        Self::AudioLevel,
        Self::AbsSendTime,
        Self::VideoOrientation,
        Self::PlayoutDelay,
        Self::DependencyDescriptor,
        Self::VideoLayersAllocation,
        Self::AbsCaptureTime,
    ];

    /// The URI that names this extension in SDP.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::TransportCc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::DependencyDescriptor => "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
            Self::VideoLayersAllocation => "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
            Self::AbsCaptureTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
        }
    }

    /// The kind that `uri` names; `None` for extensions the edge does not use.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }

    const fn slot(self) -> usize {
        self as usize
    }
}

/// Extension ids of one peer (or one media section of it), both ways.
#[derive(Clone, Debug)]
pub struct ExtensionMap {
    kind_by_id: [Option<ExtensionKind>; 256],
    id_by_kind: [Option<u8>; ExtensionKind::ALL.len()],
}

impl Default for ExtensionMap {
    fn default() -> Self {
        Self { kind_by_id: [None; 256], id_by_kind: [None; ExtensionKind::ALL.len()] }
    }
}

impl ExtensionMap {
    /// Gives `kind` the id `id`. The later of two claims to an id, or of two ids for a kind, wins.
    ///
    /// # Errors
    /// [`InvalidExtensionId`] for 0 and 15.
    pub fn insert(&mut self, id: u8, kind: ExtensionKind) -> Result<(), InvalidExtensionId> {
        if id == 0 || id == 15 {
            return Err(InvalidExtensionId(id));
        }
        if let Some(old) = self.id_of(kind) {
            self.place(old, None);
        }
        if let Some(displaced) = self.kind_of(id)
            && let Some(slot) = self.id_by_kind.get_mut(displaced.slot())
        {
            *slot = None;
        }
        self.place(id, Some(kind));
        if let Some(slot) = self.id_by_kind.get_mut(kind.slot()) {
            *slot = Some(id);
        }
        Ok(())
    }

    /// What `id` stands for.
    #[inline]
    #[must_use]
    pub fn kind_of(&self, id: u8) -> Option<ExtensionKind> {
        self.kind_by_id.get(usize::from(id)).copied().flatten()
    }

    /// The id negotiated for `kind`; `None` if it was not.
    #[inline]
    #[must_use]
    pub fn id_of(&self, kind: ExtensionKind) -> Option<u8> {
        self.id_by_kind.get(kind.slot()).copied().flatten()
    }

    fn place(&mut self, id: u8, kind: Option<ExtensionKind>) {
        if let Some(place) = self.kind_by_id.get_mut(usize::from(id)) {
            *place = kind;
        }
    }
}
