//! One transport of one participant: ICE, DTLS, SRTP and SCTP behind one bundle, the streams that come in and the slots that go out.
//!
//! Not here: what the streams mean to the room (`shard`).

mod ingress;

pub(crate) use ingress::{IncomingStream, Ingress, Meaning};

use crate::congestion::{CongestionController, SentClass};
use crate::data_channel::DataChannels;
use crate::dtls::{DtlsRole, DtlsTransport};
use crate::egress::Egress;
use crate::egress::evening::Evening;
use crate::egress::guard::{Breach, Guard};
use crate::egress::waiting::WaitingQueue;
use crate::forwarder::{ResendBudget, ResendsUnderway, Written};
use crate::ice::IceLite;
use crate::packet::MediaPacket;
use crate::publication::{CaptureClocks, Publication};
use crate::remote::Remote;
use crate::rtcp::TwccRecorder;
use crate::rtp::append_padding;
use crate::sdp::Fingerprint;
use crate::slot::Slot;
use crate::srtp::{SrtpError, SrtpKeys, SrtpReceiver, SrtpSender};
use std::time::{Duration, Instant};

/// Addresses one transport may come from at a time: a dual-stack host with Wi-Fi and cellular tries four, an ICE restart doubles it.
pub(crate) const MAX_TUPLES: usize = 8;

/// Keys of both directions.
#[derive(Debug)]
pub(crate) struct SrtpPair {
    pub(crate) sender: SrtpSender,
    pub(crate) receiver: SrtpReceiver,
}

impl SrtpPair {
    /// Our key seals what we send, the other side's opens what arrives (RFC 5764 §4.2).
    pub(crate) fn new(keys: &SrtpKeys, role: DtlsRole) -> Result<Self, SrtpError> {
        let (ours, theirs) = match role {
            DtlsRole::Server => (&keys.server, &keys.client),
            DtlsRole::Client => (&keys.client, &keys.server),
        };
        Ok(Self { sender: SrtpSender::new(ours)?, receiver: SrtpReceiver::new(theirs)? })
    }
}

/// The description this transport was answered with: counts up with every answer (RFC 8829 §5.3.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerVersion {
    pub(crate) session: u64,
    pub(crate) version: u64,
}

/// A participant's transport.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) ice: IceLite,
    pub(crate) dtls: DtlsTransport,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) srtp: Option<SrtpPair>,
    /// When its offer was answered.
    pub(crate) began: Instant,
    pub(crate) data: DataChannels,
    pub(crate) tuples: Vec<Remote>,
    pub(crate) ingress: Ingress,
    pub(crate) slots: Vec<Slot>,
    pub(crate) twcc: TwccRecorder,
    /// A stream that the feedback may name as its subject: Chromium ignores feedback for an SSRC it doesn't send.
    pub(crate) twcc_media_ssrc: u32,
    pub(crate) answer: AnswerVersion,
    /// SSRC under which we send feedback.
    pub(crate) rtcp_ssrc: u32,
    pub(crate) next_report: Instant,
    /// Smoothed round trip, from receiver reports.
    pub(crate) round_trip: Option<Duration>,
    /// What may be sent again.
    pub(crate) resends: ResendBudget,
    pub(crate) resends_underway: ResendsUnderway,
    /// How much the way to it carries. Boxed: a transport is looked up far more often than it is estimated.
    pub(crate) congestion: Box<CongestionController>,
    /// Video that its way can't take yet.
    pub(crate) waiting: WaitingQueue,
    /// Publisher's NTP clock to ours, in NTP units; one for all its streams, so that they stay in sync with each
    /// other; and when it was last set.
    pub(crate) clock_offset: Option<(i64, Instant)>,
    /// When the last authentic report came: receivers and senders both send one a second.
    pub(crate) heard: Option<Instant>,
    /// The other side closed its transport.
    pub(crate) closed: bool,
}

