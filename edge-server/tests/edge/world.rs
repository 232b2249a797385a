//! An edge in this process, and clients that speak to it.

use futures_util::{SinkExt, StreamExt};
use nearcast_edge::config::keys::Key;
use nearcast_edge::config::{Config, Flags};
use nearcast_edge::edge::Edge;
use nearcast_edge::token::keyring::mint;
use nearcast_edge::token::{Claims, Grants};
use nearcast_protocol::wire::{Cbor, Json};
use nearcast_protocol::{
    ClientEnvelope, ClientMessage, ErrorCode, Join, Joined, Permissions, SUBPROTOCOL_CBOR, SUBPROTOCOL_JSON, ServerMessage,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long anything may take; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Flags of an edge in development on free ports of 127.0.0.1, with two shards.
pub(crate) fn flags() -> Flags {
    let text = |text: &str| Some(text.to_owned());
    Flags { dev: text("true"), http: text("127.0.0.1:0"), udp: text("127.0.0.1:0"), shards: text("2"), ..Flags::default() }
}

/// Starts an edge.
pub(crate) async fn start(flags: &Flags) -> Edge {
    Edge::start(Config::load(flags, []).unwrap()).await.unwrap()
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes too long")
}

/// Claims that are valid for an hour.
pub(crate) fn claims(room: &str, identity: &str) -> Claims {
    let permissions = Permissions { publish: true, subscribe: true, publish_data: true, moderate: false };
    let ttl = Duration::from_secs(3600);
    let (room, identity) = (room.to_owned(), identity.to_owned());
    let grants = Grants { room, identity, name: None, role: None, permissions, mode: None, max_participants: None, policy: None, ttl };
    grants.claims(nearcast_edge::clock::unix()).unwrap()
}

/// Signs with the development key.
pub(crate) fn sign(claims: &Claims) -> String {
    mint(&Key::development(), claims).unwrap()
}

/// A token of the development key.
pub(crate) fn token(room: &str, identity: &str) -> String {
    sign(&claims(room, identity))
}

/// One WebSocket.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    cbor: bool,
    next_id: u32,
}

/// How a connection ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Closed {
    /// WebSocket close code.
    pub(crate) code: u16,
    /// WebSocket close reason.
    pub(crate) reason: String,
}

impl Client {
    /// Connects with the subprotocols given, perhaps to a URL with a query.
    pub(crate) async fn try_connect(edge: SocketAddr, protocols: &[&str], query: &str) -> Result<Self, Error> {
        Self::over(soon(TcpStream::connect(edge)).await.unwrap(), edge, protocols, query).await
    }

