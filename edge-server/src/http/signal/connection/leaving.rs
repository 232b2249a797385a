//! The room has moved to another edge: its people are told where to go on, and have to be gone when their time is up.

use super::end::End;
use super::{Connection, Stage, WebSocket};
use crate::clock;
use crate::cluster::rooms::{Destination, turn};
use crate::media::link::Input;
use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo, ServerMessage};
use sfu_core::Command;
use std::sync::Arc;

/// People of a room that moves are told so over this part of the time that they have.
const SPREAD_OVER: u32 = 4;

/// The room has moved, and its people with it.
pub(super) struct Leaving {
    to: Arc<str>,
    /// When the participant is told, and then: when it has to be gone.
    pub(super) at: tokio::time::Instant,
    told: bool,
    until: tokio::time::Instant,
}

impl Connection {
    /// The room has moved. Who may take its time is told a little later than the next one, so that not all come at once.
    pub(super) fn go(&mut self, Destination { url, within }: Destination) -> Result<(), End> {
        self.moved = None;
        let Some(within) = within.filter(|_| matches!(self.stage, Stage::Inside { .. })) else { return Err(gone(&url)) };
        let at = clock::deadline(turn(self.id, within / SPREAD_OVER));
        self.leaving = Some(Leaving { to: url, at, told: false, until: clock::deadline(within) });
        Ok(())
    }

    /// Tells where to go on; for the second time the last.
    pub(super) async fn send_on(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let Some(leaving) = &mut self.leaving else { return Ok(()) };
        if core::mem::replace(&mut leaving.told, true) {
            return Err(gone(&leaving.to));
        }
        leaving.at = leaving.until;
        let left = leaving.until.saturating_duration_since(clock::deadline(Duration::ZERO));
        let message = ServerMessage::Move { to: leaving.to.to_string(), deadline_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX) };
        if let Some(link) = self.stage.link() {
            link.shard.send(Input::Command(Command::SentOn { connection: self.id })).await;
        }
        self.say(socket, message).await
    }
}

/// The end of who has to be elsewhere by now.
fn gone(to: &str) -> End {
    End::Refused(ErrorInfo {
        edge: Some(to.to_owned()),
        ..ErrorInfo::new(ErrorCode::Elsewhere, format!("this room has moved to another edge: join at {to}"))
    })
}
