//! A participant: joins, publishes clips, records what it gets, sends and hears messages, and reports.

use crate::Error;
use crate::clip::Clip;
use crate::notice::Notice;
use crate::peer::Peer;
use crate::receive::Shared;
use crate::received::Received;
use crate::report::{Report, Timings};
use crate::room::Room;
use crate::session::{self, Session};
use crate::signal::Signal;
use crate::time::Stopwatch;
use nearcast_protocol::client::Source;
use nearcast_protocol::{ClientMessage, DataFrame, ErrorInfo, Join, Joined, ParticipantId, ServerMessage};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use webrtc::data_channel::DataChannel;

/// WebSocket, offer and answer: a tenth of a second on an idle machine; compilers may run beside.
const JOIN_LIMIT: Duration = Duration::from_secs(10);
/// Everything that stops has its own limit below this.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// Notices nobody took yet; when it is full, the session waits.
const NOTICES: usize = 1024;

/// How to join.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// `ws://HOST:PORT/v1/signal`.
    pub url: String,
    /// Names room and identity.
    pub token: String,
    /// What to publish.
    pub publish: Vec<Publish>,
    /// Receiving sections of each kind; what doesn't fit is not received. Default 2.
    pub slots: usize,
    /// Where to write what is received, as `slot-MID.ivf` and `slot-MID.ogg`.
    pub record: Option<PathBuf>,
    /// Sends media here instead of to the edge's candidates: to a link of the test's own.
    pub redirect: Option<SocketAddr>,
    /// Pause between ICE checks. Default: the crate's, 200 ms.
    pub check_interval: Option<Duration>,
    /// Resolves `.local` candidates, as the crate does by default. The edge has none, so it is off by default.
    pub multicast_dns: bool,
}

impl JoinOptions {
    /// Receives two of each kind, publishes nothing.
    #[must_use]
    pub fn new(url: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: token.into(),
            publish: Vec::new(),
            slots: 2,
            record: None,
            redirect: None,
            check_interval: None,
            multicast_dns: false,
        }
    }
}

/// A clip and what it stands for.
#[derive(Clone, Debug)]
pub struct Publish {
    /// What it shows or sounds like.
    pub source: Source,
    /// Played over and over again.
    pub clip: Arc<Clip>,
}

/// A message to send.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Text.
    pub text: String,
    /// To tell messages apart.
    pub topic: Option<String>,
    /// To one participant, by its id; none: to everybody.
    pub to: Option<String>,
}

/// A participant in a room. Dropped without [`Client::stop`], it vanishes as a crashed one would.
pub struct Client {
    participant: String,
    notices: mpsc::Receiver<Notice>,
    received: watch::Receiver<Received>,
    reliable: Arc<dyn DataChannel>,
    lossy: Arc<dyn DataChannel>,
    stop: Option<oneshot::Sender<()>>,
    session: JoinHandle<Report>,
}

/// How often an edge may send us to another one.
const MOST_REDIRECTS: u32 = 4;

/// Where signalling is at an edge's address.
fn signalling_of(edge: &str) -> String {
    let edge = edge.trim_end_matches('/');
    let rest = edge.strip_prefix("http").map_or_else(|| edge.to_owned(), |rest| format!("ws{rest}"));
    if rest.ends_with("/v1/signal") { rest } else { format!("{rest}/v1/signal") }
}

impl Client {
    /// Joins; returns when the room let us in, before media flows.
    ///
    /// # Errors
    /// The edge can't be reached, refuses, doesn't answer in 10 s, or its answer can't be applied.
    pub async fn join(options: JoinOptions) -> Result<Self, Error> {
        let late = |_| Error::Late { what: "to be let into the room".to_owned(), limit: JOIN_LIMIT };
        timeout(JOIN_LIMIT, Self::join_unbounded(options)).await.map_err(late)?
    }

