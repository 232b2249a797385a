//! Two looks into the `webrtc` crate's chain of interceptors: what RTCP goes each way, and requests for key frames, which
//! would otherwise end inside the chain.

use crate::report::Rtcp;
use rtc::interceptor::{Attribute, Interceptor, Packet, Registry, Slot, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::SourceDescription;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Next to the wire: every named slot of the chain is at 1,000 or above.
const WIRE: usize = 500;
/// Next to the application: every named slot is below 14,000.
const APPLICATION: usize = 14_000;

/// RTCP as it is counted while the call runs.
pub(crate) type Tally = Arc<Mutex<Rtcp>>;

/// Adds both looks to a chain.
pub(crate) fn watch(registry: Registry, tally: &Tally) -> Registry {
    let (inbound, outbound) = (Arc::clone(tally), Arc::clone(tally));
    let count = Tap::new(
        move |packet| count_rtcp(packet, |name| *lock(&inbound).received.entry(name).or_default() += 1),
        move |packet| {
            count_rtcp(packet, |name| *lock(&outbound).sent.entry(name).or_default() += 1);
            if packet.message.has(&Attribute::Retransmission) {
                lock(&outbound).resent += 1;
            }
        },
    );
    registry.with(Slot::from(WIRE), count).with(Slot::from(APPLICATION), Tap::new(pass_on_key_frame_requests, |_| {}))
}

pub(crate) fn lock(tally: &Tally) -> std::sync::MutexGuard<'_, Rtcp> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count_rtcp(packet: &TaggedPacket, mut count: impl FnMut(&'static str)) {
    if let Packet::Rtcp(packets) = &packet.message.packet {
        for packet in packets {
            count(name_of(packet.as_ref()));
        }
    }
}

fn name_of(packet: &dyn rtc::rtcp::Packet) -> &'static str {
    let packet = packet.as_any();
    match () {
        () if packet.is::<TransportLayerNack>() => "nack",
        () if packet.is::<PictureLossIndication>() => "pli",
        () if packet.is::<FullIntraRequest>() => "fir",
        () if packet.is::<TransportLayerCc>() => "twcc",
        () if packet.is::<ReceiverEstimatedMaximumBitrate>() => "remb",
        () if packet.is::<SenderReport>() => "sender_report",
        () if packet.is::<ReceiverReport>() => "receiver_report",
        () if packet.is::<SourceDescription>() => "source_description",
        () => "other",
    }
}

/// Leaves of a compound packet only what asks for a key frame, and marks it for the application: every interceptor that had
/// to see the rest has seen it by now.
fn pass_on_key_frame_requests(packet: &mut TaggedPacket) {
    let Packet::Rtcp(packets) = &mut packet.message.packet else { return };
    packets.retain(|packet| packet.as_any().is::<PictureLossIndication>() || packet.as_any().is::<FullIntraRequest>());
    if !packets.is_empty() {
        packet.message.add(Attribute::DeliverToApplication);
    }
}

type Look = Box<dyn FnMut(&mut TaggedPacket) + Send + Sync>;

/// An interceptor that looks at every packet and holds none back.
struct Tap {
    inbound: Look,
    outbound: Look,
    /// Emptied by the chain after every packet.
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl Tap {
    fn new(
        inbound: impl FnMut(&mut TaggedPacket) + Send + Sync + 'static,
        outbound: impl FnMut(&mut TaggedPacket) + Send + Sync + 'static,
    ) -> Self {
        Self { inbound: Box::new(inbound), outbound: Box::new(outbound), read: VecDeque::new(), write: VecDeque::new() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = webrtc::error::Error;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Self::Error> {
        (self.inbound)(&mut packet);
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, mut packet: TaggedPacket) -> Result<(), Self::Error> {
        (self.outbound)(&mut packet);
        self.write.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
