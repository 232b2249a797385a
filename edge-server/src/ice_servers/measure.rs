//! Asks the STUN and TURN servers, at start and every half minute, how long they take to answer: by a Binding request where a server is reached by UDP
//! (TURN servers answer those without credentials), else by how long it takes to connect.

use super::Measured;
use crate::clock;
use crate::config::servers::Endpoint;
use crate::edge::{Context, stopped};
use crate::stun;
use core::time::Duration;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;

/// Between two rounds. Guess: an hour's worth is less than one allocation costs a server.
const EVERY: Duration = Duration::from_secs(30);

/// Requests before a server has missed a round.
const TRIES: usize = 2;

/// Time to connect.
const PATIENCE: Duration = Duration::from_secs(2);

/// Measures until a shutdown begins. Ends at once when there is nothing to choose from and no relay to know.
pub async fn watch(context: Arc<Context>) {
    let servers = &context.ice_servers;
    let stun: Vec<_> = servers.stun.iter().map(|address| Endpoint::of(core::slice::from_ref(address))).collect();
    let others = servers.turn.len().saturating_sub(usize::from(servers.own));
    let turn: Vec<_> = servers.turn.iter().take(others).map(|addresses| Endpoint::of(addresses)).collect();
    // What this edge relays itself comes from its own addresses.
    let own: Vec<IpAddr> = context.media.candidates().iter().map(SocketAddr::ip).filter(|_| servers.own).collect();
    context.media.told_of_relays(&own).await;
    if stun.is_empty() && turn.is_empty() {
        return;
    }
    let mut stopping = context.stopping.subscribe();
    loop {
        let mut relays = own.clone();
        for (number, endpoint) in stun.iter().enumerate() {
            let time = answers(endpoint.as_ref(), &mut Vec::new()).await;
            servers.note(|measured: &mut Measured| measured.stun.note(number, time));
        }
        for (number, endpoint) in turn.iter().enumerate() {
            let time = answers(endpoint.as_ref(), &mut relays).await;
            servers.note(|measured: &mut Measured| measured.turn.note(number, time));
        }
        // Each time: a shard that began anew knows nothing.
        context.media.told_of_relays(&relays).await;
        tokio::select! {
            () = tokio::time::sleep_until(clock::deadline(EVERY)) => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

/// How long a server takes to answer; none: it doesn't. Adds where it is.
async fn answers(endpoint: Option<&Endpoint>, places: &mut Vec<IpAddr>) -> Option<Duration> {
    let Endpoint { host, port, over_tcp } = endpoint?;
    let addresses = stun::resolve(host, *port).await.ok()?;
    let first = *addresses.first()?;
    places.extend(addresses.iter().map(SocketAddr::ip));
    let time = if *over_tcp {
        let began = clock::now();
        let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(first)).await;
        connected.ok()?.ok().map(|_| clock::now().saturating_duration_since(began))
    } else {
        stun::ask(first, TRIES).await.ok().map(|answer| answer.round_trip)
    };
    if time.is_none() {
        tracing::debug!(%first, "a STUN or TURN server does not answer");
    }
    time
}
