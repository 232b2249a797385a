//! The life of one WHIP or WHEP session: joins its shard, reads its messages over, carries replies to PATCH, leaves.
//!
//! It ends by DELETE, by its transport (closed, or without consent for 30 seconds), by its identity joining from elsewhere, by removal,
//! when its room moves to another edge, or with the edge. Whichever it is, the shard closes the queue of messages, and with it the session goes from the table.

use super::precondition::Generation;
use super::sessions::Place;
use crate::clock;
use crate::cluster::rooms::{Moved, moved, turn};
use crate::edge::Context;
use crate::http::whip::offer::Purpose;
use crate::media::link::{Input, Outgoing, ShardLink};
use core::time::Duration;
use nearcast_protocol::{ClientEnvelope, ClientMessage, ErrorCode, ErrorInfo, Join, Joined, MediaAnswer, ServerMessage};
use sfu_core::sdp::SdpFragment;
use sfu_core::{Admission, Command, ConnectionId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::timeout;

/// How long a shard may take to answer before the edge calls itself overloaded.
const SHARD_PATIENCE: Duration = Duration::from_secs(5);

/// Sessions of a room that moves end over this time: their clients come to the next edge at once, each with a handshake. Guess: as people do who are told.
const LEAVE_OVER: Duration = Duration::from_secs(1);

/// Number of the only request by which a session joins; those of PATCH follow.
const JOIN: u32 = 1;

/// A session as requests see it.
#[derive(Debug)]
pub struct Session {
    /// Its ICE generation; whoever changes it holds it for the whole request.
    pub ice: Mutex<Generation>,
    asks: mpsc::Sender<Ask>,
    ended: watch::Receiver<bool>,
}

/// What a request wants of a session's task.
#[derive(Debug)]
enum Ask {
    Restart(SdpFragment, oneshot::Sender<Result<MediaAnswer, ErrorInfo>>),
    End,
}

/// A session that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Last part of its URL.
    pub session: String,
    /// Entity tag of its first ICE generation.
    pub tag: String,
    /// The SDP answer.
    pub answer: String,
}

/// An ICE restart.
#[derive(Debug)]
pub struct Restarted {
    /// The client's new username fragment.
    pub remote_ufrag: String,
    /// The new entity tag.
    pub tag: String,
    /// The SDP fragment with the edge's new credentials.
    pub answer: String,
}

impl Session {
    /// Asks the shard for new credentials.
    ///
    /// # Errors
    /// `session-unknown` when it ended meanwhile, `overloaded` when the shard doesn't answer.
    pub async fn restart(&self, fragment: SdpFragment) -> Result<Restarted, ErrorInfo> {
        let ended = || ErrorInfo::new(ErrorCode::SessionUnknown, "this session has ended; begin another");
        let remote_ufrag = fragment.ice.as_ref().map(|ice| ice.ufrag.clone()).unwrap_or_default();
        let (reply, replied) = oneshot::channel();
        self.asks.send(Ask::Restart(fragment, reply)).await.map_err(|_| ended())?;
        let answer = timeout(SHARD_PATIENCE, replied).await.map_err(|_| overloaded())?.map_err(|_| ended())??.sdp;
        Ok(Restarted { remote_ufrag, tag: tag(&answer), answer })
    }

    /// Ends it, and waits until it has.
    pub async fn end(&self) {
        if self.asks.send(Ask::End).await.is_ok() {
            let _ = timeout(SHARD_PATIENCE, self.over()).await;
        }
    }

