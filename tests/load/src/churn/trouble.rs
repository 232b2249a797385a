//! What happens to an edge besides people who come and go.

use crate::LoadError;
use crate::server::NearcastEdge;

/// Faults and attacks, by somebody who knows how.
pub trait Trouble {
    /// Something happens while people are in `room`. The same `draw` is the same trouble. Whoever came along for it has gone on return, or goes by itself
    /// when its WebSocket is closed.
    ///
    /// # Errors
    /// The edge didn't take it as it must.
    fn happen(&mut self, edge: &NearcastEdge, room: &str, draw: u64) -> Result<Happened, LoadError>;
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub struct Happened {
    /// Its name.
    pub what: &'static str,
    /// Datagrams, messages or requests.
    pub thrown: u64,
    /// Participants who joined for it.
    pub participants: usize,
    /// Of these, so many may have spoilt their handshake.
    pub handshakes_spoilt: usize,
}
