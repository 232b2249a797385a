//! What we say. Numbers are those of `#[n(…)]` in the protocol crate.

use alloc::vec::Vec;
use nearcast_protocol::client::Source;
use nearcast_protocol::{ClientEnvelope, ClientMessage, Continues, DataFrame, Join, MediaOffer, Moderation, Priority, PublicationId, Wish};

/// One message.
pub(crate) fn client_envelope(envelope: &ClientEnvelope) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.map(2);
    out.field(0).number(u64::from(envelope.id));
    out.field(1);
    match &envelope.message {
        ClientMessage::Join(join) => {
            out.variant(0, 1);
            out.join(join);
        }
        ClientMessage::Offer(offer) => {
            out.variant(1, 1);
            out.offer(offer);
        }
        ClientMessage::Unpublish { publication } => out.variant(2, 1).publication(publication),
        ClientMessage::Mute { publication, muted } => {
            out.variant(3, 2).publication(publication);
            out.flag(*muted);
        }
        ClientMessage::Subscribe { publication } => out.variant(4, 1).publication(publication),
        ClientMessage::Unsubscribe { publication } => out.variant(5, 1).publication(publication),
        ClientMessage::Leave => {
            out.variant(6, 0);
        }
        ClientMessage::Ping => {
            out.variant(7, 0);
        }
        ClientMessage::Wishes { wishes } => {
            out.variant(8, 1).array(wishes.len());
            wishes.iter().for_each(|wish| out.wish(wish));
        }
        ClientMessage::Transport(offer) => {
            out.variant(9, 1);
            out.offer(offer);
        }
        ClientMessage::Peer { to, payload } => {
            out.variant(10, 2).text(to.as_str());
            out.text(payload);
        }
        ClientMessage::Moderate(Moderation { action, target }) => {
            out.variant(11, 1).map(2);
            out.field(0).number(*action as u64);
            out.field(1).text(target);
        }
    }
    out.0
}

/// One frame of a data channel. What it says of its sender is for the edge to write.
pub(crate) fn encode_data_frame(frame: &DataFrame) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(frame.payload.len() + 64));
    let (to, topic) = (frame.to.as_ref().map(|to| to.as_str()), frame.topic.as_deref());
    out.map(2 + usize::from(to.is_some()) + usize::from(topic.is_some()) + usize::from(frame.beat.is_some()));
    out.optional_text(1, to);
    out.optional_text(2, topic);
    out.field(3).bytes(&frame.payload);
    out.field(4).flag(frame.text);
    if let Some(beat) = frame.beat {
        out.field(5).number(beat.into());
    }
    out.0
}

/// Appends items.
#[derive(Debug)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    /// Major type and argument (RFC 8949 §3).
    pub(crate) fn head(&mut self, major: u8, argument: u64) {
        let bytes = argument.to_be_bytes();
        let (info, width) = match argument {
            0..24 => (argument as u8, 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            _ => (27, 8),
        };
        self.0.push(major << 5 | info);
        self.0.extend(bytes.iter().skip(8 - width));
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.head(0, number);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.head(3, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn publication(&mut self, publication: &PublicationId) {
        self.text(publication.as_str());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(0xf4 + u8::from(flag));
    }

    pub(crate) fn null(&mut self) {
        self.0.push(0xf6);
    }

    pub(crate) fn array(&mut self, count: usize) {
        self.head(4, count as u64);
    }

    pub(crate) fn map(&mut self, count: usize) {
        self.head(5, count as u64);
    }

    /// The key of the field that follows.
    fn field(&mut self, key: u64) -> &mut Self {
        self.number(key);
        self
    }

    fn optional_text(&mut self, key: u64, text: Option<&str>) {
        if let Some(text) = text {
            self.field(key).text(text);
        }
    }

    /// A kind of message, and how many fields follow.
    fn variant(&mut self, kind: u64, fields: usize) -> &mut Self {
        self.array(2);
        self.number(kind);
        self.array(fields);
        self
    }

    fn join(&mut self, join: &Join) {
        let optional = [join.offer.is_some(), join.resume.is_some(), join.client.is_some(), join.continues.is_some()];
        self.map(2 + optional.into_iter().map(usize::from).sum::<usize>());
        self.field(0).text(&join.token);
        self.field(1).flag(join.auto_subscribe);
        if let Some(offer) = &join.offer {
            self.field(2).offer(offer);
        }
        if let Some(resume) = &join.resume {
            self.field(3).map(1);
            self.field(0).text(resume.session.as_str());
        }
        self.optional_text(4, join.client.as_deref());
        if let Some(Continues { participant, claim, count }) = &join.continues {
            self.field(5).map(3);
            self.field(0).text(participant.as_str());
            self.field(1).text(claim);
            self.field(2).number((*count).into());
        }
    }

    fn wish(&mut self, wish: &Wish) {
        self.map(6);
        self.field(0).publication(&wish.publication);
        self.field(1).number(wish.width.into());
        self.field(2).number(wish.height.into());
        self.field(3).flag(wish.visible);
        self.field(4).number(wish.max_fps.into());
        self.field(5).number(match wish.priority {
            Priority::Auto => 0,
            Priority::Thumbnail => 1,
            Priority::Speaker => 2,
            Priority::OnStage => 3,
        });
    }

    fn offer(&mut self, offer: &MediaOffer) {
        self.map(2);
        self.field(0).text(&offer.sdp);
        self.field(1).array(offer.publish.len());
        for intent in &offer.publish {
            self.map(4 + usize::from(intent.publication.is_some()));
            self.field(0).text(intent.mid.as_str());
            self.field(1).number(match intent.source {
                Source::Camera => 0,
                Source::Microphone => 1,
                Source::Screen => 2,
                Source::ScreenAudio => 3,
                Source::Other => 4,
            });
            self.field(2).text(&intent.name);
            self.field(3).flag(intent.muted);
            self.optional_text(4, intent.publication.as_ref().map(PublicationId::as_str));
        }
    }
}