impl Peer {
    pub(crate) fn new(
        ice: IceLite,
        dtls: DtlsTransport,
        fingerprint: Fingerprint,
        answer: AnswerVersion,
        rtcp_ssrc: u32,
        now: Instant,
    ) -> Self {
        Self {
            ice,
            dtls,
            fingerprint,
            srtp: None,
            began: now,
            data: DataChannels::new(),
            tuples: Vec::new(),
            ingress: Ingress::default(),
            slots: Vec::new(),
            twcc: TwccRecorder::new(),
            twcc_media_ssrc: 0,
            answer,
            rtcp_ssrc,
            next_report: now,
            round_trip: None,
            resends: ResendBudget::default(),
            resends_underway: ResendsUnderway::default(),
            congestion: Box::new(CongestionController::new(now)),
            waiting: WaitingQueue::default(),
            clock_offset: None,
            heard: None,
            closed: false,
        }
    }

    /// Sends bytes that are already sealed (STUN, DTLS) to an address that has passed a check.
    pub(crate) fn send_raw(&mut self, egress: &mut Egress, to: Remote, datagram: &[u8]) {
        egress.push(to, datagram);
    }

    /// Moves what DTLS and SCTP have to say into `egress`.
    pub(crate) fn flush(&mut self, egress: &mut Egress) {
        while let Some(packet) = self.data.poll_transmit() {
            self.dtls.send(&packet);
            self.flush_dtls(egress);
        }
        self.flush_dtls(egress);
    }

    fn flush_dtls(&mut self, egress: &mut Egress) {
        while let Some(datagram) = self.dtls.poll_transmit() {
            // Before nomination the answer goes to the address the handshake comes from: the last that passed a check.
            if let Some(to) = self.remote() {
                egress.push(to, &datagram);
            }
        }
    }

    /// Where to send: the nominated address or, before there is one, the last that passed a check. Media may go before nomination
    /// (RFC 8445 §12.1), and has to: Chromium often nominates after the handshake, when the key frame asked for on behalf of a
    /// newcomer has passed, and the next one is 500 ms away.
    pub(crate) fn remote(&self) -> Option<Remote> {
        self.ice.nominated().or(self.tuples.last().copied())
    }

    /// Bytes of a frame of video that may be sent now; none while others wait.
    #[inline]
    pub(crate) fn room_for_frame(&mut self, now: Instant) -> usize {
        if self.waiting.is_empty() { self.congestion.video_room(now, 0, now) } else { 0 }
    }

    /// Bytes that may be sent now of what waits.
    pub(crate) fn room_for_waiting(&mut self, now: Instant) -> usize {
        match self.waiting.backlog() {
            Some((bytes, since)) if !self.waiting.is_overfull() => self.congestion.video_room(now, bytes, since),
            _ => usize::MAX,
        }
    }

    /// Writes the packets of a frame for slot `slot` where they will be sent from, one behind the other, and seals them; as many as fit into
    /// `room` bytes, of which the last may need more.
    pub(crate) fn send_frame(
        &mut self,
        egress: &mut Egress,
        slot: usize,
        now: Instant,
        room: usize,
        frame: &FramePackets<'_>,
    ) -> SentFrame {
        let mut sent = SentFrame::default();
        let (Some(to), Some(srtp)) = (self.remote(), self.srtp.as_ref()) else { return sent };
        let Some(slot) = self.slots.get_mut(slot) else { return sent };
        if !slot.forwarder.wants(frame.encoding) && !slot.forwarder.has_missed() {
            return sent;
        }
        let class = if slot.video { SentClass::Video } else { SentClass::Audio };
        let mut sealing = Sealing { srtp, congestion: &mut self.congestion, now, overhead: to.overhead(), class };
        for (index, packet) in frame.packets.iter().flatten().enumerate() {
            if slot.forwarder.has_missed() {
                send_missed(egress, to, slot, &mut sealing, room, frame, &mut sent);
            }
            if sent.bytes >= room {
                sent.stopped = true;
                break;
            }
            sent.taken = sent.taken.saturating_add(1);
            let even_out = frame.evening.contains(index) && slot.repairs_elsewhere(packet.info.codec);
            let Slot { forwarder, format, guard, video, .. } = slot;
            let pushed = egress.push_with(to, !*video, |buffer| {
                let written = forwarder.forward(frame.at, packet, &frame.clocks, format, buffer);
                sealing.seal_new(guard, buffer, written.as_ref()?, even_out, &mut sent.refused)
            });
            sent.bytes = sent.bytes.saturating_add(pushed.unwrap_or(0));
            sent.packets = sent.packets.saturating_add(u32::from(pushed.is_some()));
            sent.padded = sent.padded.saturating_add(u32::from(pushed.is_some() && even_out));
        }
        if slot.forwarder.has_missed() {
            send_missed(egress, to, slot, &mut sealing, room, frame, &mut sent);
            sent.stopped |= slot.forwarder.has_missed();
        }
        self.resends.on_media(now, sent.bytes);
        sent
    }

