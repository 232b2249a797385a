//! The life of one WebSocket: outside a room, entering, inside, and out again.
//!
//! Bounds: message size and frame size (before allocation), pace, [`STRIKES`] useless messages, `outgoing_queue` messages to send,
//! [`WRITE_PATIENCE`] for one of them, `join_timeout`, `idle_timeout`. Each way to end is an [`End`], and each is counted and logged.
//!
//! A refused `join` is answered with `failed`, and ends the connection: its close code tells the reason a second time.
//!
//! Entering is in [`join`], going on to another edge in [`leaving`], the goodbye in [`end`].

mod end;
mod join;
mod leaving;

use super::codec::{Encoding, Undecoded};
use super::pace::{Admit, Pace};
use super::socket::{Broken, Message, Socket};
use crate::clock::{self, until};
use crate::cluster::rooms::{Moved, moved};
use crate::edge::{Context, stopped};
use crate::media::link::{Input, ShardLink};
use core::time::Duration;
use end::{End, broken};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use leaving::Leaving;
use nearcast_protocol::wire::WireError;
use nearcast_protocol::{ClientEnvelope, ClientMessage, ErrorCode, ErrorInfo, IceServer, ServerMessage};
use sfu_core::{Command, ConnectionId, Ntp};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, timeout};

/// Useless messages (not understood, out of order) after which a connection is closed. A client of ours sends none.
const STRIKES: u32 = 10;

/// How long one message may take to be taken by the kernel. Guess: longer than any stall that TCP recovers from unnoticed.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a command may wait for its shard before the edge calls itself overloaded.
const SHARD_PATIENCE: Duration = Duration::from_secs(2);

/// Between two times that somebody is told of who comes and goes, where many do. In a room of 2,000 each of them is a message to everybody, and to write each
/// by itself was a fifth of what joining cost.
const NEWS_INTERVAL: Duration = Duration::from_millis(250);

/// The WebSocket's connection.
type WebSocket = Socket<TokioIo<Upgraded>>;

/// Where the participant stands.
enum Stage {
    Outside,
    Entering { request: u32, link: Link },
    Inside { link: Link },
}

/// The way to and from the shard.
struct Link {
    shard: ShardLink,
    messages: mpsc::Receiver<Box<ServerMessage>>,
}

impl Stage {
    fn link(&self) -> Option<&Link> {
        match self {
            Self::Outside => None,
            Self::Entering { link, .. } | Self::Inside { link } => Some(link),
        }
    }

    /// The next message from the shard; `None` when the shard has closed. Waits for ever outside.
    async fn next(&mut self) -> Option<ServerMessage> {
        match self {
            Self::Outside => core::future::pending().await,
            Self::Entering { link, .. } | Self::Inside { link } => link.messages.recv().await.map(|message| *message),
        }
    }
}

/// One WebSocket.
pub struct Connection {
    context: Arc<Context>,
    id: ConnectionId,
    encoding: Encoding,
    wanted_room: Option<String>,
    stage: Stage,
    overflow: Arc<Notify>,
    pace: Pace,
    strikes: u32,
    heard: Instant,
    /// Code of the last `closed` that went out.
    told: Option<ErrorCode>,
    /// When it may next be told of who comes and goes.
    news: tokio::time::Instant,
    /// From the token.
    identity: String,
    room: String,
    /// When the stay began that the join begins or goes on with; none: it comes back to a session.
    since: Option<Ntp>,
    /// When fresh TURN credentials are due.
    renewal: Option<tokio::time::Instant>,
    /// Tells where the room has moved; none outside of clusters.
    moved: Option<Moved>,
    leaving: Option<Leaving>,
}

impl Connection {
    /// A connection that has yet to join. `wanted_room`: from the URL.
    #[must_use]
    pub fn new(context: Arc<Context>, encoding: Encoding, wanted_room: Option<String>) -> Self {
        let now = clock::now();
        let pace = Pace::new(context.config.message_rate.0, context.config.message_burst.0, now);
        Self {
            id: context.next_connection(),
            encoding,
            wanted_room,
            stage: Stage::Outside,
            overflow: Arc::default(),
            pace,
            strikes: 0,
            heard: now,
            told: None,
            news: clock::deadline(Duration::ZERO),
            identity: String::new(),
            room: String::new(),
            since: None,
            renewal: None,
            moved: None,
            leaving: None,
            context,
        }
    }

    /// Serves it to its end. `refusal`: say this and close.
    pub async fn run(mut self, mut socket: WebSocket, refusal: Option<ErrorInfo>) {
        let context = Arc::clone(&self.context);
        let counters = &context.counters;
        counters.opened.fetch_add(1, Ordering::Relaxed);
        counters.open.fetch_add(1, Ordering::Relaxed);
        let end = match refusal {
            Some(refusal) => End::Refused(refusal),
            None => self.converse(&mut socket).await,
        };
        tracing::debug!(connection = self.id.0, ?end, "signalling ended");
        counters.count(match &end {
            End::Closed(_) => &counters.closed_by_peer,
            End::Lost => &counters.lost,
            End::Refused(_) => &counters.refused,
            End::Dismissed(_) => &counters.dismissed,
            End::Slow => &counters.slow,
            End::Idle => &counters.idle,
        });
        if let (End::Refused(ErrorInfo { code: ErrorCode::Elsewhere, .. }), Some(link)) = (&end, self.stage.link()) {
            link.shard.send(Input::Command(Command::SentOn { connection: self.id })).await;
        }
        // First the shard, so that the resume window starts now and not after the goodbyes.
        if !matches!(end, End::Dismissed(_)) {
            Box::pin(self.detach()).await;
        }
        Box::pin(self.part(&mut socket, end)).await;
        counters.open.fetch_sub(1, Ordering::Relaxed);
    }

