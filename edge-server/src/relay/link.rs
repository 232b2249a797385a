//! One connection to one edge, from the greeting to its end.

use super::congestion::SteadyConfig;
use super::hello::Hello;
use super::identity::{Identity, fingerprint};
use super::registry::{Candidate, Place, Refusal};
use super::stats::LinkStats;
use super::traffic::{self, Deliver};
use super::{Hub, control};
use crate::clock;
use crate::media::relays::{ELSEWHERE, Relay as Arrival, Way};
use cluster_core::NodeId;
use cluster_core::node::Fingerprint;
use core::time::Duration;
use quinn::{Connection, Endpoint, EndpointConfig, IdleTimeout, Incoming, MtuDiscoveryConfig, TokioRuntime, TransportConfig, VarInt};
use rustls::pki_types::CertificateDer;
use sfu_core::Neighbour;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, watch};

/// A link from which nothing came for so long is down. Guess: twice what a path between data centres takes to find another way; who is on the
/// other side is told of as gone then.
const SILENCE: Duration = Duration::from_secs(3);

/// How long a greeting may take.
pub(super) const GREETING: Duration = Duration::from_secs(3);

/// What the round trip is taken for at first. The first packets of a call are sent again after three times as long (RFC 9002 §6.2.2), then twice
/// and four times: with a third of a second, as the RFC has it, a way that is back would wait for up to two seconds.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);

/// Connections that greet at a time.
const GREETING_AT_ONCE: usize = 64;

/// Kernel buffers, each way.
const SOCKET_BUFFER: usize = 4 << 20;

/// Datagrams that wait in quinn, in bytes: the most that is ever needed. [`traffic`] fills it only as far as it empties within milliseconds.
pub(super) const SEND_BUFFER: usize = 512 << 10;

/// Datagrams that came and weren't read yet, in bytes; the oldest are dropped.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Bytes of UDP payload that every path carries (RFC 9000 §14), and what it is tried up to: 1,500 bytes with IPv6.
const LEAST_MTU: u16 = 1_200;
const MOST_MTU: u16 = 1_452;

/// How a link ended. Its number is what the other end reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// This edge shuts down.
    Shutdown,
    /// Another connection to the same edge took its place, or was there before.
    Doubled,
    /// It isn't who it was to be.
    Stranger(String),
    /// It is this edge itself.
    Own,
    /// Too many, or an earlier process of that edge.
    Refused(Refusal),
    /// What it says isn't understood.
    Malformed(String),
    /// It doesn't keep up with control.
    Stuck,
    /// The network, or the other end.
    Broken(String),
}

impl Ended {
    /// What the other end reads (RFC 9000 §20.2).
    pub(super) fn code(&self) -> VarInt {
        VarInt::from_u32(match self {
            Self::Shutdown => 1,
            Self::Doubled => 2,
            Self::Stranger(_) => 3,
            Self::Own => 4,
            Self::Refused(_) => 5,
            Self::Malformed(_) => 6,
            Self::Stuck => 7,
            Self::Broken(_) => 8,
        })
    }

    fn text(&self) -> String {
        match self {
            Self::Shutdown => "the edge shuts down".to_owned(),
            Self::Doubled => "there is another connection between these edges".to_owned(),
            Self::Stranger(why) | Self::Malformed(why) | Self::Broken(why) => why.clone(),
            Self::Own => "an edge has linked to itself: take its own address out of relay_peers".to_owned(),
            Self::Refused(why) => format!("refused: {why:?}"),
            Self::Stuck => "the other edge doesn't keep up with what happens in rooms".to_owned(),
        }
    }
}

/// Binds the port that links are taken and made on.
pub(super) fn bind(address: SocketAddr, identity: &Identity) -> io::Result<Endpoint> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel may grant less: then bursts are lost, and repaired.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.bind(&address.into())?;
    let transport = Arc::new(transport());
    let mut server = quinn::ServerConfig::with_crypto(identity.server());
    server.transport_config(Arc::clone(&transport));
    let mut endpoint = Endpoint::new(EndpointConfig::default(), Some(server), socket.into(), Arc::new(TokioRuntime))?;
    let mut client = quinn::ClientConfig::new(identity.client());
    client.transport_config(transport);
    endpoint.set_default_client_config(client);
    Ok(endpoint)
}

