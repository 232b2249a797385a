//! Coming, asking, losing things, going.

use super::{Link, World};
use crate::client::{Client, ClientId};
use crate::guest::Mailbox;
use crate::joining::Joining;
use crate::secs;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{ClientMessage, DataFrame, MediaOffer, ServerMessage};
use sfu_core::{Command, ConnectionId, Continuation, Ntp};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use str0m::change::SdpApi;
use str0m::media::Mid;

/// Long enough for any exchange of a test.
const PATIENCE: Duration = secs(10);

impl World {
    /// Somebody opens a WebSocket and joins; returns at once.
    pub fn join(&mut self, joining: Joining) -> ClientId {
        let number = u16::try_from(self.clients.len()).expect("fewer than 65,536 clients");
        let id = ClientId(number);
        let inside = SocketAddr::from((Ipv4Addr::new(192, 168, 0, 2), 40_000));
        let outside = self.fresh_port();
        let mut client = Client::new(joining, id, inside, outside, self.base, self.now);
        let join = client.first_join();
        self.links.push(Link::new(self.seed.wrapping_mul(1 << 20).wrapping_add(u64::from(number))));
        self.clients.push(client);
        self.open_connection(id, join);
        id
    }

    /// Somebody joins; returns when its media is up (and its data channels are open, when it has any).
    pub fn joined(&mut self, joining: Joining) -> ClientId {
        let has_media = !joining.sources.is_empty() || joining.audio_slots + joining.video_slots > 0 || joining.data;
        let id = self.join(joining);
        self.run_until(PATIENCE, "joined", |world| {
            let client = &world[id];
            client.joined().is_some() && (!has_media || client.is_connected()) && (!client.joining.data || client.has_channels())
        });
        id
    }

    /// Comes back to its session on a new WebSocket.
    pub fn resume(&mut self, id: ClientId) {
        let join = self[id].resuming_join();
        self.open_connection(id, join);
    }

    /// Comes back to its session with an ICE restart, as after a change of network.
    pub fn resume_restarting(&mut self, id: ClientId) {
        let client = &mut self[id];
        let sdp = client.offer(|changes| drop(changes.ice_restart(true))).expect("a restart to offer");
        let join = nearcast_protocol::Join { offer: Some(MediaOffer { sdp, publish: Vec::new() }), ..client.resuming_join() };
        self.open_connection(id, join);
    }

    /// Its transport dies without a word; asks for another one from another address, offered as `change` changes it. Returns the request's id.
    pub fn renew_transport(&mut self, id: ClientId, change: impl FnOnce(&mut MediaOffer)) -> u32 {
        self.rebind(id);
        let now = self.now;
        let mut offer = self[id].renew_transport(now);
        change(&mut offer);
        self.request(id, ClientMessage::Transport(offer))
    }

    /// Comes back to its session on a new WebSocket and over a new transport.
    pub fn resume_renewing(&mut self, id: ClientId) {
        self.rebind(id);
        let now = self.now;
        let client = &mut self[id];
        let offer = Some(client.renew_transport(now));
        let join = nearcast_protocol::Join { offer, ..client.resuming_join() };
        self.open_connection(id, join);
    }

    /// Leaves its edge without a word and goes on at another, where it shows that it is the same; its transport is a new one. The edge that it leaves
    /// notices nothing.
    pub fn go_on_at(&mut self, id: ClientId, edge: usize) {
        self.go_on_as(id, edge, |_, _| {});
    }

    /// The same with the join changed, or what is known of who it was.
    pub fn go_on_as(&mut self, id: ClientId, edge: usize, change: impl FnOnce(&mut nearcast_protocol::Join, &mut Continuation)) {
        self.rebind(id);
        let now = self.now;
        let client = &mut self[id];
        let offer = Some(client.renew_transport(now));
        client.moves += 1;
        let mut continuation = Continuation { participant: client.participant(), since: Ntp(0), count: client.moves };
        let mut join = nearcast_protocol::Join { offer, resume: None, ..client.resuming_join() };
        change(&mut join, &mut continuation);
        self.edge.next_at(edge);
        self.open_connection_as(id, join, Some(continuation));
    }

