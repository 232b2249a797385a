//! The task behind a client: takes what the edge says, starts the tasks of tracks and channels, and ends them all.

use crate::interceptors;
use crate::notice::Notice;
use crate::peer::{Peer, PeerEvent};
use crate::publish::Player;
use crate::receive::{Shared, receive};
use crate::report::{Published, Report, Timings, Transport};
use crate::room::Room;
use crate::signal::Signal;
use crate::{Error, Kind};
use bytes::BytesMut;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{ClientMessage, DataFrame};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{RTCIceConnectionState, RTCPeerConnectionState, StatsSelector};

/// For tasks to write what they hold and end: milliseconds, unless the disk is stuck.
const WIND_UP: Duration = Duration::from_secs(5);
/// Messages of the data channels on their way to the session, which knows the senders' names.
const DATA_QUEUE: usize = 256;

pub(crate) struct Session {
    pub(crate) signal: Signal,
    pub(crate) peer: Peer,
    pub(crate) room: Room,
    pub(crate) shared: Shared,
    pub(crate) timings: Timings,
    /// Set at the end: every task looks at it.
    pub(crate) stopping: watch::Sender<bool>,
    /// Played from the moment the connection stands.
    pub(crate) waiting: Vec<Player>,
    pub(crate) participant: String,
}

enum FromChannel {
    Open { reliable: bool },
    Message { reliable: bool, frame: Box<DataFrame> },
}

