//! A fault of the core costs the participant whose input met it, where it can: docs/decisions/016.
//!
//! Each datagram and each command is given to the core on its own. When that panics, whoever sent it is let go of, which takes it out of
//! every table by the usual way, and is told to join again; the shard goes on. What an unauthenticated datagram met has changed nothing for
//! anybody, so there it is enough to drop it. Should letting go panic too, or should it happen too often, the shard begins afresh
//! ([006](docs/decisions/006-a-panic-ends-a-shard.md)).

use core::fmt::Write;
use core::time::Duration;
use sfu_core::{Command, ConnectionId, Remote, Shard};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

/// Faults within [`WINDOW`] that cost a participant each; with more than that the core itself is taken to be broken. Guess: more than one
/// hostile participant causes before it has to join again, a dozen times a minute.
pub const MOST: usize = 32;

/// See [`MOST`].
const WINDOW: Duration = Duration::from_secs(60);

/// Bytes of a datagram that are logged: its header. What follows may be somebody's picture.
const LOGGED: usize = 24;

/// Datagrams that end so make tests fall over.
#[cfg(test)]
pub const FALL_OVER: &[u8] = b"fall over";

/// The faults of the last minute.
#[derive(Debug, Default)]
pub struct Containment {
    recent: VecDeque<Instant>,
}

impl Containment {
    /// Gives the core a datagram.
    pub fn datagram(&mut self, shard: &mut Shard, now: Instant, from: impl Into<Remote>, to: SocketAddr, datagram: &mut [u8]) {
        let from: Remote = from.into();
        let fed = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            assert!(!datagram.ends_with(FALL_OVER), "a panic on request");
            shard.handle_datagram(now, from, to, datagram);
        }));
        if let Err(panic) = fed {
            let head = hex(datagram.get(..LOGGED).unwrap_or(datagram));
            let evicted = self.let_go(panic, now, || shard.evict_address(now, from));
            tracing::error!(from = %from.address, evicted, bytes = datagram.len(), head, "a datagram made the media core panic; its sender is let go of");
        }
    }

    /// Gives the core a command. A connection: its command met a fault, and it has to be ended.
    pub fn command(&mut self, shard: &mut Shard, now: Instant, command: Command) -> Option<ConnectionId> {
        let (connection, kind) = about(&command);
        let panic = catch_unwind(AssertUnwindSafe(|| shard.handle_command(now, command))).err()?;
        let Some(connection) = connection else { resume_unwind(panic) };
        let evicted = self.let_go(panic, now, || shard.evict_connection(now, connection));
        tracing::error!(connection = connection.0, evicted, kind, "a message made the media core panic; its sender is let go of");
        Some(connection)
    }

    fn let_go(&mut self, panic: Box<dyn core::any::Any + Send>, now: Instant, evict: impl FnOnce() -> bool) -> bool {
        self.recent.push_back(now);
        self.recent.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        if self.recent.len() > MOST {
            self.recent.clear();
            resume_unwind(panic);
        }
        evict()
    }
}

/// Whose a command is, and what it is called.
fn about(command: &Command) -> (Option<ConnectionId>, &'static str) {
    match command {
        Command::Join { connection, .. } => (Some(*connection), "join"),
        Command::JoinByHttp { connection, .. } => (Some(*connection), "join by HTTP"),
        Command::RestartIce { connection, .. } => (Some(*connection), "ICE restart"),
        Command::Request { connection, .. } => (Some(*connection), "request"),
        Command::Disconnected { connection } => (Some(*connection), "disconnected"),
        Command::SentOn { connection } => (Some(*connection), "sent on"),
        Command::Remove { .. } => (None, "remove"),
        Command::Shutdown => (None, "shutdown"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_somebody_can_be_laid_at_their_door() {
        assert_eq!(about(&Command::Disconnected { connection: ConnectionId(7) }), (Some(ConnectionId(7)), "disconnected"));
        assert_eq!(about(&Command::Shutdown).0, None);
    }

    #[test]
    fn too_many_faults_are_one_of_the_core() {
        let (mut containment, now) = (Containment::default(), Instant::now());
        for _ in 0..MOST {
            assert!(containment.let_go(Box::new("fault"), now, || true));
        }
        let last = catch_unwind(AssertUnwindSafe(|| containment.let_go(Box::new("fault"), now, || true)));
        assert!(last.is_err(), "the shard has to begin afresh");
        let later = now + WINDOW * 2;
        assert!(containment.let_go(Box::new("fault"), later, || true));
    }
}
