//! One page: the SDK's core, and what it drives. What it tells its app is kept, to assert on.

use crate::client::{Client, ClientId};
use crate::joining::Joining;
use crate::source::SourcePlan;
use crate::world::Link;
use client_core::stats::{Field, Kind, STRIDE};
use client_core::{Event, MonoTime, RequestId, Session, SessionConfig, SessionError, SocketId, State, StepTaken};
use sfu_core::ConnectionId;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Which page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageId(pub(super) usize);

/// A WebSocket of a page.
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) front: usize,
    pub(super) connection: ConnectionId,
}

/// One page.
pub struct Page {
    /// What its browser sends and receives.
    pub client: Client,
    /// The SDK.
    pub session: Session,
    /// Its way to all edges, for media.
    pub link: Link,
    /// What the SDK told the app, and when.
    pub events: Vec<(Duration, Event)>,
    /// How long a token lasts that the app fetches.
    pub token_lasts: Duration,
    /// Nothing passes on its WebSockets since then, and nothing tells so.
    pub(super) hanging: Option<Instant>,
    /// The machine sleeps.
    pub(super) asleep: bool,
    pub(super) socket: Option<Socket>,
    pub(super) transport: Option<u32>,
    /// Which edge its transport has found.
    pub(super) media: Option<usize>,
    /// What its sources were asked for as.
    pub(super) requests: Vec<RequestId>,
    pub(super) data_seen: usize,
    pub(super) connects_seen: usize,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) heard_at: Instant,
    /// What the browser says of the transport's silence so far: nothing, disconnected, failed.
    pub(super) complaints: usize,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Page").field("name", &self.client.name).field("state", &self.session.state()).finish_non_exhaustive()
    }
}

impl Page {
    pub(super) fn new(number: usize, name: &str, outside: SocketAddr, seed: u64, base: Instant, now: Instant) -> Self {
        let joining = Joining::new(name).data();
        let inside = SocketAddr::from(([192, 168, 0, 2], 40_000));
        let mut client = Client::new(joining, ClientId(number as u16), inside, outside, base, now);
        client.driven = true;
        let config = SessionConfig { client: "nearcast-sim".to_owned(), ..SessionConfig::default() };
        Self {
            client,
            session: Session::new(config, seed),
            link: Link::new(seed.wrapping_mul(1 << 20)),
            events: Vec::new(),
            token_lasts: Duration::from_secs(3_600),
            hanging: None,
            asleep: false,
            socket: None,
            transport: None,
            media: None,
            requests: Vec::new(),
            data_seen: 0,
            connects_seen: 0,
            received: 0,
            sent: 0,
            heard_at: now,
            complaints: 0,
        }
    }

    /// What media it has from somebody, in order of arrival: when each packet came.
    #[must_use]
    pub fn heard_of(&self, other: PageId, source: u16) -> Vec<Duration> {
        self.client.packets_of(ClientId(other.0 as u16), source).iter().map(|packet| packet.at).collect()
    }

    /// The longest silence of somebody's source between two moments.
    #[must_use]
    pub fn gap_of(&self, other: PageId, source: u16, from: Duration, to: Duration) -> Duration {
        let heard = self.heard_of(other, source).into_iter().filter(|at| (from..to).contains(at));
        let mut moments: Vec<_> = std::iter::once(from).chain(heard).chain([to]).collect();
        moments.sort();
        moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// The steps of recovery, in order.
    pub fn steps(&self) -> impl Iterator<Item = &StepTaken> {
        self.events.iter().filter_map(|(_, event)| if let Event::Step(step) = event { Some(step) } else { None })
    }

    /// Why the session ended; none: it hasn't. The inner: none, it left.
    #[must_use]
    pub fn end(&self) -> Option<Option<&SessionError>> {
        self.events.iter().find_map(|(_, event)| if let Event::Closed { error } = event { Some(error.as_ref()) } else { None })
    }

    /// Both ways work.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.session.state() == State::Connected
    }

    pub(super) fn adds(&mut self, plan: SourcePlan) -> RequestId {
        let request = RequestId(self.requests.len() as u32 + 1);
        self.client.add_source(plan);
        self.requests.push(request);
        request
    }

    pub(super) fn source_of(&self, request: RequestId) -> Option<usize> {
        self.requests.iter().position(|one| *one == request)
    }

    /// The browser's counters of the path; those of streams are for the tests of scores.
    pub(super) fn counters(&self, at: MonoTime, heard_at: MonoTime) -> Vec<f64> {
        let millis = |time: MonoTime| time.as_micros() as f64 / 1_000.0;
        let mut numbers = vec![f64::NAN; STRIDE];
        numbers[Field::Kind as usize] = f64::from(Kind::Way as u8);
        numbers[Field::At as usize] = millis(at);
        numbers[Field::Bytes as usize] = self.received as f64;
        numbers[Field::Packets as usize] = self.sent as f64;
        numbers[Field::HeardAt as usize] = millis(heard_at);
        numbers
    }
}
