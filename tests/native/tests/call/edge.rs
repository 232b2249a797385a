//! Starts and ends the edge, and asks it for tokens and statistics.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A start takes a tenth of a second; beside compilers, a few.
const START: Duration = Duration::from_secs(15);

pub(crate) struct Edge {
    child: Child,
    http: SocketAddr,
    pub(crate) udp: SocketAddr,
    /// Where other edges link to it, if it was told to.
    pub(crate) relay: Option<SocketAddr>,
}

impl Edge {
    /// An edge of this test's own on free ports of 127.0.0.1.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, linked to these edges.
    pub(crate) fn linked_to(peers: &[SocketAddr]) -> Self {
        let peers: Vec<_> = peers.iter().map(ToString::to_string).collect();
        Self::start_with(&["--relay", "127.0.0.1:0", "--relay-peers", &peers.join(",")])
    }

    /// The same, in a region.
    pub(crate) fn linked_in(region: &str, peers: &[SocketAddr]) -> Self {
        let peers: Vec<_> = peers.iter().map(ToString::to_string).collect();
        Self::start_with(&["--relay", "127.0.0.1:0", "--relay-peers", &peers.join(","), "--region", region])
    }

    fn start_with(more: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["serve", "--dev", "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
            .args(more)
            // It reads NEARCAST_* as settings, and this is none.
            .env_remove("NEARCAST_EDGE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the edge starts");
        let (said, heard) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        // Reads on to the end, so that the edge never waits for a full pipe.
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(said.send(line))));
        let ready = std::iter::from_fn(|| heard.recv_timeout(START).ok()).find_map(|line| {
            let (http, udp) = line.strip_prefix("ready http=")?.split_once(" udp=")?;
            let relay = udp.split_whitespace().find_map(|word| word.strip_prefix("relay=")?.parse().ok());
            Some((http.parse().ok()?, udp.split_whitespace().next()?.parse().ok()?, relay))
        });
        match ready {
            Some((http, udp, relay)) => Self { child, http, udp, relay },
            None => {
                let _ = child.kill(); // it may have ended by itself
                panic!("the edge printed no ready line within {START:?}: {:?}", child.wait());
            }
        }
    }

    pub(crate) fn signal_url(&self) -> String {
        format!("ws://{}/v1/signal", self.http)
    }

    /// Minted by the development route.
    pub(crate) fn token(&self, room: &str, identity: &str) -> String {
        let body = serde_json::json!({ "room": room, "identity": identity, "name": identity }).to_string();
        let reply = self.ask("POST", "/v1/token", &body);
        reply["token"].as_str().unwrap_or_else(|| panic!("no token in {reply}")).to_owned()
    }

    /// A count of all shards together.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let stats = self.ask("GET", "/v1/stats", "");
        stats["total"]["core"][name].as_u64().unwrap_or_else(|| panic!("no count {name} in {stats}"))
    }

    /// What its links carried.
    pub(crate) fn relayed(&self) -> serde_json::Value {
        self.ask("GET", "/v1/stats", "")["relay"].clone()
    }

    /// Waits for links to so many others.
    pub(crate) fn wait_for_links(&self, count: usize) {
        let until = Instant::now() + START;
        while self.relayed()["links"] != count {
            assert!(Instant::now() < until, "no {count} links within {START:?}: {}", self.relayed());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the edge says of somebody in the tests' room, as soon as it says what is `wanted`.
    pub(crate) fn told_of(&self, identity: &str, what: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let until = Instant::now() + START;
        loop {
            let told = self.ask("GET", &format!("/v1/rooms/room?participant={identity}"), "");
            match told["participants"].get(0) {
                Some(person) if wanted(person) => return person.clone(),
                _ => assert!(Instant::now() < until, "not told within {START:?}: {what}; instead: {told:#}"),
            }
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(START)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not HTTP: {reply}"));
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {reply}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {body}"))
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill(); // gone already: good
        let _ = self.child.wait();
    }
}

/// The edge that was built last: the release that `make build` leaves, or a developer's.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("NEARCAST_EDGE") {
        return path.into();
    }
    let target = Path::new(env!("CARGO_BIN_EXE_nearcast-native")).parent().and_then(Path::parent).unwrap();
    let built = ["release", "debug"].map(|profile| target.join(profile).join("nearcast-edge"));
    let age = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let latest = built.iter().filter_map(|path| Some((age(path)?, path))).max();
    let missing = || panic!("the edge is not built: neither of {built:?}. Remedy: run `make build` first, or set NEARCAST_EDGE");
    latest.map_or_else(missing, |(_, path)| path.clone())
}