    /// A guest's address and WebSocket; returns its number.
    pub(crate) fn open_mailbox(&mut self) -> (usize, SocketAddr) {
        let (address, connection) = (self.fresh_port(), self.fresh_connection());
        self.mailboxes.push(Mailbox { address, connection, datagrams: Vec::new(), signals: Vec::new() });
        (self.mailboxes.len() - 1, address)
    }

    pub(crate) fn mailbox(&mut self, number: usize) -> &mut Mailbox {
        &mut self.mailboxes[number]
    }

    pub(crate) fn guest_signals(&self, number: usize) -> &[ServerMessage] {
        &self.mailboxes[number].signals
    }

    fn fresh_connection(&mut self) -> ConnectionId {
        self.connections += 1;
        ConnectionId(self.connections)
    }

    fn open_connection(&mut self, id: ClientId, join: nearcast_protocol::Join) {
        self.open_connection_as(id, join, None);
    }

    fn open_connection_as(&mut self, id: ClientId, join: nearcast_protocol::Join, continuation: Option<Continuation>) {
        let connection = self.fresh_connection();
        let client = &mut self[id];
        client.connection = Some(connection);
        let admission = client.admission();
        let request = client.envelope(ClientMessage::Ping).id;
        self.command(Command::Join { connection, request, admission, continuation, join });
    }