    /// Writes one RTP packet of slot `slot` where it will be sent from, and seals it. Returns the datagram's size.
    pub(crate) fn send_rtp(
        &mut self,
        egress: &mut Egress,
        slot: usize,
        now: Instant,
        class: SentClass,
        write: impl FnOnce(&mut Slot, &mut [u8]) -> Option<Written>,
    ) -> Option<usize> {
        let to = self.remote()?;
        let srtp = self.srtp.as_ref()?;
        let slot = self.slots.get_mut(slot)?;
        let mut sealing = Sealing { srtp, congestion: &mut self.congestion, now, overhead: to.overhead(), class };
        egress.push_with(to, !slot.video, |buffer| {
            let written = write(slot, buffer);
            sealing.seal(buffer, written.as_ref()?, false)
        })
    }

    /// Writes one compound RTCP packet and seals it; `write` returns its plain length.
    pub(crate) fn send_rtcp(&mut self, egress: &mut Egress, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<usize> {
        let to = self.remote()?;
        let srtp = self.srtp.as_mut()?;
        egress.push_with(to, false, |buffer| {
            let length = write(buffer).filter(|length| *length > 0)?;
            srtp.sender.protect_rtcp(buffer, length).ok()
        })
    }

    /// The slot whose stream (or its RTX) has this SSRC.
    pub(crate) fn slot_of_ssrc(&mut self, ssrc: u32) -> Option<(usize, &mut Slot)> {
        self.slots.iter_mut().enumerate().find(|(_, slot)| slot.forwarder.ssrc() == ssrc || slot.forwarder.rtx_ssrc() == Some(ssrc))
    }
}

/// A frame's packets, or a part of them, in the order of their numbers.
#[derive(Debug)]
pub(crate) struct FramePackets<'a> {
    pub(crate) publication: &'a Publication,
    /// Index into the publication's encodings.
    pub(crate) encoding: u8,
    /// When it was let go.
    pub(crate) at: Instant,
    pub(crate) packets: &'a [Option<MediaPacket<'a>>],
    pub(crate) clocks: CaptureClocks,
    pub(crate) evening: Evening,
}

impl<'a> FramePackets<'a> {
    pub(crate) fn new(publication: &'a Publication, encoding: u8, at: Instant, packets: &'a [Option<MediaPacket<'a>>]) -> Self {
        let evening = Evening::of(packets.iter().flatten().map(|packet| packet.payload.len()));
        Self { publication, encoding, at, packets, clocks: publication.capture_clocks(), evening }
    }
}

/// What became of a frame for one subscriber.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SentFrame {
    pub(crate) packets: u32,
    /// Of these, with a byte of padding.
    pub(crate) padded: u32,
    /// What the guard stopped: none, unless the forwarder has a fault.
    pub(crate) refused: u32,
    pub(crate) bytes: usize,
    /// Packets of the frame that the forwarder was given.
    pub(crate) taken: usize,
    /// There was no room for the rest.
    pub(crate) stopped: bool,
}

