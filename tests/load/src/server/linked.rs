//! Edges with links between all of them; and two of these as a server: who publishes is on one, who receives on the other. So what a link costs shows beside the same on one edge.

use super::nearcast::NearcastEdge;
use super::{Admitted, Counters, Server};
use crate::client::Offer;
use crate::process::CpuTime;
use crate::{LoadError, http};
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// Until a link is up.
const LINKED: Duration = Duration::from_secs(10);

/// Starts an edge for each of these logs (files beside `log`), on `core` when one is given, with further `flags`, and waits until each is linked with all
/// others.
///
/// # Errors
/// One doesn't get ready, or a link doesn't come up.
pub fn start_linked<const EDGES: usize>(
    binary: &Path,
    core: Option<usize>,
    log: &Path,
    logs: [&str; EDGES],
    flags: &[&str],
) -> Result<[NearcastEdge; EDGES], LoadError> {
    let mut edges = Vec::<NearcastEdge>::new();
    for name in logs {
        let earlier: Vec<_> = edges.iter().filter_map(NearcastEdge::relay).map(|address| address.to_string()).collect();
        if earlier.len() < edges.len() {
            return Err(LoadError::refused("linking edges", "the ready line names no address for links"));
        }
        let peers = earlier.join(",");
        let links: &[&str] = if edges.is_empty() { &[] } else { &["--relay-peers", &peers] };
        let flags: Vec<_> = ["--relay", "127.0.0.1:0"].iter().chain(links).chain(flags).copied().collect();
        edges.push(NearcastEdge::start(binary, 1, core, log.with_file_name(name), &flags)?);
    }
    let (deadline, links) = (Instant::now() + LINKED, (EDGES as u64).saturating_sub(1));
    for edge in &edges {
        while edge.stats()?.pointer("/relay/links").and_then(Value::as_u64) != Some(links) {
            if Instant::now() >= deadline {
                return Err(LoadError::Late { what: "the links between the edges".to_owned(), after: LINKED });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    edges.try_into().map_err(|_| LoadError::refused("linking edges", "there are more edges than logs"))
}

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
        let [home, far] = start_linked(binary, core, log, ["edge-home.log", "edge-far.log"], &[])?;
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