    /// An address outside of the client's NAT that nobody had before.
    fn fresh_port(&mut self) -> SocketAddr {
        self.ports += 1;
        SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 10_000 + self.ports))
    }

    /// The NAT forgets its mapping and makes another one: datagrams to the old address are lost.
    pub fn rebind(&mut self, id: ClientId) {
        self[id].outside = self.fresh_port();
    }

    /// Sends a request; returns its id.
    pub fn request(&mut self, id: ClientId, message: ClientMessage) -> u32 {
        self.send_request(usize::from(id.0), message)
    }

    /// Sends a request and waits for its reply.
    pub fn ask(&mut self, id: ClientId, message: ClientMessage) -> ServerMessage {
        let request = self.request(id, message);
        self.reply(id, request)
    }

    /// Waits for the reply to a request.
    pub fn reply(&mut self, id: ClientId, request: u32) -> ServerMessage {
        self.run_until(PATIENCE, "a reply", |world| world.find_reply(id, request).is_some());
        self.find_reply(id, request).expect("a reply")
    }

    fn find_reply(&self, id: ClientId, request: u32) -> Option<ServerMessage> {
        let of = |message: &ServerMessage| match message {
            ServerMessage::Answer { id, .. }
            | ServerMessage::Done { id }
            | ServerMessage::Failed { id, .. }
            | ServerMessage::Pong { id } => Some(*id),
            ServerMessage::Joined(joined) => Some(joined.id),
            _ => None,
        };
        self[id].signals.iter().find(|(_, message)| of(message) == Some(request)).map(|(_, message)| message.clone())
    }

    /// Offers changed sections, with intents for those of `publish` (sources by number), and waits for the answer.
    pub fn offer(&mut self, id: ClientId, publish: &[usize], change: impl FnOnce(&mut SdpApi<'_>)) -> ServerMessage {
        let client = &mut self[id];
        let publish = publish.iter().map(|source| client.intent(*source)).collect();
        let sdp = client.offer(change).expect("a change to offer");
        self.ask(id, ClientMessage::Offer(MediaOffer { sdp, publish }))
    }

    /// Offers more sections, and waits for the answer.
    pub fn grow(&mut self, id: ClientId, plans: Vec<crate::SourcePlan>, audio: usize, video: usize) -> ServerMessage {
        let offer = self[id].grow(plans, audio, video, false).expect("a change to offer");
        self.ask(id, ClientMessage::Offer(offer))
    }

    /// The WebSocket is lost; the edge notices at once.
    pub fn lose_signalling(&mut self, id: ClientId) {
        if let Some(connection) = self[id].connection.take() {
            self.command(Command::Disconnected { connection });
        }
    }

    /// Is told to go on at another edge, by the edge itself: its WebSocket ends.
    pub fn send_on(&mut self, id: ClientId) {
        self.tell_to_move(id);
        self.lose_signalling(id);
    }

    /// Is told to go on at another edge, by the edge itself, which goes on until it has.
    pub fn tell_to_move(&mut self, id: ClientId) {
        if let Some(connection) = self[id].connection {
            self.command(Command::SentOn { connection });
        }
    }

    /// Leaves in good order.
    pub fn leave(&mut self, id: ClientId) {
        self.request(id, ClientMessage::Leave);
        self.run_until(PATIENCE, "left", |world| world[id].connection.is_none());
        self.forget(id);
    }

    /// Says goodbye on the transport.
    pub fn close_transport(&mut self, id: ClientId) {
        let index = usize::from(id.0);
        drop(self.clients[index].rtc.close());
        self.clients[index].drain(self.now, &mut self.outgoing);
        self.send_up(index);
        self.run_for(Link::DELAY + Link::DELAY);
    }

    /// Says goodbye on the transport (a page that is closed), then the WebSocket ends too.
    pub fn close_page(&mut self, id: ClientId) {
        self.close_transport(id);
        self.lose_signalling(id);
        self.forget(id);
    }

    /// Is gone, without a word on any channel; the edge notices the end of the WebSocket.
    pub fn vanish(&mut self, id: ClientId) {
        self.lose_signalling(id);
        self.forget(id);
    }

    /// Takes no further part. Its log can still be read.
    fn forget(&mut self, id: ClientId) {
        self[id].alive = false;
    }

    /// Sends a data frame on stream 0 (reliable) or 1 (lossy).
    pub fn send_data(&mut self, id: ClientId, stream: u16, frame: &DataFrame) -> bool {
        self.send_bytes(id, stream, &frame.to_cbor())
    }

    /// Sends bytes on a data channel, whatever they are.
    pub fn send_bytes(&mut self, id: ClientId, stream: u16, bytes: &[u8]) -> bool {
        let index = usize::from(id.0);
        let sent = self.clients[index].write_channel(stream, bytes);
        self.clients[index].drain(self.now, &mut self.outgoing);
        self.send_up(index);
        sent
    }

    /// A decoder lost its way in this section.
    pub fn request_keyframe(&mut self, id: ClientId, mid: Mid) {
        let now = self.now;
        let client = &mut self[id];
        client.request_keyframe(mid);
        client.timeout = now;
    }

    /// A receiver tells its limit.
    pub fn send_remb(&mut self, id: ClientId, mid: Mid, bits_per_second: u64) {
        let now = self.now;
        let client = &mut self[id];
        client.send_remb(mid, bits_per_second);
        client.timeout = now;
    }

    /// The encoder of a source starts anew: other SSRC, other numbers.
    pub fn restart_source(&mut self, id: ClientId, source: usize, ssrc: u32, seq: u16, timestamp: u32) {
        self[id].restart_source(source, ssrc, seq, timestamp);
    }

    /// The encoder of one encoding of a source starts anew.
    pub fn restart_encoding(&mut self, id: ClientId, source: usize, encoding: usize, ssrc: u32, seq: u16) {
        self[id].restart_encoding(source, encoding, ssrc, seq);
    }

    /// Ends a stay from outside.
    pub fn remove(&mut self, room: &str, identity: &str) {
        self.command(Command::Remove { room: room.to_owned(), identity: identity.to_owned() });
    }

    /// Ends everything from outside.
    pub fn shut_down(&mut self) {
        self.command(Command::Shutdown);
    }
}