    /// Waits until it has ended.
    pub async fn over(&self) {
        // An error: the task has ended already.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

/// What whoever was let in holds until the end.
#[derive(Debug)]
pub struct Entered {
    /// In the table of sessions.
    pub place: Place,
    /// Among the connections that there may be.
    pub slot: OwnedSemaphorePermit,
    /// Tells that the room is another edge's; none outside of clusters.
    pub moved: Option<Moved>,
}

/// Joins, and hands the session over to its task.
///
/// # Errors
/// The shard's refusal, or `overloaded`.
pub async fn begin(
    context: &Arc<Context>,
    purpose: Purpose,
    entered: Entered,
    remote_ufrag: String,
    admission: Admission,
    join: Join,
) -> Result<Begun, ErrorInfo> {
    let Entered { place, slot, moved } = entered;
    let shard = context.media.shard_for(&admission.room, None).ok_or_else(overloaded)?.clone();
    let (queue, messages) = mpsc::channel(context.config.outgoing_queue.as_usize());
    let connection = context.next_connection();
    let outgoing = Outgoing { queue, overflow: Arc::default() };
    let command = Command::JoinByHttp { connection, request: JOIN, admission, join };
    let mut link = Link { shard, connection, messages };
    let input = Input::Join { connection, outgoing, command };
    if !timeout(SHARD_PATIENCE, link.shard.send(input)).await.unwrap_or(false) {
        return Err(overloaded());
    }
    let joined = match timeout(SHARD_PATIENCE, link.joined()).await {
        Ok(joined) => joined?,
        Err(_) => {
            link.leave().await;
            return Err(overloaded());
        }
    };
    let answer = joined.answer.unwrap_or_default();
    if let Some(refusal) = refusal_of_all(&answer) {
        link.leave().await;
        return Err(refusal);
    }
    let tag = tag(&answer.sdp);
    let (asks, asked) = mpsc::channel(1);
    let (ending, ended) = watch::channel(false);
    let session = Session { ice: Mutex::new(Generation::new(remote_ufrag, tag.clone())), asks, ended };
    let id = place.id().to_owned();
    place.fill(Arc::new(session));
    let counters = &context.counters;
    counters.count(if purpose == Purpose::Publish { &counters.whip_begun } else { &counters.whep_begun });
    counters.count(&counters.http_open);
    let context = Arc::clone(context);
    tokio::spawn(async move {
        link.serve(asked, moved, &context.counters.http_moved).await;
        // Not to be found any more when whoever ended it hears so.
        drop(place);
        context.counters.http_open.fetch_sub(1, Ordering::Relaxed);
        ending.send_replace(true);
        drop((ending, slot));
    });
    Ok(Begun { session: id, tag, answer: answer.sdp })
}

/// The way to and from the shard.
struct Link {
    shard: ShardLink,
    connection: ConnectionId,
    messages: mpsc::Receiver<Box<ServerMessage>>,
}

impl Link {
    async fn joined(&mut self) -> Result<Box<Joined>, ErrorInfo> {
        loop {
            match self.messages.recv().await.map(|message| *message) {
                Some(ServerMessage::Joined(joined)) => return Ok(joined),
                Some(ServerMessage::Failed { id: JOIN, error } | ServerMessage::Closed { error }) => return Err(error),
                Some(_) => {}
                None => return Err(overloaded()),
            }
        }
    }

    /// Until the shard closes the queue. `sent_away` counts those that end because their room has moved.
    async fn serve(&mut self, mut asked: mpsc::Receiver<Ask>, mut room: Option<Moved>, sent_away: &AtomicU64) {
        let mut request = JOIN;
        let mut leaves = None;
        let mut waiting: Option<(u32, oneshot::Sender<_>)> = None;
        loop {
            let message = tokio::select! {
                message = self.messages.recv() => message.map(|message| *message),
                Some(ask) = asked.recv() => {
                    match ask {
                        Ask::End => self.leave().await,
                        Ask::Restart(fragment, reply) => {
                            request = request.wrapping_add(1);
                            waiting = Some((request, reply));
                            let command = Command::RestartIce { connection: self.connection, request, fragment };
                            self.shard.send(Input::Command(command)).await;
                        }
                    }
                    continue;
                }
                to = moved(&mut room) => {
                    room = None;
                    leaves = Some(clock::deadline(turn(self.connection, LEAVE_OVER)));
                    tracing::debug!(connection = self.connection.0, edge = %to.url, "the room of an HTTP session is another edge's; it ends");
                    continue;
                }
                () = clock::until(leaves) => {
                    leaves = None;
                    sent_away.fetch_add(1, Ordering::Relaxed);
                    self.leave().await;
                    continue;
                }
            };
            let (id, outcome) = match message {
                None => break,
                Some(ServerMessage::Answer { id, answer }) => (id, Ok(answer)),
                Some(ServerMessage::Failed { id, error }) => (id, Err(error)),
                Some(ServerMessage::Closed { error }) => {
                    tracing::info!(connection = self.connection.0, code = error.code.name(), "HTTP session closed: {}", error.message);
                    continue;
                }
                // Who is there, who speaks, which slot carries what: a player sees that in what it plays.
                Some(_) => continue,
            };
            if let Some((_, reply)) = waiting.take_if(|(waited, _)| *waited == id) {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(outcome);
            }
        }
        // The queue also ends when it was full; then the shard doesn't know yet. Otherwise nobody of that number is there any more.
        self.leave().await;
    }

    async fn leave(&self) {
        let envelope = ClientEnvelope { id: 0, message: ClientMessage::Leave };
        self.shard.send(Input::Command(Command::Request { connection: self.connection, envelope })).await;
    }
}

/// Why nothing was published although it was offered; none as long as one section was taken.
fn refusal_of_all(answer: &MediaAnswer) -> Option<ErrorInfo> {
    if answer.published.iter().any(|published| published.publication.is_some()) {
        return None;
    }
    answer.published.iter().find_map(|published| published.error.clone())
}

/// The entity tag of an ICE generation: the edge's username fragment, which no two have in common.
fn tag(sdp: &str) -> String {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap_or_default().to_owned()
}

fn overloaded() -> ErrorInfo {
    ErrorInfo::new(ErrorCode::Overloaded, "this edge is overloaded; use another, or try later")
}
