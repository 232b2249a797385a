//! A participant's signalling connection.

use crate::LoadError;
use nearcast_protocol::wire::{Json, WireError};
use nearcast_protocol::{ClientEnvelope, ClientMessage, SUBPROTOCOL_JSON, ServerMessage};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tungstenite::{Message, WebSocket};

/// A reply takes no longer, or the server has a fault.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a peer needs of its server after it has joined. Another server's protocol is another implementation.
pub trait Signalling: Send {
    /// To poll for reading.
    fn descriptor(&self) -> BorrowedFd<'_>;

    /// Something can be read: keep the connection alive, and tell if the server ended the stay. Must not wait.
    ///
    /// # Errors
    /// The server's reason.
    fn on_readable(&mut self) -> Result<(), LoadError>;

    /// Say goodbye, as a person who leaves does.
    fn leave(&mut self);

    /// End the connection without a word to the application, as a page that crashes does.
    fn hang_up(&mut self);
}

/// An edge's WebSocket, in JSON.
#[derive(Debug)]
pub struct JsonSocket {
    socket: WebSocket<TcpStream>,
}

impl JsonSocket {
    /// Opens one; until [`JsonSocket::start_polling`] it waits for what it reads.
    ///
    /// # Errors
    /// No connection, or the edge doesn't speak this version.
    pub fn open(server: SocketAddr) -> Result<Self, LoadError> {
        let url = format!("ws://{server}/v1/signal");
        let doing = format!("opening {url}");
        let stream = TcpStream::connect_timeout(&server, PATIENCE)
            .and_then(|stream| {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Ok(stream)
            })
            .map_err(LoadError::system(&doing))?;
        let mut request = url.into_client_request().map_err(|error| LoadError::refused(&doing, error))?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL_JSON));
        let (socket, _response) = tungstenite::client(request, stream).map_err(|error| LoadError::refused(&doing, error))?;
        Ok(Self { socket })
    }

    /// Sends a request and waits for its reply, passing over events.
    ///
    /// # Errors
    /// The edge refuses, or the connection ends.
    pub fn ask(&mut self, message: ClientMessage) -> Result<ServerMessage, LoadError> {
        let doing = "asking over the WebSocket";
        self.send(message)?;
        loop {
            match self.read().map_err(|error| LoadError::refused(doing, error))? {
                Some(ServerMessage::Failed { error, .. } | ServerMessage::Closed { error }) => {
                    return Err(match error.retry_after_ms {
                        Some(after) if error.retryable => {
                            LoadError::Later { why: error.message, after: Duration::from_millis(after.into()) }
                        }
                        _ => LoadError::refused(doing, error.message),
                    });
                }
                Some(reply @ (ServerMessage::Joined(_) | ServerMessage::Answer { .. } | ServerMessage::Done { .. })) => return Ok(reply),
                Some(_) | None => {}
            }
        }
    }

    fn send(&mut self, message: ClientMessage) -> Result<(), LoadError> {
        let text = ClientEnvelope { id: 1, message }.to_json();
        self.socket.send(Message::text(text)).map_err(|error| LoadError::refused("sending over the WebSocket", error))
    }

    /// The next message; none for control frames and what this version doesn't know.
    fn read(&mut self) -> Result<Option<ServerMessage>, tungstenite::Error> {
        let Message::Text(text) = self.socket.read()? else {
            // A ping's answer is queued by reading it.
            let _later = self.socket.flush();
            return Ok(None);
        };
        match ServerMessage::from_json(text.as_str()) {
            Ok(message) => Ok(Some(message)),
            Err(WireError::Unknown) => Ok(None),
            Err(WireError::Malformed(why)) => Err(tungstenite::Error::Io(std::io::Error::new(ErrorKind::InvalidData, why))),
        }
    }

    /// From now on nothing waits.
    ///
    /// # Errors
    /// The system's.
    pub fn start_polling(&mut self) -> Result<(), LoadError> {
        self.socket.get_ref().set_nonblocking(true).map_err(LoadError::system("making a WebSocket non-blocking"))
    }
}

impl Signalling for JsonSocket {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }

    fn on_readable(&mut self) -> Result<(), LoadError> {
        let ended = |why: String| LoadError::refused("staying in the room", why);
        loop {
            match self.socket.read() {
                // In a large room thousands of others come: to read what is told of them would cost more than to tell it.
                Ok(Message::Text(text)) if text.as_str().contains(r#""type":"closed""#) => {
                    if let Ok(ServerMessage::Closed { error }) = ServerMessage::from_json(text.as_str()) {
                        return Err(ended(error.message));
                    }
                }
                Ok(Message::Text(_)) => {}
                // A ping's answer is queued by reading it.
                Ok(_) => drop(self.socket.flush()),
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(ended(error.to_string())),
            }
        }
    }

    fn leave(&mut self) {
        // The edge may be gone already: then there is nobody to tell.
        let _gone = self.send(ClientMessage::Leave);
    }

    fn hang_up(&mut self) {
        let _gone = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
    }
}