impl Session {
    /// Runs until `stop` is sent or dropped, also after the edge closed the session.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<()>) -> Report {
        let (data, mut from_channels) = mpsc::channel(DATA_QUEUE);
        let mut tasks = JoinSet::new();
        for (reliable, channel) in [(true, &self.peer.reliable), (false, &self.peer.lossy)] {
            tasks.spawn(watch_channel(Arc::clone(channel), reliable, data.clone()));
        }
        let mut receivers = JoinSet::new();
        let mut players = JoinSet::new();
        let mut closed = None;
        loop {
            tokio::select! {
                _ = &mut stop => break,
                message = self.signal.next(), if closed.is_none() => {
                    if let Some(why) = self.take_message(message).await {
                        closed = Some(why);
                    }
                }
                Some(event) = self.peer.events.recv() => match event {
                    PeerEvent::Track(track) => {
                        if let Some((mid, kind)) = self.identify(&track).await {
                            receivers.spawn(receive(track, mid, kind, self.shared.clone()));
                        }
                    }
                    PeerEvent::Ice(RTCIceConnectionState::Connected) => {
                        self.timings.ice_connected.get_or_insert(self.shared.clock.ms());
                    }
                    PeerEvent::Ice(_) => {}
                    PeerEvent::State(state) => {
                        if state == RTCPeerConnectionState::Connected && self.timings.connected.is_none() {
                            let ms = self.shared.clock.ms();
                            self.timings.connected = Some(ms);
                            for player in self.waiting.drain(..) {
                                players.spawn(player.play(self.stopping.subscribe()));
                            }
                            self.tell(Notice::Connected { ms }).await;
                        } else if matches!(state, RTCPeerConnectionState::Failed | RTCPeerConnectionState::Disconnected) {
                            log::warn!("the connection is {state}");
                        }
                    }
                },
                Some(event) = from_channels.recv() => self.take_from_channel(event).await,
            }
        }
        self.end(receivers, players, closed).await
    }

    /// Some: the session is over, and why.
    async fn take_message(&mut self, message: Result<Option<nearcast_protocol::ServerMessage>, Error>) -> Option<String> {
        let over = match message {
            Ok(Some(message)) => {
                let mut notices = Vec::new();
                self.shared.received.send_modify(|received| notices = self.room.apply(message, received));
                let mut over = None;
                for notice in notices {
                    if let Notice::Closed { why } = &notice {
                        over = Some(why.clone());
                    }
                    self.tell(notice).await;
                }
                return over;
            }
            Ok(None) => "the edge closed the WebSocket".to_owned(),
            Err(error) => error.to_string(),
        };
        self.tell(Notice::Closed { why: over.clone() }).await;
        Some(over)
    }

    async fn take_from_channel(&mut self, event: FromChannel) {
        match event {
            FromChannel::Open { reliable } => {
                let ms = self.shared.clock.ms();
                if reliable {
                    self.timings.channel_open.get_or_insert(ms);
                }
                self.tell(Notice::ChannelOpen { reliable, ms }).await;
            }
            FromChannel::Message { reliable, frame } => {
                let from = frame.from.as_ref().map(|id| self.room.identity(id)).unwrap_or_default();
                let text = frame.text.then(|| String::from_utf8_lossy(&frame.payload).into_owned());
                self.tell(Notice::Data { from, topic: frame.topic, text, bytes: frame.payload.len(), reliable }).await;
            }
        }
    }

    async fn tell(&self, notice: Notice) {
        let _ = self.shared.notices.send(notice).await; // the client is gone: nobody to tell
    }

    /// The slot of a track that began, by the SSRC the answer announced.
    async fn identify(&self, track: &Arc<dyn TrackRemote>) -> Option<(String, Kind)> {
        let kind = if track.kind().await == RtpCodecKind::Audio { Kind::Audio } else { Kind::Video };
        let ssrcs = track.ssrcs().await;
        let mid = ssrcs.iter().find_map(|ssrc| self.peer.sections.get(ssrc)).cloned();
        if mid.is_none() {
            log::error!("a track with SSRCs {ssrcs:?} is none of the answer's");
        }
        Some((mid?, kind))
    }

    /// Says goodbye and waits until the edge has understood, which it shows by closing the WebSocket.
    async fn leave(&mut self) {
        let goodbye = async {
            self.signal.send(ClientMessage::Leave).await?;
            while self.signal.next().await?.is_some() {}
            Ok::<(), Error>(())
        };
        match timeout(WIND_UP, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("left without saying so: {error}"),
            Err(_) => log::warn!("the edge didn't let us go within {WIND_UP:?}"),
        }
    }

    /// Ends every task, says goodbye, and sums up.
    async fn end(mut self, receivers: JoinSet<()>, players: JoinSet<Published>, closed: Option<String>) -> Report {
        let _ = self.stopping.send(true); // no task left to stop: as good
        let mut published = timeout(WIND_UP, players.join_all()).await.unwrap_or_default();
        published.sort_by(|a, b| a.mid.cmp(&b.mid));
        if timeout(WIND_UP, receivers.join_all()).await.is_err() {
            log::error!("recordings were not finished within {WIND_UP:?}");
        }
        let stats = self.peer.connection.get_stats(Instant::now(), StatsSelector::None).await;
        let transport = stats.transport().map(|transport| Transport {
            srtp_cipher: transport.srtp_cipher.clone(),
            dtls_cipher: transport.dtls_cipher.clone(),
            tls_version: transport.tls_version.clone(),
        });
        if closed.is_none() {
            self.leave().await;
        }
        if let Err(error) = self.peer.connection.close().await {
            log::warn!("the connection did not close well: {error}");
        }
        Report {
            participant: self.participant,
            timings: self.timings,
            published,
            received: self.shared.received.borrow().clone(),
            transport: transport.unwrap_or_default(),
            rtcp: interceptors::lock(&self.peer.tally).clone(),
            closed,
        }
    }
}

/// Passes a channel's messages on until it closes.
async fn watch_channel(channel: Arc<dyn DataChannel>, reliable: bool, events: mpsc::Sender<FromChannel>) {
    while let Some(event) = channel.poll().await {
        let event = match event {
            DataChannelEvent::OnOpen => FromChannel::Open { reliable },
            DataChannelEvent::OnMessage(message) => match DataFrame::from_cbor(&message.data) {
                Ok(frame) => FromChannel::Message { reliable, frame: Box::new(frame) },
                Err(error) => {
                    log::error!("{} bytes that are no message: {error}", message.data.len());
                    continue;
                }
            },
            DataChannelEvent::OnClose => break,
            _ => continue,
        };
        if events.send(event).await.is_err() {
            break;
        }
    }
}

/// One message through one channel.
pub(crate) async fn send(channel: &Arc<dyn DataChannel>, frame: &DataFrame) -> Result<(), Error> {
    Ok(channel.send(BytesMut::from(frame.to_cbor().as_slice())).await?)
}
