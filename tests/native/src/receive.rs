//! One task for each track of a slot: packets into their order, into a file, into figures. Asks for a key frame when packets
//! are missing for good, as a decoder would.

use crate::Notice;
use crate::clip::Kind;
use crate::received::{Received, SlotFigures};
use crate::record::Recorder;
use crate::reorder::{Arrival, Reorder};
use crate::time::Stopwatch;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp::Packet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// What every receiving task shares with the session.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Stopwatch,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) received: watch::Sender<Received>,
    pub(crate) notices: mpsc::Sender<Notice>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Runs until the track ends or the session stops.
pub(crate) async fn receive(track: Arc<dyn TrackRemote>, mid: String, kind: Kind, mut shared: Shared) {
    let mut slot = Slot { recorder: Recorder::new(kind, shared.folder.as_deref(), &format!("slot-{mid}")), reorder: Reorder::default() };
    shared.received.send_modify(|all| all.slot(&mid).kind = Some(kind));
    let mut opened = false;
    loop {
        let event = tokio::select! {
            event = track.poll() => event,
            _ = shared.stop.wait_for(|stop| *stop) => None,
        };
        let packet = match event {
            Some(TrackRemoteEvent::OnRtpPacket(packet)) => packet,
            Some(TrackRemoteEvent::OnEnded | TrackRemoteEvent::OnError) | None => break,
            Some(_) => continue,
        };
        let ms = shared.clock.ms();
        if !std::mem::replace(&mut opened, true) {
            shared.received.send_modify(|all| all.slot(&mid).first_packet_ms = Some(ms));
            let _ = shared.notices.send(Notice::FirstMedia { mid: mid.clone(), ms }).await; // nobody listens any more: no matter
        }
        let ssrc = packet.header.ssrc;
        let mut missing = false;
        shared.received.send_modify(|all| missing = slot.take(packet, all.slot(&mid), ms));
        if missing && kind == Kind::Video {
            shared.received.send_modify(|all| all.slot(&mid).key_frames_asked += 1);
            let request = PictureLossIndication { sender_ssrc: 0, media_ssrc: ssrc };
            if let Err(error) = track.write_rtcp(vec![Box::new(request)]).await {
                log::warn!("no key frame asked for: {error}");
            }
        }
    }
    shared.received.send_modify(|all| slot.finish(all.slot(&mid)));
}

struct Slot {
    recorder: Recorder,
    reorder: Reorder<Packet>,
}

impl Slot {
    /// Counts and writes what is due. True: packets are missing for good.
    fn take(&mut self, packet: Packet, figures: &mut SlotFigures, ms: f64) -> bool {
        let size = packet.payload.len() as u64;
        match self.reorder.push(packet.header.sequence_number, packet) {
            Arrival::Duplicate => {
                figures.duplicates += 1;
                return false;
            }
            Arrival::Late => figures.late += 1,
            Arrival::InOrder => {}
        }
        figures.packets += 1;
        figures.last_packet_ms = Some(ms);
        figures.bytes += size;
        let mut missing = false;
        while let Some((packet, gap)) = self.reorder.pop() {
            missing |= gap;
            self.write(packet, figures, ms);
        }
        figures.lost = self.reorder.lost();
        missing
    }

    fn write(&mut self, packet: Packet, figures: &mut SlotFigures, ms: f64) {
        match self.recorder.write(packet) {
            Ok(seen) => {
                figures.frames += u64::from(seen.frame_end);
                if let Some((width, height)) = seen.key_frame {
                    figures.key_frames += 1;
                    (figures.width, figures.height) = (width, height);
                }
                if seen.frame_end && (figures.kind == Some(Kind::Audio) || figures.key_frames > 0) {
                    figures.first_frame_ms.get_or_insert(ms);
                }
            }
            Err(error) => log::error!("{error}"),
        }
        figures.file = self.recorder.file().map(ToOwned::to_owned);
    }

    /// What waits for a packet that will not come is left out: a decoder could do nothing with it.
    fn finish(&mut self, figures: &mut SlotFigures) {
        figures.unfinished = self.reorder.waiting();
        if let Err(error) = self.recorder.close() {
            log::error!("{error}");
        }
    }
}