/// Sends what the forwarder wants of the cache before it is given anything else, as much as fits into `room`.
#[cold]
fn send_missed(
    egress: &mut Egress,
    to: Remote,
    slot: &mut Slot,
    sealing: &mut Sealing<'_>,
    room: usize,
    frame: &FramePackets<'_>,
    sent: &mut SentFrame,
) {
    while sent.bytes < room
        && let Some(missed) = slot.forwarder.next_missed()
    {
        let stream = frame.publication.stream(missed.encoding);
        let Some(packet) = stream.and_then(|stream| stream.cache.lookup(missed.seq)) else { continue };
        let Slot { forwarder, format, guard, video, .. } = slot;
        let pushed = egress.push_with(to, !*video, |buffer| {
            let written = forwarder.forward(frame.at, &packet, &frame.clocks, format, buffer);
            sealing.seal_new(guard, buffer, written.as_ref()?, false, &mut sent.refused)
        });
        sent.bytes = sent.bytes.saturating_add(pushed.unwrap_or(0));
        sent.packets = sent.packets.saturating_add(u32::from(pushed.is_some()));
    }
}

/// Appends one byte of RTP padding to the packet in `buffer[..len]`, unless padding is all it has; returns the new length.
fn with_padding_byte(buffer: &mut [u8], len: usize) -> Option<usize> {
    let padded = buffer.first().is_some_and(|flags| flags & 0x20 != 0);
    if padded { Some(len) } else { append_padding(buffer, len, 1).ok() }
}

/// A fault of ours: in tests it stops them, in service it costs one packet and is counted.
#[cold]
fn refuse(breach: Breach, refused: &mut u32) -> Option<usize> {
    debug_assert!(false, "the forwarder wrote a packet that must not leave: {breach:?}");
    *refused = refused.saturating_add(1);
    None
}

/// What sealing needs: every RTP packet of a peer comes through here, in the order in which it is sent.
struct Sealing<'a> {
    srtp: &'a SrtpPair,
    congestion: &'a mut CongestionController,
    now: Instant,
    overhead: usize,
    class: SentClass,
}

impl Sealing<'_> {
    /// Seals a packet that goes for the first time, unless the slot's guard finds that it must not.
    #[inline]
    fn seal_new(&mut self, guard: &mut Guard, buffer: &mut [u8], written: &Written, even_out: bool, refused: &mut u32) -> Option<usize> {
        let timestamp = u32::from_be_bytes(*buffer.get(4..)?.first_chunk()?);
        if let Err(breach) = guard.admit(written.index, timestamp) {
            return refuse(breach, refused);
        }
        self.seal(buffer, written, even_out)
    }

    /// Gives a plain packet its transport-wide number, and a byte of padding if it is to be evened out, and seals it where it lies; returns
    /// the datagram's length.
    ///
    /// `written` comes by reference, from where it was returned: a copy would be made in pieces of another size than it was written in, and
    /// such a read waits until the whole payload behind it has left the core's store buffer (4 % of the edge's time).
    #[inline]
    fn seal(&mut self, buffer: &mut [u8], written: &Written, even_out: bool) -> Option<usize> {
        if let Some(at) = written.transport_cc_at {
            let number = self.congestion.next_number().to_be_bytes();
            *buffer.get_mut(at..)?.first_chunk_mut()? = number;
        }
        let len = if even_out { with_padding_byte(buffer, written.len)? } else { written.len };
        let len = self.srtp.sender.protect_rtp(buffer, len, written.header_len, written.index).ok()?;
        let bytes = len.saturating_add(self.overhead);
        if written.transport_cc_at.is_some() {
            self.congestion.on_sent(self.now, bytes, self.class);
        } else {
            self.congestion.on_sent_unnumbered(self.now, bytes);
        }
        Some(len)
    }
}
