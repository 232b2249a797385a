//! The life of one WebSocket: outside a room, entering, inside, and out again.
//!
//! Bounds: message size and frame size (before allocation), pace, [`STRIKES`] useless messages, `outgoing_queue` messages to send,
//! [`WRITE_PATIENCE`] for one of them, `join_timeout`, `idle_timeout`. Each way to end is an [`End`], and each is counted and logged.
//!
//! A refused `join` is answered with `failed`, and ends the connection: its close code tells the reason a second time.

use super::codec::{Encoding, Undecoded};
use super::pace::{Admit, Pace};
use super::socket::{Broken, Closing, Message, Socket};
use crate::clock;
use crate::cluster::rooms::{Destination, Moved};
use crate::edge::{Context, stopped};
use crate::media::link::{Input, Outgoing, ShardLink};
use crate::token::{Expiry, TokenFault};
use core::time::Duration;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use nearcast_protocol::wire::WireError;
use nearcast_protocol::{ClientEnvelope, ClientMessage, Continues, ErrorCode, ErrorInfo, IceServer, Join, ServerMessage};
use sfu_core::{Command, ConnectionId, Continuation, Ntp, WallClock};
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

/// How long the other side may take to answer our close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// People of a room that moves are told so over this part of the time that they have.
const SPREAD_OVER: u64 = 4;

/// Between two times that somebody is told of who comes and goes, where many do. In a room of 2,000 each of them is a message to everybody, and to write each
/// by itself was half of what joining cost.
const NEWS_INTERVAL: Duration = Duration::from_millis(250);

/// WebSocket close codes from here on are ours (RFC 6455 §7.4.2).
const CLOSE_CODES: u16 = 4000;

/// Longest `client` of a join that is kept, in bytes.
const LONGEST_CLIENT: usize = 64;

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

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The other side closes.
    Closed(Option<Closing>),
    /// TCP broke.
    Lost,
    /// We close, and say why.
    Refused(ErrorInfo),
    /// The session ended, or the join was refused; the code has been sent in a message if there was a reason.
    Dismissed(Option<ErrorCode>),
    /// It reads too slowly.
    Slow,
    /// Nothing came for `idle_timeout`.
    Idle,
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

/// The room has moved, and its people with it.
struct Leaving {
    to: Arc<str>,
    /// When the participant is told, and then: when it has to be gone.
    at: tokio::time::Instant,
    told: bool,
    until: tokio::time::Instant,
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

    /// The room has moved. Who may take its time is told a little later than the next one, so that not all come at once.
    fn go(&mut self, Destination { url, within }: Destination) -> Result<(), End> {
        self.moved = None;
        let Some(within) = within.filter(|_| matches!(self.stage, Stage::Inside { .. })) else { return Err(gone(&url)) };
        let spread = u64::try_from(within.as_millis()).unwrap_or_default() / SPREAD_OVER;
        // Fibonacci hashing: numbers in a row are as far apart as can be.
        let after = (self.id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).checked_rem(spread).unwrap_or_default();
        let at = clock::deadline(Duration::from_millis(after));
        self.leaving = Some(Leaving { to: url, at, told: false, until: clock::deadline(within) });
        Ok(())
    }

    /// Tells where to go on; for the second time the last.
    async fn send_on(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let Some(leaving) = &mut self.leaving else { return Ok(()) };
        if core::mem::replace(&mut leaving.told, true) {
            return Err(gone(&leaving.to));
        }
        leaving.at = leaving.until;
        let left = leaving.until.saturating_duration_since(clock::deadline(Duration::ZERO));
        let message = ServerMessage::Move { to: leaving.to.to_string(), deadline_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX) };
        if let Some(link) = self.stage.link() {
            link.shard.send(Input::Command(Command::SentOn { connection: self.id })).await;
        }
        self.say(socket, message).await
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

