//! Requests that wait for their reply, in order. Those under way when the WebSocket is lost are sent again once the session is resumed: all of
//! them say how things shall be, not what to change, so saying it twice does no harm. Not here: offers (`negotiation`), which carry more.

use crate::{Code, RequestId, SessionError};
use alloc::vec::Vec;
use nearcast_protocol::{ClientEnvelope, ClientMessage, ErrorCode, PublicationId};

/// Requests that may wait. Guess: nobody has this many publications, so whoever reaches it calls in a loop while the edge is away.
const MAX_WAITING: usize = 256;

#[derive(Debug)]
struct Waiting {
    /// The number on the wire; none: not sent on this connection yet.
    id: Option<u32>,
    /// Whose it is; none: the session's own.
    request: Option<RequestId>,
    message: ClientMessage,
    /// Was sent before on a connection that was lost: it may have taken effect already.
    repeated: bool,
}

/// Requests from the app to the edge.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    waiting: Vec<Waiting>,
}

impl Requests {
    /// Takes a request; it goes out with the next [`Self::unsent`].
    pub(crate) fn push(&mut self, request: Option<RequestId>, message: ClientMessage) -> Result<(), SessionError> {
        if self.waiting.len() >= MAX_WAITING {
            return Err(ErrorCode::LimitReached.into());
        }
        self.waiting.push(Waiting { id: None, request, message, repeated: false });
        Ok(())
    }

    /// What hasn't been sent on this connection, each with a number from `next_id`.
    pub(crate) fn unsent(&mut self, mut next_id: impl FnMut() -> u32) -> Vec<ClientEnvelope> {
        let unsent = self.waiting.iter_mut().filter(|one| one.id.is_none());
        unsent
            .map(|one| {
                let id = next_id();
                one.id = Some(id);
                ClientEnvelope { id, message: one.message.clone() }
            })
            .collect()
    }

    /// The connection is gone: everything must be sent again.
    pub(crate) fn connection_lost(&mut self) {
        for one in &mut self.waiting {
            one.repeated |= one.id.take().is_some();
        }
    }

    /// Another session goes on in place of the one that these were for: what it doesn't know has ended.
    pub(crate) fn session_lost(&mut self) {
        self.waiting.iter_mut().for_each(|one| one.repeated = true);
    }

    /// A publication has another name now.
    pub(crate) fn rename(&mut self, was: &PublicationId, id: &PublicationId) {
        for one in &mut self.waiting {
            if let ClientMessage::Unpublish { publication }
            | ClientMessage::Mute { publication, .. }
            | ClientMessage::Subscribe { publication }
            | ClientMessage::Unsubscribe { publication } = &mut one.message
                && publication == was
            {
                publication.clone_from(id);
            }
        }
    }

    /// The reply with this number came. None: it belongs to no request of ours.
    pub(crate) fn settle(&mut self, id: u32, result: Result<(), SessionError>) -> Option<Settled> {
        let at = self.waiting.iter().position(|one| one.id == Some(id))?;
        let Waiting { request, message, repeated, .. } = self.waiting.remove(at);
        // Done the first time, so the second time there was nothing left to end.
        let gone = Code::Edge(ErrorCode::PublicationUnknown);
        let ended = repeated && matches!(message, ClientMessage::Unpublish { .. } | ClientMessage::Unsubscribe { .. });
        let result = result.or_else(|error| if ended && error.code == gone { Ok(()) } else { Err(error) });
        Some(Settled { request, result })
    }

    /// Everything that waits, for the end.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = RequestId> {
        self.waiting.drain(..).filter_map(|one| one.request)
    }
}

/// A request that ended.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) request: Option<RequestId>,
    pub(crate) result: Result<(), SessionError>,
}
