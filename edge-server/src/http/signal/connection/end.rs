//! How a WebSocket ends, and what is said then.

use super::super::socket::{Broken, Closing, Message};
use super::{Connection, WebSocket};
use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo, ServerMessage};
use tokio::time::timeout;

/// How long the other side may take to answer our close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// WebSocket close codes from here on are ours (RFC 6455 §7.4.2).
const CLOSE_CODES: u16 = 4000;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The other side closes.
    Closed(Option<Closing>),
    /// TCP broke.
    Lost,
    /// We close, and say why.
    Refused(ErrorInfo),
    /// The session ended, or the join was refused; the code has been sent in a message if there was a reason.
    Dismissed(Option<ErrorCode>),
    /// It reads too slowly.
    Slow,
    /// Nothing came for `idle_timeout`.
    Idle,
}

impl Connection {
    /// Says goodbye as far as the end allows.
    pub(super) async fn part(&self, socket: &mut WebSocket, end: End) {
        let (code, reason) = match end {
            End::Lost | End::Slow => return, // nobody reads
            End::Closed(closing) => {
                // Answered in kind, and all has been said. Whether it arrives changes nothing any more.
                let _ = timeout(CLOSE_PATIENCE, socket.send(Message::Close(closing))).await;
                return;
            }
            End::Idle => (CLOSE_CODES + ErrorCode::TransportFailed.number(), "idle"),
            End::Dismissed(None) => (1000, ""),
            End::Dismissed(Some(code)) => (CLOSE_CODES + code.number(), code.name()),
            End::Refused(error) => {
                tracing::info!(connection = self.id.0, code = error.code.name(), "connection refused: {}", error.message);
                let code = error.code;
                if self.say(socket, ServerMessage::Closed { error }).await.is_err() {
                    return;
                }
                (CLOSE_CODES + code.number(), code.name())
            }
        };
        let goodbye = async {
            socket.send(Message::Close(Some(Closing { code, reason: reason.to_owned() }))).await?;
            // Read on until the other side has closed too: closing first, with its data unread, would make TCP drop ours.
            while let Some(message) = socket.recv().await {
                if matches!(message?, Message::Close(_)) {
                    break;
                }
            }
            Ok::<(), Broken>(())
        };
        // Whatever happens now, the connection is over.
        let _ = timeout(CLOSE_PATIENCE, goodbye).await;
    }
}

/// Why reading failed: the one thing worth telling is a message that is too large.
pub(super) fn broken(error: &Broken) -> End {
    match error {
        Broken::TooLong(most) => End::Refused(ErrorInfo::new(ErrorCode::LimitReached, format!("a message of more than {most} bytes"))),
        Broken::Protocol(_) | Broken::Io(_) => {
            tracing::debug!(%error, "a WebSocket can't be read");
            End::Lost
        }
    }
}