    async fn join(&mut self, request: u32, mut join: Join) -> Result<(), ErrorInfo> {
        let expiry = if join.resume.is_some() { Expiry::Waived } else { Expiry::Enforced };
        let claims = self.context.keyring.verify(&join.token, clock::unix(), expiry).map_err(|fault| fault.info())?;
        if self.wanted_room.as_ref().is_some_and(|wanted| *wanted != claims.room) {
            return Err(TokenFault::WrongRoom.info());
        }
        // Whoever comes back is inside already.
        if join.resume.is_none() {
            self.moved = Box::pin(self.context.cluster.enter(&claims.room)).await?;
            self.context.admission.admit(self.id.0)?;
        } else {
            self.moved = self.context.cluster.come_back(&claims.room);
        }
        let overloaded = || ErrorInfo::new(ErrorCode::Overloaded, "this edge is overloaded; use another, or try later");
        let resume = join.resume.as_ref().map(|resume| &resume.session);
        let shard = self.context.media.shard_for(&claims.room, resume).ok_or_else(overloaded)?.clone();
        self.identity.clone_from(&claims.sub);
        self.room.clone_from(&claims.room);
        let continuation = join.continues.take().and_then(|shown| self.continuation(&shown));
        if join.resume.is_none() {
            let now = clock::now();
            self.since = Some(continuation.as_ref().map_or_else(|| WallClock::new(now, clock::unix()).ntp(now), |going_on| going_on.since));
        }
        join.token.clear(); // verified: nobody further on needs it
        join.client = join.client.map(|client| client.chars().filter(|character| !character.is_control()).take(LONGEST_CLIENT).collect());
        tracing::info!(
            connection = self.id.0,
            room = claims.room,
            identity = claims.sub,
            client = join.client.as_deref().unwrap_or_default(),
            resume = join.resume.is_some(),
            moves = continuation.as_ref().map_or(0, |going_on| going_on.count),
            "joining"
        );
        let admission = claims.admission(&self.context.config)?;
        let (queue, messages) = mpsc::channel(self.context.config.outgoing_queue.as_usize());
        let outgoing = Outgoing { queue, overflow: Arc::clone(&self.overflow) };
        let command = Command::Join { connection: self.id, request, admission, continuation, join };
        let input = Input::Join { connection: self.id, outgoing, command };
        if !timeout(SHARD_PATIENCE, shard.send(input)).await.unwrap_or(false) {
            return Err(overloaded());
        }
        self.stage = Stage::Entering { request, link: Link { shard, messages } };
        Ok(())
    }

    /// The stay that goes on here. Who can't show that it is theirs begins one of their own.
    fn continuation(&self, shown: &Continues) -> Option<Continuation> {
        let read = self.context.relay.as_ref()?.claims().read((&self.room, &self.identity), shown);
        if read.is_none() {
            tracing::info!(connection = self.id.0, "what shall show that it was at another edge doesn't; it joins as a new participant");
        }
        read
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

    /// Says goodbye as far as the end allows.
    async fn part(&self, socket: &mut WebSocket, end: End) {
        let (code, reason) = match end {
            End::Lost | End::Slow => return, // nobody reads
            End::Closed(closing) => {
                // Answered in kind, and all has been said. Whether it arrives changes nothing any more.
                let _ = timeout(CLOSE_PATIENCE, socket.send(Message::Close(closing))).await;
                return;
            }
            End::Idle => (CLOSE_CODES + ErrorCode::TransportFailed.number(), "idle"),
            End::Dismissed(None) => (1000, ""),
            End::Dismissed(Some(code)) => (CLOSE_CODES + code.number(), code.name()),
            End::Refused(error) => {
                tracing::info!(connection = self.id.0, code = error.code.name(), "connection refused: {}", error.message);
                let code = error.code;
                if self.say(socket, ServerMessage::Closed { error }).await.is_err() {
                    return;
                }
                (CLOSE_CODES + code.number(), code.name())
            }
        };
        let goodbye = async {
            socket.send(Message::Close(Some(Closing { code, reason: reason.to_owned() }))).await?;
            // Read on until the other side has closed too: closing first, with its data unread, would make TCP drop ours.
            while let Some(message) = socket.recv().await {
                if matches!(message?, Message::Close(_)) {
                    break;
                }
            }
            Ok::<(), Broken>(())
        };
        // Whatever happens now, the connection is over.
        let _ = timeout(CLOSE_PATIENCE, goodbye).await;
    }
}

/// The end of who has to be elsewhere by now.
fn gone(to: &str) -> End {
    End::Refused(ErrorInfo {
        edge: Some(to.to_owned()),
        ..ErrorInfo::new(ErrorCode::Elsewhere, format!("this room has moved to another edge: join at {to}"))
    })
}

/// Waits until the room has moved, and says where to; where it never does, for ever.
async fn moved(room: &mut Option<Moved>) -> Destination {
    if let Some(room) = room
        && let Ok(to) = room.wait_for(Option::is_some).await
        && let Some(to) = &*to
    {
        return to.clone();
    }
    core::future::pending().await
}

/// Waits until then; without a time, for ever.
async fn until(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => core::future::pending().await,
    }
}

/// Why reading failed: the one thing worth telling is a message that is too large.
fn broken(error: &Broken) -> End {
    match error {
        Broken::TooLong(most) => End::Refused(ErrorInfo::new(ErrorCode::LimitReached, format!("a message of more than {most} bytes"))),
        Broken::Protocol(_) | Broken::Io(_) => {
            tracing::debug!(%error, "a WebSocket can't be read");
            End::Lost
        }
    }
}