fn transport() -> TransportConfig {
    let mut discovery = MtuDiscoveryConfig::default();
    discovery.upper_bound(MOST_MTU);
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(IdleTimeout::try_from(SILENCE).ok())
        // Heartbeats keep it alive.
        .keep_alive_interval(None)
        .initial_rtt(FIRST_ROUND_TRIP)
        .initial_mtu(LEAST_MTU)
        .mtu_discovery_config(Some(discovery))
        .datagram_send_buffer_size(SEND_BUFFER)
        .datagram_receive_buffer_size(Some(RECEIVE_BUFFER))
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .congestion_controller_factory(Arc::new(SteadyConfig));
    transport
}

/// Takes connections until a shutdown begins.
pub(super) async fn accept(hub: Arc<Hub>, mut stopping: watch::Receiver<bool>) {
    let greeting = Arc::new(tokio::sync::Semaphore::new(GREETING_AT_ONCE));
    loop {
        let incoming = tokio::select! {
            incoming = hub.endpoint.accept() => incoming,
            () = crate::edge::stopped(&mut stopping) => return,
        };
        let Some(incoming) = incoming else { return };
        let Ok(permit) = Arc::clone(&greeting).try_acquire_owned() else {
            incoming.ignore();
            continue;
        };
        if !incoming.remote_address_validated() && greeting.available_permits() < GREETING_AT_ONCE / 2 {
            // Somebody sends from addresses that may not be its own: those who are real come back.
            let _ = incoming.retry();
            continue;
        }
        let hub = Arc::clone(&hub);
        tokio::spawn(async move {
            match tokio::time::timeout(GREETING, answer(&hub, incoming)).await {
                Ok(Ok(greeted)) => {
                    drop(permit);
                    run(&hub, greeted).await;
                }
                Ok(Err(why)) => tracing::debug!(?why, "a link was not taken"),
                Err(_) => tracing::debug!("a link was not taken: its greeting took too long"),
            }
        });
    }
}

/// A connection whose ends know each other.
pub(super) struct Greeted {
    connection: Connection,
    streams: (quinn::SendStream, quinn::RecvStream),
    theirs: Hello,
    id: NodeId,
    place: Place,
}

impl Greeted {
    pub(super) fn id(&self) -> &NodeId {
        &self.id
    }
}

async fn answer(hub: &Hub, incoming: Incoming) -> Result<Greeted, Failed> {
    let connection = incoming.await.map_err(|error| error.to_string())?;
    let (mut send, mut receive) = connection.accept_bi().await.map_err(|error| error.to_string())?;
    let theirs = Hello::receive(&mut receive).await?;
    hub.hello.send(&mut send).await?;
    enter(hub, connection, (send, receive), theirs, false, None)
}

