//! Janus's API over a WebSocket: one connection, one session and one handle of the VideoRoom plugin for each transport.

use crate::LoadError;
use crate::signalling::Signalling;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tungstenite::{Message, WebSocket};

/// A reply takes no longer, on a core that is busy with 200 handshakes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the plugin replied.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) data: Value,
    /// The session description that came with it.
    pub(super) description: Option<String>,
}

/// A handle of the plugin.
#[derive(Debug)]
pub(super) struct Handle {
    socket: WebSocket<TcpStream>,
    session: u64,
    handle: u64,
    transactions: u64,
}

fn refused(why: impl std::fmt::Display) -> LoadError {
    LoadError::refused("asking Janus", why)
}

impl Handle {
    pub(super) fn open(server: SocketAddr) -> Result<Self, LoadError> {
        let stream = TcpStream::connect_timeout(&server, PATIENCE).map_err(LoadError::system("connecting to Janus"))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .map_err(LoadError::system("connecting to Janus"))?;
        let mut request = format!("ws://{server}/").into_client_request().map_err(refused)?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("janus-protocol"));
        let (socket, _response) = tungstenite::client(request, stream).map_err(refused)?;
        let mut handle = Self { socket, session: 0, handle: 0, transactions: 0 };
        handle.session = handle.made(json!({ "janus": "create" }))?;
        handle.handle = handle.made(json!({ "janus": "attach", "session_id": handle.session, "plugin": "janus.plugin.videoroom" }))?;
        Ok(handle)
    }

    /// Makes a session or a handle; its id.
    fn made(&mut self, request: Value) -> Result<u64, LoadError> {
        let reply = self.exchange(request)?;
        reply.pointer("/data/id").and_then(Value::as_u64).ok_or_else(|| refused(format!("the reply holds no id: {reply}")))
    }

    /// Asks the plugin, with a session description of a kind.
    pub(super) fn request(&mut self, body: &Value, description: Option<(&str, &str)>) -> Result<Reply, LoadError> {
        let mut message = json!({ "janus": "message", "session_id": self.session, "handle_id": self.handle, "body": body });
        if let (Some((kind, sdp)), Some(message)) = (description, message.as_object_mut()) {
            message.insert("jsep".to_owned(), json!({ "type": kind, "sdp": sdp, "trickle": false }));
        }
        let reply = self.exchange(message)?;
        let data = reply.pointer("/plugindata/data").cloned().unwrap_or_default();
        if let Some(error) = data.get("error").and_then(Value::as_str) {
            return Err(refused(format!("{error} (to {body})")));
        }
        Ok(Reply { data, description: reply.pointer("/jsep/sdp").and_then(Value::as_str).map(str::to_owned) })
    }

    /// Sends a request and waits for what answers it: not its receipt, and no news of others.
    fn exchange(&mut self, mut request: Value) -> Result<Value, LoadError> {
        self.transactions += 1;
        let transaction = self.transactions.to_string();
        if let Some(request) = request.as_object_mut() {
            request.insert("transaction".to_owned(), Value::from(transaction.clone()));
        }
        self.socket.send(Message::text(request.to_string())).map_err(refused)?;
        loop {
            let Message::Text(text) = self.socket.read().map_err(refused)? else { continue };
            let reply: Value = serde_json::from_str(text.as_str()).map_err(refused)?;
            if reply.get("transaction").and_then(Value::as_str) != Some(&transaction) {
                continue;
            }
            match reply.get("janus").and_then(Value::as_str) {
                Some("ack") => {}
                Some("success" | "event") => return Ok(reply),
                _ => return Err(refused(reply)),
            }
        }
    }

    pub(super) fn into_signalling(self) -> Result<Box<dyn Signalling>, LoadError> {
        self.socket.get_ref().set_nonblocking(true).map_err(LoadError::system("making a WebSocket non-blocking"))?;
        Ok(Box::new(self))
    }
}

impl Signalling for Handle {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }

    fn on_readable(&mut self) -> Result<(), LoadError> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if text.as_str().contains("\"hangup\"") => {
                    return Err(LoadError::refused("staying in Janus's room", text.as_str()));
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(LoadError::refused("staying in Janus's room", error)),
            }
        }
    }

    fn leave(&mut self) {
        self.transactions += 1;
        let leave = json!({ "janus": "destroy", "session_id": self.session, "transaction": self.transactions.to_string() });
        // Janus may be gone already: then there is nobody to tell.
        let _gone = self.socket.send(Message::text(leave.to_string()));
    }

    fn hang_up(&mut self) {
        let _gone = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
    }
}
