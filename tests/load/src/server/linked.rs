//! Two edges with a link between them: who publishes is on one, who receives on the other. So what a link costs shows beside the same on one edge.

use super::nearcast::NearcastEdge;
use super::{Admitted, Counters, Server};
use crate::client::Offer;
use crate::process::CpuTime;
use crate::{LoadError, http};
use serde_json::Value;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Until a link is up.
const LINKED: Duration = Duration::from_secs(10);

/// The two.
#[derive(Debug)]
pub struct LinkedEdges {
    home: NearcastEdge,
    far: NearcastEdge,
}

impl LinkedEdges {
    /// Starts both, on `core` when one is given, and waits for their link.
    ///
    /// # Errors
    /// One doesn't get ready, or no link comes up.
    pub fn start(binary: &Path, core: Option<usize>, log: &Path) -> Result<Self, LoadError> {
        let beside = |name: &str| -> PathBuf { log.with_file_name(name) };
        let home = NearcastEdge::start(binary, 1, core, beside("edge-home.log"), &["--relay", "127.0.0.1:0"])?;
        let address = home.relay().ok_or_else(|| LoadError::refused("linking edges", "the ready line names no address for links"))?;
        let flags = ["--relay", "127.0.0.1:0", "--relay-peers", &address.to_string()];
        let far = NearcastEdge::start(binary, 1, core, beside("edge-far.log"), &flags)?;
        let deadline = Instant::now() + LINKED;
        for edge in [&home, &far] {
            while edge.stats()?.pointer("/relay/links").and_then(Value::as_u64) != Some(1) {
                if Instant::now() >= deadline {
                    return Err(LoadError::Late { what: "the link between the edges".to_owned(), after: LINKED });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(Self { home, far })
    }

    /// Datagrams of media that crossed so far.
    ///
    /// # Errors
    /// The edge doesn't answer.
    pub fn crossed(&self) -> Result<u64, LoadError> {
        let stats = http::get(self.far.http(), "/v1/stats")?;
        let crossed = stats.pointer("/relay/received").and_then(Value::as_u64);
        crossed.ok_or_else(|| LoadError::refused("reading the edge's counters", "/relay/received is missing"))
    }
}

impl Server for LinkedEdges {
    fn name(&self) -> &'static str {
        "nearcast"
    }

    /// For its memory: the one that receivers are on.
    fn pid(&self) -> u32 {
        self.far.pid()
    }

    fn cpu(&self) -> Result<CpuTime, LoadError> {
        let (mut sum, more) = (self.home.cpu()?, self.far.cpu()?);
        sum.ran += more.ran;
        sum.waited += more.waited;
        for (name, ran) in more.threads {
            *sum.threads.entry(name).or_default() += ran;
        }
        Ok(sum)
    }

    fn log(&self) -> &Path {
        self.far.log()
    }

    fn address(&self) -> IpAddr {
        self.far.address()
    }

    fn admit(&self, room: &str, identity: &str, offer: &Offer) -> Result<Admitted, LoadError> {
        let edge = if identity.starts_with("publisher") { &self.home } else { &self.far };
        edge.admit(room, identity, offer)
    }

    /// Of the edge that receivers are on: what leaves the other one is theirs alone.
    fn counters(&self) -> Result<Option<Counters>, LoadError> {
        self.far.counters()
    }
}