    async fn converse(&mut self, socket: &mut WebSocket) -> End {
        let settings = Arc::clone(&self.context.config);
        let mut stopping = self.context.stopping.subscribe();
        let mut ping = tokio::time::interval(settings.ping_interval.0);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset(); // the first tick would be now
        let overflow = Arc::clone(&self.overflow);
        let mut deadline = core::pin::pin!(tokio::time::sleep(settings.join_timeout.0));
        loop {
            let outside = matches!(self.stage, Stage::Outside);
            let renewal = self.renewal;
            let leaving = self.leaving.as_ref().map(|leaving| leaving.at);
            let news = socket.holds().then_some(self.news);
            let went = tokio::select! {
                // In this order: whoever reads too slowly must not end as one whose queue merely came to its end.
                biased;
                () = overflow.notified() => Err(End::Slow),
                // Boxed: a task has room for the largest of what it waits for, and it nearly always waits for the next thing to happen.
                frame = socket.recv() => Box::pin(self.hear(socket, frame)).await,
                _ = ping.tick() => Box::pin(self.ping(socket)).await,
                () = &mut deadline, if outside => {
                    Err(End::Refused(ErrorInfo::new(ErrorCode::OutOfOrder, "no join within the time allowed; the first message must be join")))
                }
                () = stopped(&mut stopping), if outside => {
                    Err(End::Refused(ErrorInfo::new(ErrorCode::ShuttingDown, "this edge is shutting down; use another")))
                }
                to = moved(&mut self.moved) => self.go(to),
                () = until(leaving) => Box::pin(self.send_on(socket)).await,
                () = until(news) => Box::pin(self.tell_news(socket)).await,
                () = until(renewal) => Box::pin(self.renew_credentials(socket)).await,
                message = self.stage.next() => Box::pin(self.tell(socket, message)).await,
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    /// Sends what the shard says, and notices what it means for the stage.
    async fn tell(&mut self, socket: &mut WebSocket, message: Option<ServerMessage>) -> Result<(), End> {
        let Some(mut message) = message else { return Err(End::Dismissed(self.told)) };
        match (&mut message, &self.stage) {
            (ServerMessage::Joined(joined), _) => {
                // What the shard needs to know nothing of.
                joined.edges.clone_from(&self.context.config.edges.0);
                if joined.edges.is_empty() {
                    joined.edges = self.context.cluster.others();
                }
                joined.ice_servers = self.ice_servers();
                joined.claim = self
                    .context
                    .relay
                    .as_ref()
                    .zip(self.since)
                    .map(|(relay, since)| relay.claims().write((&self.room, &self.identity), joined.participant.id.as_str(), since));
                if let Stage::Entering { link, .. } = core::mem::replace(&mut self.stage, Stage::Outside) {
                    self.stage = Stage::Inside { link };
                }
                self.context.counters.count(&self.context.counters.joined);
            }
            (ServerMessage::Failed { id, error }, Stage::Entering { request, .. }) if *id == *request => {
                // The end of the queue follows.
                tracing::info!(connection = self.id.0, code = error.code.name(), "join refused by the shard: {}", error.message);
                self.told = Some(error.code);
            }
            (ServerMessage::Closed { error }, _) => self.told = Some(error.code),
            (ServerMessage::ParticipantJoined { .. } | ServerMessage::ParticipantLeft { .. }, _) => {
                let now = clock::deadline(Duration::ZERO);
                let held = socket.hold(self.encoding.encode(&message)).map_err(|_| End::Lost)?;
                return if held && now < self.news { Ok(()) } else { self.tell_news(socket).await };
            }
            _ => (),
        }
        self.say(socket, message).await
    }

    /// Sends what has been held of who comes and goes.
    async fn tell_news(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        self.news = clock::deadline(NEWS_INTERVAL);
        self.patiently(socket.send_held()).await
    }

    /// STUN and TURN servers with fresh credentials, and a note of when they need others.
    fn ice_servers(&mut self) -> Vec<IceServer> {
        self.renewal = self.context.ice_servers.renewal().map(clock::deadline);
        self.context.ice_servers.of(&self.identity, clock::unix())
    }

    async fn renew_credentials(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let servers = self.ice_servers();
        self.say(socket, ServerMessage::IceServers { servers }).await
    }

    /// Takes a frame.
    async fn hear(&mut self, socket: &mut WebSocket, frame: Option<Result<Message, Broken>>) -> Result<(), End> {
        let frame = match frame {
            None => return Err(End::Lost),
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(Message::Close(closing))) => return Err(End::Closed(closing)),
            Some(Ok(frame)) => frame,
        };
        let now = clock::now();
        self.heard = now;
        match self.pace.admit(now) {
            Admit::Yes => (),
            Admit::Later(wait) => {
                self.context.counters.count(&self.context.counters.limited);
                let mut error =
                    ErrorInfo::new(ErrorCode::LimitReached, format!("more than {} messages a second", self.context.config.message_rate.0));
                error.retryable = true;
                error.retry_after_ms = Some(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1));
                return self.say(socket, ServerMessage::Failed { id: self.encoding.request_id(&frame), error }).await;
            }
            Admit::Never => {
                let message = format!("more than {} messages a second for too long", self.context.config.message_rate.0);
                return Err(End::Refused(ErrorInfo::new(ErrorCode::LimitReached, message)));
            }
        }
        match self.encoding.decode(&frame) {
            // Pings and pongs count for the pace and as a sign of life.
            None => match frame {
                Message::Ping(echo) => self.write(socket, Message::Pong(echo)).await,
                _ => Ok(()),
            },
            Some(Ok(envelope)) => self.dispatch(socket, envelope).await,
            Some(Err(Undecoded { id, error: WireError::Unknown })) => {
                // Not a strike: a newer client may try what an older edge can't do.
                self.fail(socket, id, ErrorCode::BadMessage, "a kind of message that this edge doesn't know; it was skipped").await
            }
            Some(Err(Undecoded { id, error })) => {
                self.context.counters.count(&self.context.counters.bad_messages);
                self.fail(socket, id, ErrorCode::BadMessage, &error.to_string()).await?;
                self.strike()
            }
        }
    }

    async fn dispatch(&mut self, socket: &mut WebSocket, envelope: ClientEnvelope) -> Result<(), End> {
        let ClientEnvelope { id, message } = envelope;
        match (message, &self.stage) {
            (ClientMessage::Join(join), Stage::Outside) => match self.join(id, join).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    let code = error.code;
                    tracing::info!(connection = self.id.0, code = code.name(), "join refused: {}", error.message);
                    self.context.counters.count(&self.context.counters.joins_refused);
                    self.context.refusals.count(code);
                    self.say(socket, ServerMessage::Failed { id, error }).await?;
                    Err(End::Dismissed(Some(code)))
                }
            },
            (_, Stage::Outside) => {
                self.fail(socket, id, ErrorCode::OutOfOrder, "join first").await?;
                self.strike()
            }
            (ClientMessage::Join(_), _) => {
                self.fail(socket, id, ErrorCode::OutOfOrder, "this connection has joined already; leave first, or open another").await?;
                self.strike()
            }
            (message, Stage::Entering { link, .. } | Stage::Inside { link }) => {
                let command = Command::Request { connection: self.id, envelope: ClientEnvelope { id, message } };
                if timeout(SHARD_PATIENCE, link.shard.send(Input::Command(command))).await.is_ok() {
                    return Ok(()); // to an ended shard too: its closed queue is about to end this connection
                }
                self.fail(socket, id, ErrorCode::Overloaded, "this edge is overloaded; try again").await
            }
        }
    }

    /// Tells the shard that this connection is no longer its.
    async fn detach(&mut self) {
        if let Some(link) = core::mem::replace(&mut self.stage, Stage::Outside).link() {
            link.shard.send(Input::Command(Command::Disconnected { connection: self.id })).await;
        }
    }

    async fn ping(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let silent = clock::now().saturating_duration_since(self.heard);
        if silent >= self.context.config.idle_timeout.0 {
            return Err(End::Idle);
        }
        // Who has spoken lately, as the SDK does every two seconds, keeps its way open by itself.
        if silent < self.context.config.ping_interval.0 / 2 {
            return Ok(());
        }
        self.write(socket, Message::Ping(Vec::new())).await
    }

    async fn fail(&self, socket: &mut WebSocket, id: u32, code: ErrorCode, message: &str) -> Result<(), End> {
        self.say(socket, ServerMessage::failed(id, code, message)).await
    }

    async fn say(&self, socket: &mut WebSocket, message: ServerMessage) -> Result<(), End> {
        self.write(socket, self.encoding.encode(&message)).await
    }

    async fn write(&self, socket: &mut WebSocket, frame: Message) -> Result<(), End> {
        self.patiently(socket.send(frame)).await
    }

    async fn patiently(&self, sending: impl Future<Output = io::Result<()>>) -> Result<(), End> {
        tokio::select! {
            sent = timeout(WRITE_PATIENCE, sending) => match sent {
                Ok(sent) => sent.map_err(|_| End::Lost),
                Err(_) => Err(End::Slow),
            },
            // While this message doesn't get out, others pile up behind it.
            () = self.overflow.notified() => Err(End::Slow),
        }
    }

    fn strike(&mut self) -> Result<(), End> {
        self.strikes += 1;
        if self.strikes < STRIKES {
            return Ok(());
        }
        Err(End::Refused(ErrorInfo::new(ErrorCode::BadMessage, format!("{STRIKES} messages that could not be used"))))
    }
}
