//! What crosses a link, both ways: from the shards' queues to the network and back.
//!
//! Media is one loop: it takes what shards say, numbers and sends it, repairs, beats, and hands what came to its shards. Where several shards of the
//! other edge take the same packet it crosses once. Control is written and read by tasks of its own, since a stream may have to wait.

use super::Hub;
use super::control::{Outbox, read_frame};
use super::link::{Ended, SEND_BUFFER};
use super::narrow::Narrowness;
use super::queue::Queue;
use super::stats::LinkStats;
use crate::clock;
use crate::media::link::ShardLink;
use crate::media::relays::{Outgoing, Relay as Arrival};
use bytes::Bytes;
use cluster_core::NodeId;
use core::time::Duration;
use quinn::{Connection, RecvStream, SendDatagramError};
use sfu_core::hop::Hop;
use sfu_core::wire::{Addressed, MAX_CONTROL, WireError, decode_control, decode_media};
use sfu_core::{RelayMessage, ShardId};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// Messages of shards that are taken at a time.
const BATCH: usize = 256;

/// Among so many packets of a batch the same one for another shard is looked for.
const COPIES: usize = 8;

/// How soon what found no room is tried again.
const RETRY: Duration = Duration::from_millis(1);

/// Between two looks at the connection.
const LOOK: Duration = Duration::from_millis(50);

/// How long the way takes is told again when it changes by a quarter and this, and after so long. It orders edges by their distance, no more.
const LEAST_CHANGE: Duration = Duration::from_millis(1);
const TOLD_AGAIN: Duration = Duration::from_secs(5);

/// What quinn is given ahead of what it has sent, in time and at least in bytes: more would only wait where nothing can be dropped any more.
const AHEAD: Duration = Duration::from_millis(20);
const LEAST_AHEAD: usize = 24 << 10;

/// Datagrams that fit any path, until the connection says more.
const LEAST_DATAGRAM: usize = 1_100;

/// The way to this edge's shards, and what those of the other edge are called here.
#[derive(Clone)]
pub(super) struct Deliver {
    shards: Vec<ShardLink>,
    first: ShardId,
    theirs: u8,
}

impl Deliver {
    pub(super) fn new(shards: Vec<ShardLink>, first: ShardId, theirs: u8) -> Self {
        Self { shards, first, theirs }
    }

    /// Hands something to a shard that must have it, however long that takes.
    pub(super) async fn surely(&self, shard: &ShardLink, make: impl FnOnce() -> Arrival) {
        let mut waiting = shard.relay(make());
        while let Some(arrival) = waiting {
            tokio::time::sleep(RETRY).await;
            waiting = shard.relay(arrival);
        }
    }

    /// So many encodings are to be withheld from the other edge.
    async fn narrow(&self, withheld: u8) {
        for shard in &self.shards {
            self.surely(shard, || Arrival::Narrow(self.first, withheld)).await;
        }
    }

    /// A packet takes so long to the other edge.
    async fn one_way(&self, takes: Duration) {
        for shard in &self.shards {
            self.surely(shard, || Arrival::OneWay(self.first, takes)).await;
        }
    }

    /// Who says it, as it is called here.
    fn sender(&self, from: u8) -> Result<ShardId, Ended> {
        let unknown = || Ended::Malformed("it speaks for a shard that it doesn't have".to_owned());
        if from < self.theirs { Ok(ShardId(self.first.0.saturating_add(u32::from(from)))) } else { Err(unknown()) }
    }

    async fn control(&self, addressed: Addressed) -> Result<(), Ended> {
        let from = self.sender(addressed.from)?;
        for to in addressed.to {
            if let Some(shard) = self.shards.get(usize::from(to)) {
                let message = addressed.message.clone();
                self.surely(shard, || Arrival::Said { from, message }).await;
            }
        }
        Ok(())
    }

    /// How many found no room.
    fn media(&self, addressed: Addressed) -> Result<u64, Ended> {
        let from = self.sender(addressed.from)?;
        let mut dropped = 0;
        for to in addressed.to {
            let Some(shard) = self.shards.get(usize::from(to)) else { continue };
            dropped += u64::from(shard.relay(Arrival::Said { from, message: addressed.message.clone() }).is_some());
        }
        Ok(dropped)
    }
}

