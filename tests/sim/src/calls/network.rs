//! What is on its way: WebSocket messages, datagrams, and what a browser takes a moment for.

use super::{Calls, Page, PageId};
use crate::world::Datagram;
use client_core::{Input, SocketId};
use nearcast_protocol::ServerMessage;
use sfu_core::{Command, ConnectionId, Event};
use std::time::{Duration, Instant};

/// One way, signalling and media alike.
pub(super) const ONE_WAY: Duration = crate::world::Link::DELAY;

/// From the wish for a WebSocket to the first byte that it can carry: TCP, TLS 1.3 and the upgrade, less the way back.
pub(super) const HANDSHAKE: Duration = Duration::from_millis(125);

/// How long an edge keeps a WebSocket that says nothing (`idle_timeout`).
const IDLE: Duration = Duration::from_secs(30);

pub(super) enum Mail {
    /// To an edge: a WebSocket is wanted.
    Open { socket: SocketId, front: usize, connection: ConnectionId },
    /// To an edge.
    Said { front: usize, connection: ConnectionId, bytes: Vec<u8> },
    /// To an edge: the WebSocket is closed.
    Left { front: usize, connection: ConnectionId },
    /// To a page: the WebSocket is open.
    Opened(SocketId),
    /// To a page.
    Heard(SocketId, Vec<u8>),
    /// To a page: the WebSocket is gone, or never came.
    Ended(SocketId),
    /// At all edges: a WebSocket on which nothing has passed for so long is closed, if nothing has passed since then.
    Idle(Instant),
    /// Within a page; of a transport that must still be there.
    Told(Option<u32>, Input),
}

/// Something on its way.
pub(super) struct Letter {
    pub(super) at: Instant,
    order: u64,
    page: PageId,
    mail: Mail,
}

impl Letter {
    /// It is held up, whenever it was due.
    pub(super) fn waits(&self, pages: &[Page]) -> bool {
        let page = &pages[self.page.0];
        match self.mail {
            Mail::Told(..) => page.asleep,
            Mail::Idle(_) => false,
            _ => page.hanging.is_some(),
        }
    }
}

impl Calls {
    pub(super) fn post(&mut self, page: PageId, after: Duration, mail: Mail) {
        let (at, order) = (self.now + after, self.draw());
        self.letters.push(Letter { at, order, page, mail });
    }

    /// Nothing passes on a page's WebSockets, or everything that waited does now, in order.
    pub fn hang(&mut self, id: PageId, hanging: bool) {
        let now = self.now;
        self[id].hanging = hanging.then_some(now);
        if hanging {
            self.post(id, IDLE, Mail::Idle(now));
        }
    }

    pub(super) fn close_socket(&mut self, id: PageId) {
        if let Some(socket) = self[id].socket.take() {
            self.post(id, ONE_WAY, Mail::Left { front: socket.front, connection: socket.connection });
        }
    }

    pub(super) fn deliver_letters(&mut self) -> bool {
        let Self { letters, pages, now, .. } = self;
        let mut due: Vec<_> = letters.extract_if(.., |letter| letter.at <= *now && !letter.waits(pages)).collect();
        due.sort_by_key(|letter| letter.order);
        let busy = !due.is_empty();
        for Letter { page, mail, .. } in due {
            self.deliver(page, mail);
        }
        busy
    }

    fn deliver(&mut self, id: PageId, mail: Mail) {
        let now = self.now;
        let is_open = |calls: &Self, socket| calls[id].socket.as_ref().is_some_and(|present| present.id == socket);
        match mail {
            Mail::Open { socket, front, connection } => {
                let alive = self.fronts[front].edge.is_some();
                if alive {
                    self.connections.insert(connection, id);
                }
                if !self.fronts[front].still {
                    self.post(id, ONE_WAY, if alive { Mail::Opened(socket) } else { Mail::Ended(socket) });
                }
            }
            Mail::Said { front, connection, bytes } => {
                let today = self.now();
                if let Some(refusal) = self.fronts[front].hear(now, today, connection, &bytes) {
                    self.tell(front, connection, refusal);
                }
                self.take_edge_output();
            }
            Mail::Left { front, connection } => {
                self.connections.remove(&connection);
                if let Some(edge) = &mut self.fronts[front].edge {
                    edge.command(now, Command::Disconnected { connection });
                }
            }
            Mail::Idle(since) if self[id].hanging == Some(since) => {
                let of_page: Vec<_> = self.connections.iter().filter(|(_, page)| **page == id).map(|(connection, _)| *connection).collect();
                for connection in of_page {
                    self.connections.remove(&connection);
                    for front in &mut self.fronts {
                        if let Some(edge) = &mut front.edge {
                            edge.command(now, Command::Disconnected { connection });
                        }
                    }
                    if let Some(socket) = self[id].socket.as_ref().filter(|socket| socket.connection == connection) {
                        let socket = socket.id;
                        self.post(id, ONE_WAY, Mail::Ended(socket));
                    }
                }
            }
            Mail::Opened(socket) if is_open(self, socket) => self.feed(id, Input::SocketOpened(socket)),
            Mail::Heard(socket, bytes) if is_open(self, socket) => self.feed(id, Input::SocketMessage(socket, bytes)),
            Mail::Ended(socket) if is_open(self, socket) => {
                self[id].socket = None;
                self.feed(id, Input::SocketClosed(socket));
            }
            Mail::Told(transport, input) if transport.is_none() || transport == self[id].transport => self.feed(id, input),
            Mail::Opened(_) | Mail::Heard(..) | Mail::Ended(_) | Mail::Idle(_) | Mail::Told(..) => {}
        }
    }

