//! The WebSocket to the edge: JSON messages of the protocol crate, one a frame.

use crate::Error;
use futures_util::{SinkExt, StreamExt};
use nearcast_protocol::wire::{Json, WireError};
use nearcast_protocol::{ClientEnvelope, ClientMessage, SUBPROTOCOL_JSON, ServerMessage};
use std::net::IpAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// The largest message taken from the edge: an answer with 256 sections is well below.
const MAX_MESSAGE: usize = 1 << 20;

pub(crate) struct Signal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u32,
}

impl Signal {
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        let unreachable = |why: String| Error::Unreachable { url: url.to_owned(), why };
        let mut request = url.into_client_request().map_err(|error| unreachable(error.to_string()))?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL_JSON));
        let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE));
        let (socket, _) = connect_async_with_config(request, Some(limits), true).await.map_err(|error| unreachable(error.to_string()))?;
        Ok(Self { socket, next_id: 1 })
    }

    /// The address of ours that reaches the edge: the one to send media from.
    pub(crate) fn local_ip(&self) -> Option<IpAddr> {
        match self.socket.get_ref() {
            MaybeTlsStream::Plain(stream) => stream.local_addr().ok().map(|address| address.ip()),
            _ => None,
        }
    }

    /// Sends a request; its number, which the reply repeats.
    pub(crate) async fn send(&mut self, message: ClientMessage) -> Result<u32, Error> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1).max(1);
        let text = ClientEnvelope { id, message }.to_json();
        self.socket.send(Message::text(text)).await.map_err(|error| Error::Ended(error.to_string()))?;
        Ok(id)
    }

    /// The next message; none when the edge closed the connection. Messages of a kind that a newer edge added are skipped.
    pub(crate) async fn next(&mut self) -> Result<Option<ServerMessage>, Error> {
        while let Some(frame) = self.socket.next().await {
            let text = match frame.map_err(|error| Error::Ended(error.to_string()))? {
                Message::Text(text) => text,
                Message::Close(_) => return Ok(None),
                Message::Binary(_) => return Err(Error::Protocol("a binary message on a JSON connection".to_owned())),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            match ServerMessage::from_json(text.as_str()) {
                Ok(message) => return Ok(Some(message)),
                Err(WireError::Unknown) => {}
                Err(WireError::Malformed(why)) => return Err(Error::Protocol(format!("{why} in {text}"))),
            }
        }
        Ok(None)
    }
}
