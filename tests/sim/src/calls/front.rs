//! An edge as pages meet it: WebSockets in front of shards, tokens checked at the door. It can be killed, and started anew with nothing in it.

use crate::world::Edge;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{ClientEnvelope, ClientMessage, ErrorCode, ErrorInfo, Permissions, ServerMessage};
use sfu_core::{Admission, Command, ConnectionId, ModePolicy};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// The room that everybody is in.
const ROOM: &str = "room";

pub(crate) struct Front {
    /// As `connect` takes it; none: the one that pages were given.
    pub(crate) address: Option<String>,
    /// None: dead, or it stands still.
    pub(crate) edge: Option<Edge>,
    /// Its machine takes connections, and nobody there says anything.
    pub(crate) still: bool,
    /// What it tells of the others.
    pub(crate) others: Vec<String>,
    number: u8,
    starts: u64,
}

impl Front {
    pub(crate) fn new(number: u8, others: Vec<String>) -> Self {
        let address = (number > 0).then(|| address(number));
        Self { address, edge: None, still: false, others, number, starts: 0 }
    }

    /// Starts it, empty.
    pub(crate) fn start(&mut self, seed: u64, now: Instant) {
        self.starts += 1;
        self.still = false;
        let media = SocketAddr::from((Ipv4Addr::new(203, 0, 113, 1 + self.number), 7_000));
        self.edge = Some(Edge::new(media, seed ^ (u64::from(self.number) << 32) ^ self.starts, 1, now, |_| {}));
    }

    /// What a page said on its WebSocket; an answer that is given at the door.
    pub(crate) fn hear(&mut self, now: Instant, today: Duration, connection: ConnectionId, bytes: &[u8]) -> Option<ServerMessage> {
        let envelope = ClientEnvelope::from_cbor(bytes).expect("a message that parses");
        let edge = self.edge.as_mut()?;
        let ClientMessage::Join(join) = envelope.message else {
            edge.command(now, Command::Request { connection, envelope });
            return None;
        };
        let (identity, until) = join.token.split_once(' ').expect("a token of this world");
        if Duration::from_millis(until.parse().expect("a time")) <= today {
            let error = ErrorInfo::new(ErrorCode::TokenExpired, "the token has expired; ask for another one");
            return Some(ServerMessage::Failed { id: envelope.id, error });
        }
        let admission = Admission {
            room: ROOM.to_owned(),
            identity: identity.to_owned(),
            name: identity.to_owned(),
            role: None,
            permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
            mode: ModePolicy::default(),
            max_participants: None,
            forwarding: None,
        };
        edge.command(now, Command::Join { connection, request: envelope.id, admission, continuation: None, join });
        None
    }

    /// What it says, as the door lets it pass.
    pub(crate) fn say(&self, mut message: ServerMessage) -> Vec<u8> {
        if let ServerMessage::Joined(joined) = &mut message {
            joined.edges.clone_from(&self.others);
        }
        message.to_cbor()
    }
}

/// How the edge with this number is called.
pub(crate) fn address(number: u8) -> String {
    format!("https://edge-{number}.example")
}

/// A token of this world.
pub(crate) fn token(identity: &str, until: Duration) -> String {
    format!("{identity} {}", until.as_millis())
}