/// Reads control until the link ends.
pub(super) async fn read_control(mut stream: RecvStream, deliver: &Deliver, stats: &LinkStats) -> Ended {
    loop {
        let frame = match read_frame(&mut stream, MAX_CONTROL).await {
            Ok(frame) => frame,
            Err(error) => return Ended::Broken(error.to_string()),
        };
        stats.note(|report| report.carried.control_received += 1);
        match decode_control(&frame) {
            Ok(addressed) => {
                if let Err(ended) = deliver.control(addressed).await {
                    return ended;
                }
            }
            Err(WireError::Unknown) => stats.note(|report| report.carried.unknown += 1),
            Err(WireError::Malformed) => return Ended::Malformed("control that isn't understood".to_owned()),
        }
    }
}

/// The media of one link, and the way of control to its stream.
pub(super) struct Media<'a> {
    pub(super) connection: &'a Connection,
    pub(super) outbox: Outbox,
    pub(super) deliver: Deliver,
    pub(super) stats: &'a LinkStats,
    pub(super) id: &'a NodeId,
    pub(super) hub: &'a Hub,
}

/// What the shards were last told of how long the way takes.
struct Told {
    one_way: Duration,
    at: Instant,
}

impl Told {
    /// Whether it has changed so much that they are to be told.
    fn changes(&mut self, now: Instant, one_way: Duration) -> bool {
        let much = one_way.abs_diff(self.one_way) > (self.one_way / 4).max(LEAST_CHANGE);
        let changes = much && now.saturating_duration_since(self.at) >= TOLD_AGAIN;
        if changes {
            *self = Self { one_way, at: now };
        }
        changes
    }
}

/// What changes while it runs.
struct Flow {
    told: Told,
    hop: Hop,
    queue: Queue,
    narrow: Narrowness,
    /// Bytes that quinn may have waiting.
    ahead: usize,
    looked: Instant,
    undelivered: u64,
    unknown: u64,
}

