//! An edge of ours, in development mode.

use super::process::ServerProcess;
use super::{Admitted, Counters, Server};
use crate::client::Offer;
use crate::signalling::JsonSocket;
use crate::{LoadError, http};
use nearcast_protocol::{ClientMessage, Join, MediaOffer, PublishIntent, ServerMessage};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where an edge takes people, whoever started it.
#[derive(Clone, Copy, Debug)]
pub struct Door(pub SocketAddr);

impl Door {
    /// A token for a room, minted by the edge itself.
    ///
    /// # Errors
    /// It doesn't answer.
    pub fn token(self, room: &str, identity: &str) -> Result<String, LoadError> {
        let answer = http::post(self.0, "/v1/token", &json!({ "room": room, "identity": identity }))?;
        let token = answer.get("token").and_then(Value::as_str).map(str::to_owned);
        token.ok_or_else(|| LoadError::refused("asking for a token", format!("the answer holds none: {answer}")))
    }

    /// Joins with a token and an offer.
    ///
    /// # Errors
    /// The edge refuses.
    pub fn enter(self, token: String, offer: &Offer) -> Result<Admitted, LoadError> {
        let intent = |(mid, source): &(String, _)| PublishIntent {
            mid: mid.as_str().into(),
            source: *source,
            name: String::new(),
            muted: false,
            publication: None,
        };
        let offer = MediaOffer { sdp: offer.sdp.clone(), publish: offer.publish.iter().map(intent).collect() };
        let join = Join { token, auto_subscribe: true, offer: Some(offer), client: Some("nearcast-load".to_owned()), ..Join::default() };
        let mut socket = JsonSocket::open(self.0)?;
        let reply = socket.ask(ClientMessage::Join(join))?;
        let ServerMessage::Joined(joined) = reply else {
            return Err(LoadError::refused("joining", format!("an unexpected reply: {reply:?}")));
        };
        let answer = joined.answer.ok_or_else(|| LoadError::refused("joining", "the offer was not answered"))?;
        if let Some(error) = answer.published.iter().find_map(|published| published.error.as_ref()) {
            return Err(LoadError::refused("publishing", &error.message));
        }
        socket.start_polling()?;
        Ok(Admitted { answer: answer.sdp, signalling: Box::new(socket) })
    }
}

/// A running edge.
#[derive(Debug)]
pub struct NearcastEdge {
    process: ServerProcess,
    http: SocketAddr,
    udp: SocketAddr,
    relay: Option<SocketAddr>,
}

impl NearcastEdge {
    /// Starts `binary` with `shards` media threads and further flags, on `core` when one is given.
    ///
    /// # Errors
    /// There is no such binary, or it doesn't get ready.
    pub fn start(binary: &Path, shards: u8, core: Option<usize>, log: PathBuf, flags: &[&str]) -> Result<Self, LoadError> {
        if !binary.is_file() {
            return Err(LoadError::NoEdge { path: binary.to_owned() });
        }
        let mut command = Command::new(binary);
        command.args(["serve", "--dev", "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--announce", "127.0.0.1", "--log", "warn"]);
        command.args(["--shards", &shards.to_string()]).args(flags);
        let (process, (http, udp, relay)) = ServerProcess::start(command, core, log, ready)?;
        Ok(Self { process, http, udp, relay })
    }

    /// Everything it counts (`GET /v1/stats`).
    ///
    /// # Errors
    /// It doesn't answer.
    pub fn stats(&self) -> Result<Value, LoadError> {
        http::get(self.http, "/v1/stats")
    }

    /// Where it serves HTTP and WebSockets.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it serves media.
    #[must_use]
    pub fn udp(&self) -> SocketAddr {
        self.udp
    }

    /// A token for a room, minted by the edge itself.
    ///
    /// # Errors
    /// It doesn't answer.
    pub fn token(&self, room: &str, identity: &str) -> Result<String, LoadError> {
        Door(self.http).token(room, identity)
    }

    /// Where other edges link to it, if it was told to.
    #[must_use]
    pub fn relay(&self) -> Option<SocketAddr> {
        self.relay
    }
}

/// The addresses in `ready http=127.0.0.1:1234 udp=127.0.0.1:7700`, and in `relay=127.0.0.1:7500` behind them, if that is there.
fn ready(line: &str) -> Option<(SocketAddr, SocketAddr, Option<SocketAddr>)> {
    let words = line.strip_prefix("ready ")?;
    let address = |name: &str| words.split(' ').find_map(|word| word.strip_prefix(name))?.parse().ok();
    Some((address("http=")?, address("udp=")?, address("relay=")))
}

impl Server for NearcastEdge {
    fn name(&self) -> &'static str {
        "nearcast"
    }

    fn pid(&self) -> u32 {
        self.process.pid()
    }

    fn log(&self) -> &Path {
        self.process.log()
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }

    fn admit(&self, room: &str, identity: &str, offer: &Offer) -> Result<Admitted, LoadError> {
        let door = Door(self.http);
        door.enter(door.token(room, identity)?, offer)
    }

    fn counters(&self) -> Result<Option<Counters>, LoadError> {
        let stats = self.stats()?;
        let count = |part: &str, name: &str| {
            let path = format!("/total/{part}/{name}");
            let found = stats.pointer(&path).and_then(Value::as_u64);
            found.ok_or_else(|| LoadError::refused("reading the edge's counters", format!("{path} is missing")))
        };
        Ok(Some(Counters {
            datagrams: count("send", "datagrams")?,
            bytes: count("send", "bytes")?,
            runs: count("send", "runs")?,
            calls: count("send", "calls")?,
            unsent: count("send", "dropped_full")? + count("send", "failed")?,
        }))
    }
}

/// The release build of this checkout, or what `given` says.
#[must_use]
pub fn find_edge(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| target_folder().join("release/nearcast-edge"))
}

/// Where cargo builds, and where results go.
#[must_use]
pub fn target_folder() -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.canonicalize().unwrap_or(checkout).join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_tells_the_address() {
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(ready("ready http=127.0.0.1:4711 udp=127.0.0.1:7700"), Some((at(4711), at(7700), None)));
        let linked = "ready http=127.0.0.1:4711 udp=127.0.0.1:7700 tcp=127.0.0.1:7700 relay=127.0.0.1:7500";
        assert_eq!(ready(linked), Some((at(4711), at(7700), Some(at(7500)))));
        assert_eq!(ready("Open http://localhost:8080"), None);
        assert_eq!(ready("ready udp=127.0.0.1:1"), None);
    }

    #[test]
    fn a_missing_edge_says_how_to_build_it() {
        let error = NearcastEdge::start(Path::new("/nonexistent/edge"), 1, None, PathBuf::from("/nonexistent/log"), &[]).unwrap_err();
        assert!(error.to_string().ends_with("build it first: make build"), "{error}");
    }
}
