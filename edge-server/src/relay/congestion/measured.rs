//! How controllers do on a real connection over a way with a rate, a delay and losses: figures, not for `make test`.
//!
//! `cargo test --release -p nearcast-edge --lib congestion::measured -- --ignored --nocapture`

use super::SteadyConfig;
use crate::config::network::RelaySecret;
use crate::config::values::Setting;
use crate::relay::identity::{Identity, NAME};
use quinn::congestion::{BbrConfig, ControllerFactory, CubicConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig, TransportConfig};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::time::{interval, sleep_until, timeout};

/// One way of the link.
#[derive(Clone, Copy, Debug)]
struct Way {
    delay: Duration,
    /// Bits per second.
    rate: f64,
    /// One of so many datagrams is lost; 0: none.
    loss: u64,
}

/// What of the offered media came, and how late.
#[derive(Debug)]
struct Carried {
    sent: usize,
    came: usize,
    p50: Duration,
    p99: Duration,
}

/// Bytes that wait in front of the way: 250 ms of its rate, as a home router would have.
const BUFFER: Duration = Duration::from_millis(250);

/// Carries datagrams between the caller, who is whoever sends first, and `to`.
async fn carry(front: UdpSocket, to: SocketAddr, way: Way) {
    let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut caller, mut count) = (None, 0_u64);
    let (mut near, mut far) = (vec![0; 2_048], vec![0; 2_048]);
    let mut flying: VecDeque<(Instant, bool, Vec<u8>)> = VecDeque::new();
    let mut free = [Instant::now(); 2];
    let mut pass = |forth: bool, bytes: &[u8], flying: &mut VecDeque<(Instant, bool, Vec<u8>)>| {
        count += 1;
        let (now, busy) = (Instant::now(), &mut free[usize::from(forth)]);
        *busy = (*busy).max(now);
        if (way.loss > 0 && count.is_multiple_of(way.loss)) || *busy > now + BUFFER {
            return;
        }
        *busy += Duration::from_secs_f64(bytes.len() as f64 * 8.0 / way.rate);
        flying.push_back((*busy + way.delay, forth, bytes.to_vec()));
    };
    loop {
        flying.make_contiguous().sort_by_key(|(at, ..)| *at);
        let due = flying.front().map_or_else(|| Instant::now() + Duration::from_secs(1), |(at, ..)| *at);
        tokio::select! {
            Ok((length, from)) = front.recv_from(&mut near) => {
                caller = Some(from);
                pass(true, &near[..length], &mut flying);
            }
            Ok((length, _)) = back.recv_from(&mut far) => pass(false, &far[..length], &mut flying),
            () = sleep_until(due.into()) => (),
        }
        while flying.front().is_some_and(|(at, ..)| *at <= Instant::now()) {
            let Some((_, forth, bytes)) = flying.pop_front() else { break };
            let _ = if forth { back.send_to(&bytes, to).await } else { front.send_to(&bytes, caller.unwrap()).await };
        }
    }
}

async fn connected(controller: Arc<dyn ControllerFactory + Send + Sync>, way: Way) -> (Connection, Connection, [Endpoint; 2]) {
    let identity = Identity::of(&RelaySecret::parse("").unwrap()).unwrap();
    let mut transport = TransportConfig::default();
    transport.congestion_controller_factory(controller).datagram_send_buffer_size(64 << 10);
    let transport = Arc::new(transport);
    let mut config = ServerConfig::with_crypto(identity.server());
    config.transport_config(Arc::clone(&transport));
    let server = Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap();
    let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = front.local_addr().unwrap();
    tokio::spawn(carry(front, server.local_addr().unwrap(), way));
    let client = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut config = ClientConfig::new(identity.client());
    config.transport_config(transport);
    let calling = client.connect_with(config, address, NAME).unwrap();
    let accepting = async { server.accept().await.unwrap().await.unwrap() };
    let (one, other) = tokio::join!(async { calling.await.unwrap() }, accepting);
    (one, other, [client, server])
}

/// Sends pictures of media at this rate for ten seconds: thirty a second, every sixtieth four times as large.
async fn offered(controller: Arc<dyn ControllerFactory + Send + Sync>, way: Way, rate: f64) -> Carried {
    let (from, to, _endpoints) = connected(controller, way).await;
    let base = Instant::now();
    let receiving = tokio::spawn(async move {
        let mut late = Vec::new();
        while let Ok(Ok(datagram)) = timeout(Duration::from_secs(2), to.read_datagram()).await {
            let sent = u64::from_be_bytes(*datagram.first_chunk().unwrap());
            late.push(Duration::from_micros(u64::try_from(base.elapsed().as_micros()).unwrap().saturating_sub(sent)));
        }
        late
    });
    let (mut pictures, mut sent) = (interval(Duration::from_nanos(33_333_333)), 0);
    for picture in 0..300 {
        pictures.tick().await;
        let packets = rate / 30.0 / 8.0 / 1_100.0 * if picture % 60 == 0 { 4.0 } else { 1.0 };
        for _ in 0..packets.round() as usize {
            let now = u64::try_from(base.elapsed().as_micros()).unwrap();
            from.send_datagram([&now.to_be_bytes()[..], &[0; 1_092]].concat().into()).unwrap();
            sent += 1;
        }
    }
    let mut late = receiving.await.unwrap();
    late.sort_unstable();
    let at = |share: usize| late.get(late.len() * share / 100).copied().unwrap_or_default();
    Carried { sent, came: late.len(), p50: at(50), p99: at(99) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two minutes, for figures"]
async fn what_controllers_carry() {
    let ms = Duration::from_millis;
    let wide = Way { delay: ms(25), rate: 1e9, loss: 0 };
    let ways = [
        ("20 Mbit/s over 50 ms", wide, 20e6),
        ("20 Mbit/s over 50 ms, 2 % lost", Way { loss: 50, ..wide }, 20e6),
        ("20 Mbit/s over a line of 10 Mbit/s, 50 ms", Way { rate: 10e6, ..wide }, 20e6),
        ("8 Mbit/s over a line of 10 Mbit/s, 50 ms, 2 % lost", Way { rate: 10e6, loss: 50, ..wide }, 8e6),
    ];
    for (name, way, rate) in ways {
        let controllers: [(&str, Arc<dyn ControllerFactory + Send + Sync>); 3] =
            [("CUBIC", Arc::new(CubicConfig::default())), ("BBR", Arc::new(BbrConfig::default())), ("ours", Arc::new(SteadyConfig))];
        for (controller, factory) in controllers {
            let Carried { sent, came, p50, p99 } = offered(factory, way, rate).await;
            println!("{name}: {controller}: {} % of {sent} came, half within {p50:.0?}, 99 % within {p99:.0?}", came * 100 / sent);
        }
    }
}