impl Media<'_> {
    /// Runs until the link ends.
    pub(super) async fn run(self, mut outgoing: mpsc::Receiver<Outgoing>) -> Ended {
        let now = clock::now();
        let hop = Hop::new(now, self.connection.rtt());
        let mut flow = Flow {
            told: Told { one_way: self.connection.rtt() / 2, at: now },
            hop,
            queue: Queue::default(),
            narrow: Narrowness::new(now),
            ahead: SEND_BUFFER,
            looked: now,
            undelivered: 0,
            unknown: 0,
        };
        let mut batch = Vec::new();
        let ended = loop {
            let mut due = flow.hop.poll_timeout().min(flow.looked + LOOK);
            if !flow.queue.is_empty() {
                due = due.min(clock::now() + RETRY);
            }
            let step = tokio::select! {
                taken = outgoing.recv_many(&mut batch, BATCH) => match taken {
                    0 => Err(Ended::Broken("the shards are gone".to_owned())),
                    _ => self.take(&mut batch, &mut flow.queue),
                },
                datagram = self.connection.read_datagram() => match datagram {
                    Ok(datagram) => self.receive(&mut flow, datagram),
                    Err(error) => Err(Ended::Broken(error.to_string())),
                },
                () = sleep_until(due.into()) => Ok(()),
            };
            let now = clock::now();
            if flow.hop.poll_timeout() <= now {
                flow.hop.handle_timeout(now);
            }
            if let Err(ended) = step.and_then(|()| self.send(now, &mut flow)) {
                break ended;
            }
            if now.saturating_duration_since(flow.looked) >= LOOK {
                self.look(now, &mut flow);
                let one_way = self.connection.rtt() / 2;
                if flow.told.changes(now, one_way) {
                    self.deliver.one_way(one_way).await;
                }
                if let Some(withheld) = flow.narrow.look(now, flow.queue.dropped) {
                    tracing::info!(edge = %self.id, withheld, "how many of the largest encodings the link to an edge is too narrow for");
                    self.deliver.narrow(withheld).await;
                }
            }
        };
        self.look(clock::now(), &mut flow);
        ended
    }

    /// Sorts what shards say: control to its stream, media into the queue.
    fn take(&self, batch: &mut Vec<Outgoing>, queue: &mut Queue) -> Result<(), Ended> {
        let (now, mut control) = (clock::now(), 0);
        let mut media: Vec<(u8, Vec<u8>, RelayMessage)> = Vec::new();
        for Outgoing { from, to, message } in batch.drain(..) {
            if message.may_be_lost() {
                let same = |(other, _, packet): &&mut (u8, Vec<u8>, RelayMessage)| *other == from && packet.is_copy_of(&message);
                match media.iter_mut().rev().take(COPIES).find(same) {
                    Some((_, receivers, _)) => receivers.push(to),
                    None => media.push((from, vec![to], message)),
                }
                continue;
            }
            let mut frame = Vec::new();
            message.encode(from, &[to], &mut frame);
            control += 1;
            if !self.outbox.push(frame) {
                return Err(Ended::Stuck);
            }
        }
        for (from, to, message) in media {
            let mut body = Vec::with_capacity(message.size() + 80);
            message.encode(from, &to, &mut body);
            queue.push(now, message.is_audio(), body);
        }
        if control > 0 {
            self.stats.note(|report| report.carried.control_sent += control);
        }
        Ok(())
    }

    fn receive(&self, flow: &mut Flow, datagram: Bytes) -> Result<(), Ended> {
        let Some(body) = flow.hop.handle_datagram(clock::now(), datagram) else { return Ok(()) };
        match decode_media(&body) {
            Ok(addressed) => {
                flow.undelivered += self.deliver.media(addressed)?;
                Ok(())
            }
            Err(WireError::Unknown) => {
                flow.unknown += 1;
                Ok(())
            }
            Err(WireError::Malformed) => Err(Ended::Malformed("media that isn't understood".to_owned())),
        }
    }

    /// Gives quinn what it can send soon.
    fn send(&self, now: Instant, flow: &mut Flow) -> Result<(), Ended> {
        loop {
            while let Some(datagram) = flow.hop.poll_transmit() {
                match self.connection.send_datagram(datagram) {
                    // The path has just become narrower; the hop resends what can be.
                    Ok(()) | Err(SendDatagramError::TooLarge) => (),
                    Err(error) => return Err(Ended::Broken(format!("datagrams can't be sent: {error}"))),
                }
            }
            let waiting = SEND_BUFFER.saturating_sub(self.connection.datagram_send_buffer_space());
            if waiting >= flow.ahead {
                return Ok(());
            }
            let Some(body) = flow.queue.pop(now) else { return Ok(()) };
            let most = self.connection.max_datagram_size().unwrap_or(LEAST_DATAGRAM);
            flow.hop.send(now, &body, most);
        }
    }

    /// Looks at the connection, and tells others how the link is.
    fn look(&self, now: Instant, flow: &mut Flow) {
        let quic = self.connection.stats();
        let round_trip = quic.path.rtt.max(Duration::from_micros(100));
        flow.hop.set_round_trip(round_trip);
        let rate = u128::from(quic.path.cwnd) * AHEAD.as_micros() / round_trip.as_micros();
        flow.ahead = usize::try_from(rate).unwrap_or(SEND_BUFFER).clamp(LEAST_AHEAD, SEND_BUFFER);
        if flow.hop.beaten() > flow.looked {
            self.hub.directory.heard(now, self.id);
        }
        flow.hop.set_halted(self.hub.pulse.is_halted());
        flow.looked = now;
        self.stats.note(|report| {
            report.round_trip_us = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
            report.window = quic.path.cwnd;
            report.datagram = self.connection.max_datagram_size().unwrap_or_default();
            report.withheld = flow.narrow.withheld();
            report.carried.media = flow.hop.stats();
            report.carried.bytes_sent = quic.udp_tx.bytes;
            report.carried.bytes_received = quic.udp_rx.bytes;
            report.carried.narrow = flow.queue.dropped;
            report.carried.undelivered = flow.undelivered;
            report.carried.unknown = flow.unknown;
        });
    }
}