    /// The same over a TCP connection made by the caller.
    pub(crate) async fn over(stream: TcpStream, edge: SocketAddr, protocols: &[&str], query: &str) -> Result<Self, Error> {
        let mut request = format!("ws://{edge}/v1/signal{query}").into_client_request().unwrap();
        if !protocols.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", protocols.join(", ").parse().unwrap());
        }
        let (socket, response) = soon(tokio_tungstenite::client_async(request, stream)).await?;
        let cbor = response.headers().get("sec-websocket-protocol").is_some_and(|name| name.as_bytes().ends_with(b".cbor"));
        Ok(Self { socket, cbor, next_id: 1 })
    }

    /// Connects and speaks CBOR.
    pub(crate) async fn cbor(edge: &Edge) -> Self {
        Self::try_connect(edge.http(), &[SUBPROTOCOL_CBOR], "").await.unwrap()
    }

    /// Connects and speaks JSON.
    pub(crate) async fn json(edge: &Edge) -> Self {
        Self::try_connect(edge.http(), &[SUBPROTOCOL_JSON], "").await.unwrap()
    }

    /// Connects and joins.
    pub(crate) async fn joined(edge: &Edge, room: &str, identity: &str) -> (Self, Box<Joined>) {
        let mut client = Self::cbor(edge).await;
        let joined = client.join(join(&token(room, identity))).await.expect("not let in");
        (client, joined)
    }

    /// A connection over a receive buffer of a few kilobytes.
    pub(crate) async fn narrow(edge: &Edge) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = soon(socket.connect(edge.http())).await.unwrap();
        Self::over(stream, edge.http(), &[SUBPROTOCOL_CBOR], "").await.unwrap()
    }

    /// Sends a request and returns its id.
    pub(crate) async fn send(&mut self, message: ClientMessage) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        let envelope = ClientEnvelope { id, message };
        let frame = if self.cbor { Message::Binary(envelope.to_cbor().into()) } else { Message::Text(envelope.to_json().into()) };
        self.send_frame(frame).await;
        id
    }

    /// Sends anything. What is refused because the edge has closed meanwhile shows in what is read next.
    pub(crate) async fn send_frame(&mut self, frame: Message) {
        let _ = soon(self.socket.send(frame)).await;
    }

    /// The next message, or how the connection ended.
    pub(crate) async fn next(&mut self) -> Result<ServerMessage, Option<Closed>> {
        loop {
            match soon(self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => return Ok(ServerMessage::from_cbor(&bytes).unwrap()),
                Some(Ok(Message::Text(text))) => return Ok(ServerMessage::from_json(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| Closed { code: frame.code.into(), reason: frame.reason.to_string() }));
                }
                Some(Ok(_)) => (),
                None | Some(Err(_)) => return Err(None),
            }
        }
    }

    /// The next message that `wanted` picks; others are passed over.
    pub(crate) async fn wait_for<T>(&mut self, wanted: impl Fn(&ServerMessage) -> Option<T>) -> T {
        loop {
            let message = self.next().await.expect("closed instead");
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }

    /// Joins, or is refused with this code.
    pub(crate) async fn join(&mut self, join: Join) -> Result<Box<Joined>, ErrorCode> {
        let id = self.send(ClientMessage::Join(join)).await;
        self.wait_for(|message| match message {
            ServerMessage::Joined(joined) if joined.id == id => Some(Ok(joined.clone())),
            ServerMessage::Failed { id: failed, error } if *failed == id => Some(Err(error.code)),
            _ => None,
        })
        .await
    }

    /// Passes messages over until the connection ends; the code of the `closed` message before it, and how it ended.
    pub(crate) async fn end(&mut self) -> (Option<ErrorCode>, Option<Closed>) {
        let mut told = None;
        loop {
            match self.next().await {
                Ok(ServerMessage::Closed { error }) => told = Some(error.code),
                Ok(_) => (),
                Err(closed) => return (told, closed),
            }
        }
    }

    /// The code with which a request fails next.
    pub(crate) async fn refusal(&mut self) -> (u32, ErrorCode, String) {
        self.wait_for(|message| match message {
            ServerMessage::Failed { id, error } => Some((*id, error.code, error.message.clone())),
            _ => None,
        })
        .await
    }

    /// Breaks the TCP connection without a word.
    pub(crate) fn vanish(self) {
        self.socket.get_ref().set_zero_linger().unwrap();
        drop(self);
    }
}

/// The close that tells a code.
pub(crate) fn closed(code: ErrorCode) -> Option<Closed> {
    Some(Closed { code: 4000 + code.number(), reason: code.name().to_owned() })
}

/// A join with that token and nothing else.
pub(crate) fn join(token: &str) -> Join {
    Join { token: token.to_owned(), auto_subscribe: true, ..Join::default() }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 200 and so on.
    pub(crate) status: u16,
    /// Head, lower case.
    pub(crate) head: String,
    /// Body.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One HTTP request, with more header lines (each ended by CRLF) and perhaps a body.
pub(crate) async fn request(edge: &Edge, line: &str, headers: &str, body: &str) -> Answer {
    let mut stream = soon(TcpStream::connect(edge.http())).await.unwrap();
    let length = body.len();
    let text = format!("{line} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    soon(stream.write_all(text.as_bytes())).await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}