    /// An edge says something on a WebSocket.
    fn tell(&mut self, front: usize, connection: ConnectionId, message: ServerMessage) {
        let Some(id) = self.connections.get(&connection).copied() else { return };
        let bytes = self.fronts[front].say(message);
        if let Some(socket) = self[id].socket.as_ref().filter(|socket| socket.connection == connection) {
            let socket = socket.id;
            self.post(id, ONE_WAY, Mail::Heard(socket, bytes));
        }
    }

    /// Everything that edges have to say, on its way.
    pub(super) fn take_edge_output(&mut self) {
        let now = self.now;
        for front in 0..self.fronts.len() {
            let Self { fronts, pages, .. } = self;
            let Some(edge) = &mut fronts[front].edge else { continue };
            let from = edge.address();
            edge.drain_transmits(|to, bytes| {
                if let Some(page) = pages.iter_mut().find(|page| page.client.outside == to) {
                    page.link.send_down(now, Datagram { from, bytes: bytes.to_vec() });
                }
            });
            let mut events = Vec::new();
            while let Some(event) = edge.poll_event() {
                events.push(event);
            }
            for event in events {
                match event {
                    Event::Signal { connection, message } => self.tell(front, connection, message),
                    Event::Close { connection } => {
                        if let Some(id) = self.connections.get(&connection).copied()
                            && let Some(socket) = self[id].socket.as_ref().filter(|socket| socket.connection == connection)
                        {
                            let socket = socket.id;
                            self.post(id, ONE_WAY, Mail::Ended(socket));
                        }
                        if let Some(edge) = &mut self.fronts[front].edge {
                            edge.command(now, Command::Disconnected { connection });
                        }
                    }
                    Event::TupleBound { .. }
                    | Event::TupleUnbound { .. }
                    | Event::Relay { .. }
                    | Event::RoomSize { .. }
                    | Event::Stay(_) => {}
                }
            }
        }
    }

    /// Datagrams that have arrived, both ways.
    pub(super) fn deliver_media(&mut self) -> bool {
        let now = self.now;
        let mut busy = false;
        for id in self.everybody() {
            while let Some(datagram) = self[id].link.arrived_up(now) {
                busy = true;
                let bytes = datagram.bytes;
                let front = self[id].media;
                if let Some(edge) = front.and_then(|front| self.fronts[front].edge.as_mut()) {
                    edge.receive(now, datagram.from, bytes);
                }
                self.take_edge_output();
            }
            while let Some(datagram) = self[id].link.arrived_down(now) {
                busy = true;
                let mut outgoing = std::mem::take(&mut self.outgoing);
                let page = &mut self[id];
                if page.transport.is_some() && !page.asleep {
                    page.received += datagram.bytes.len() as u64;
                    page.heard_at = now;
                    page.client.receive(now, datagram.from, &datagram.bytes, &mut outgoing);
                }
                self.outgoing = outgoing;
                self.send_media(id);
                self.report(id);
            }
        }
        busy
    }

    /// What the browser wants sent.
    pub(super) fn send_media(&mut self, id: PageId) {
        let now = self.now;
        let outgoing = std::mem::take(&mut self.outgoing);
        let page = &mut self[id];
        let from = page.client.outside;
        for bytes in outgoing {
            page.sent += bytes.len() as u64;
            page.link.send_up(now, Datagram { from, bytes });
        }
    }
}