    async fn join_unbounded(options: JoinOptions) -> Result<Self, Error> {
        let clock = Stopwatch::start();
        let mut signal = Signal::connect(&options.url).await?;
        let signalling = clock.ms();
        let local = signal.local_ip().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut peer = Peer::new(&options, local).await?;
        let offer = peer.offer().await?;
        let offered = clock.ms();
        let join = Join {
            token: options.token,
            auto_subscribe: true,
            offer: Some(offer),
            resume: None,
            continues: None,
            client: Some(concat!("nearcast-native ", env!("CARGO_PKG_VERSION")).to_owned()),
        };
        let mut redirects = 0;
        let mut joined = loop {
            let id = signal.send(ClientMessage::Join(join.clone())).await?;
            match reply(&mut signal, id).await {
                Err(Error::Refused(ErrorInfo { edge: Some(edge), .. })) if redirects < MOST_REDIRECTS => {
                    redirects += 1;
                    signal = Signal::connect(&signalling_of(&edge)).await?;
                }
                joined => break joined?,
            }
        };
        let answer = joined.answer.take().ok_or_else(|| Error::Protocol("no answer in the reply to join".to_owned()))?;
        peer.accept(&answer.sdp, options.redirect).await?;
        let waiting = peer.players(&answer).await?;
        let timings = Timings { signalling, offered, joined: clock.ms(), ..Timings::default() };

        let (notices_in, notices) = mpsc::channel(NOTICES);
        let (received_in, received) = watch::channel(Received::default());
        let (stopping, stop_seen) = watch::channel(false);
        let participant = joined.participant.id.0.clone();
        let mut room = Room::default();
        let (slots, mut first) =
            (std::mem::take(&mut joined.slots), vec![Notice::Joined { participant: participant.clone(), ms: timings.joined }]);
        first.extend(room.enter(*joined));
        received_in.send_modify(|received| first.extend(slots.into_iter().map(|binding| room.bind(binding, received))));
        for notice in first {
            let _ = notices_in.try_send(notice); // fewer than there is room for: the edge bounds a room
        }
        let shared = Shared { clock, folder: options.record, received: received_in, notices: notices_in, stop: stop_seen };
        let (reliable, lossy) = (Arc::clone(&peer.reliable), Arc::clone(&peer.lossy));
        let session = Session { signal, peer, room, shared, timings, stopping, waiting, participant: participant.clone() };
        let (stop, stopped) = oneshot::channel();
        let session = tokio::spawn(session.run(stopped));
        Ok(Self { participant, notices, received, reliable, lossy, stop: Some(stop), session })
    }

    /// Our id in the room.
    #[must_use]
    pub fn participant(&self) -> &str {
        &self.participant
    }

    /// The next thing that happened; none when the session's task is gone. Take them: the session waits when a thousand pile up.
    pub async fn notice(&mut self) -> Option<Notice> {
        self.notices.recv().await
    }

    /// Takes notices until one is the one waited for.
    ///
    /// # Errors
    /// [`Error::Late`]; [`Error::Ended`] when the session was closed meanwhile.
    pub async fn wait(&mut self, what: &str, limit: Duration, mut is_it: impl FnMut(&Notice) -> bool) -> Result<Notice, Error> {
        let found = timeout(limit, async {
            while let Some(notice) = self.notices.recv().await {
                if is_it(&notice) {
                    return Ok(notice);
                }
                if let Notice::Closed { why } = notice {
                    return Err(Error::Ended(why));
                }
            }
            Err(Error::Ended("its task is gone".to_owned()))
        });
        found.await.map_err(|_| Error::Late { what: what.to_owned(), limit })?
    }

    /// Waits until what was received is enough.
    ///
    /// # Errors
    /// [`Error::Late`], with what was received until then.
    pub async fn received(&mut self, what: &str, limit: Duration, mut is_enough: impl FnMut(&Received) -> bool) -> Result<Received, Error> {
        let outcome =
            timeout(limit, self.received.wait_for(|received| is_enough(received))).await.map(|seen| seen.map(|seen| seen.clone()));
        match outcome {
            Ok(Ok(received)) => Ok(received),
            Ok(Err(_)) => Err(Error::Ended("its task is gone".to_owned())),
            Err(_) => {
                let seen = serde_json::to_string(&*self.received.borrow()).unwrap_or_default();
                Err(Error::Late { what: format!("{what}; received: {seen}"), limit })
            }
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The channel isn't open.
    pub async fn send(&self, message: Message, reliable: bool) -> Result<(), Error> {
        let frame = DataFrame {
            from: None,
            to: message.to.map(ParticipantId),
            topic: message.topic,
            payload: message.text.into_bytes(),
            text: true,
            beat: None,
        };
        session::send(if reliable { &self.reliable } else { &self.lossy }, &frame).await
    }

    /// Leaves the room and reports.
    ///
    /// # Errors
    /// [`Error::Ended`] when the session's task failed, [`Error::Late`] when it doesn't end.
    pub async fn stop(mut self) -> Result<Report, Error> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // already ended: its report is ready
        }
        self.notices.close(); // nobody takes them any more: the session must not wait for that
        match timeout(STOP_LIMIT, &mut self.session).await {
            Ok(report) => report.map_err(|error| Error::Ended(error.to_string())),
            Err(_) => Err(Error::Late { what: "the session to end".to_owned(), limit: STOP_LIMIT }),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.session.abort();
    }
}

/// The reply to `join`.
async fn reply(signal: &mut Signal, request: u32) -> Result<Box<Joined>, Error> {
    loop {
        match signal.next().await? {
            Some(ServerMessage::Joined(joined)) if joined.id == request => return Ok(joined),
            Some(ServerMessage::Failed { id, error }) if id == request => return Err(Error::Refused(error)),
            Some(ServerMessage::Closed { error }) => return Err(Error::Refused(error)),
            Some(_) => {}
            None => return Err(Error::Ended("the edge closed the WebSocket before it answered".to_owned())),
        }
    }
}