/// Why a call made no link.
#[derive(Debug)]
pub(super) enum Failed {
    /// There is a link to that edge already.
    Linked(NodeId),
    /// In words.
    Because(String),
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

/// Makes a connection, within that time. `fingerprint`: what the directory says of its certificate.
pub(super) async fn call(hub: &Hub, address: SocketAddr, fingerprint: Option<Fingerprint>, within: Duration) -> Result<Greeted, Failed> {
    let calling = hub.endpoint.connect(address, super::identity::NAME).map_err(|error| error.to_string())?;
    let greeting = async {
        let connection = calling.await.map_err(|error| hint(&error))?;
        let (mut send, mut receive) = connection.open_bi().await.map_err(|error| error.to_string())?;
        hub.hello.send(&mut send).await?;
        let theirs = Hello::receive(&mut receive).await?;
        enter(hub, connection, (send, receive), theirs, true, fingerprint)
    };
    let late = || Failed::Because(format!("no answer within {} s: is its relay port open to this edge (UDP)?", within.as_secs_f32()));
    tokio::time::timeout(within, greeting).await.unwrap_or_else(|_| Err(late()))
}

/// What to look at when a connection doesn't come about.
fn hint(error: &quinn::ConnectionError) -> String {
    match error {
        quinn::ConnectionError::TransportError(_) | quinn::ConnectionError::ConnectionClosed(_) => {
            format!("{error}: do both edges have the same relay_secret, and the same version?")
        }
        _ => error.to_string(),
    }
}

fn enter(
    hub: &Hub,
    connection: Connection,
    streams: (quinn::SendStream, quinn::RecvStream),
    theirs: Hello,
    called: bool,
    expected: Option<Fingerprint>,
) -> Result<Greeted, Failed> {
    let refuse = |connection: &Connection, ended: &Ended| {
        connection.close(ended.code(), ended.text().as_bytes());
        Err(Failed::Because(ended.text()))
    };
    let Ok(id) = NodeId::parse(&theirs.id) else {
        return refuse(&connection, &Ended::Malformed("the name of the other edge isn't one".to_owned()));
    };
    let me = hub.directory.me();
    if id == *me {
        return refuse(&connection, &Ended::Own);
    }
    let shown = connection
        .peer_identity()
        .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok())
        .and_then(|chain| chain.first().map(|certificate| fingerprint(certificate)));
    let expected = expected.or_else(|| hub.directory.peer(&id).and_then(|peer| peer.relay).and_then(|relay| relay.fingerprint));
    // A process that was started just now may not have told its new certificate yet: its incarnation says so.
    let registered = hub.directory.peer(&id).map(|peer| peer.incarnation);
    let newer = registered.is_some_and(|registered| theirs.incarnation > registered);
    if expected.is_some() && expected != shown && !newer {
        let why = format!("{id} shows another certificate than the one it has registered");
        return refuse(&connection, &Ended::Stranger(why));
    }
    let by_lower = if called { *me < id } else { id < *me };
    let candidate = Candidate { id: id.clone(), incarnation: theirs.incarnation, by_lower };
    match hub.registry.enter(clock::now(), &candidate) {
        Ok(place) => Ok(Greeted { connection, streams, theirs, id, place }),
        Err(Refusal::Doubled) => {
            let _ = refuse(&connection, &Ended::Doubled);
            Err(Failed::Linked(id))
        }
        Err(refusal) => refuse(&connection, &Ended::Refused(refusal)),
    }
}

/// Carries a link's traffic until it ends; the shards are told before and after.
pub(super) async fn run(hub: &Hub, greeted: Greeted) {
    let Greeted { connection, streams: (send, receive), theirs, id, mut place } = greeted;
    let Some(first) = hub.names(theirs.shards) else {
        tracing::error!("this edge has made so many links that it must be started again");
        return;
    };
    let (queue, outgoing) = mpsc::channel(ELSEWHERE);
    let stuck = Arc::new(Notify::new());
    let about = theirs.passes_on.then(|| Neighbour {
        edge: Arc::from(id.as_str()),
        incarnation: theirs.incarnation,
        region: Arc::from(theirs.region.as_str()),
        one_way: connection.rtt() / 2,
    });
    let way = Way { first, shards: theirs.shards, queue, stuck: Arc::clone(&stuck), about };
    let deliver = Deliver::new(hub.shards.clone(), first, theirs.shards);
    for shard in &hub.shards {
        deliver.surely(shard, || Arrival::Linked(way.clone())).await;
    }
    drop(way);
    let stats = hub.totals.open(&id, connection.remote_address());
    tracing::info!(edge = %id, address = %connection.remote_address(), version = theirs.version.min(hub.hello.version), "linked");
    let ended = {
        let (outbox, writer) = control::queue();
        let media = traffic::Media { connection: &connection, outbox, deliver: deliver.clone(), stats: &stats, id: &id, hub };
        tokio::select! {
            ended = media.run(outgoing) => ended,
            ended = writer.run(send) => ended,
            ended = traffic::read_control(receive, &deliver, &stats) => ended,
            () = stuck.notified() => Ended::Stuck,
            _ = place.replaced.wait_for(|replaced| *replaced) => Ended::Doubled,
            error = connection.closed() => Ended::Broken(error.to_string()),
        }
    };
    connection.close(ended.code(), ended.text().as_bytes());
    for shard in &hub.shards {
        deliver.surely(shard, || Arrival::Cut(first)).await;
    }
    close_books(hub, &id, &stats, &ended);
    drop(place);
}

fn close_books(hub: &Hub, id: &NodeId, stats: &LinkStats, ended: &Ended) {
    hub.totals.close(stats);
    let why = ended.text();
    match ended {
        Ended::Doubled | Ended::Shutdown => tracing::debug!(edge = %id, %why, "a link ended"),
        _ => {
            hub.directory.lost(clock::now(), id);
            tracing::warn!(edge = %id, %why, "the link to an edge is down; its participants count as gone until it is back");
        }
    }
}
