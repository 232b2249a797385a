//! One WebSocket (RFC 6455, the server's side) that keeps no memory while nothing is under way.
//!
//! The library's own keeps two buffers for as long as the connection lives, each as long as the longest message so far: in a room of 200,
//! whose newcomers are told of 199 others, 25 kB a participant, a third of all that one took. Here a message is read into memory that goes
//! with it, and written from such. The headers of frames are the library's.
//!
//! Invariants, each with a test of the same name:
//! * `a_message_that_is_too_long_is_refused_by_its_header`, and one in parts by the part that makes it so;
//! * `nothing_is_lost_when_reading_is_given_up` half way; when sending is, the connection can't go on;
//! * `nothing_is_kept_between_messages`;
//! * `what_is_held_goes_before_the_next_message`: order stays, whatever waits.
//!
//! Not here: pace, patience, what messages mean (`connection`).

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Bytes read at once, on the stack: what a join with its offer takes, or two.
const CHUNK: usize = 4096;

/// Longest payload of a control frame (RFC 6455 §5.5).
const LONGEST_CONTROL: usize = 125;

/// Longest header of a frame without a mask.
const LONGEST_HEADER: usize = 10;

/// Bytes that are held at most: beyond that they are sent.
const MOST_HELD: usize = 16 * 1024;

/// A message, whole and unmasked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// UTF-8.
    Text(String),
    /// Anything.
    Binary(Vec<u8>),
    /// To be answered with [`Message::Pong`] of the same bytes; at most 125.
    Ping(Vec<u8>),
    /// At most 125 bytes.
    Pong(Vec<u8>),
    /// The last one; to be answered in kind.
    Close(Option<Closing>),
}

/// Why a WebSocket is closed (RFC 6455 §7.1.5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Closing {
    /// 1000: in good order.
    pub code: u16,
    /// For people; at most 123 bytes.
    pub reason: String,
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Remedy: the client has to send less at once.
    #[error("a message of more than {0} bytes")]
    TooLong(usize),
    /// The other side isn't a WebSocket client.
    #[error("not what RFC 6455 has a client send: {0}")]
    Protocol(&'static str),
    /// The connection's own trouble.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

/// The parts of a message that have come.
#[derive(Debug)]
struct Parts {
    text: bool,
    payload: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub struct Socket<S> {
    stream: S,
    /// Read, and not yet taken; no memory when that is nothing.
    received: Vec<u8>,
    parts: Option<Parts>,
    longest: usize,
    /// Frames that wait for others; no memory when there are none.
    held: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A connection that has been upgraded. `longest`: bytes of a message, refused beyond.
    pub fn new(stream: S, longest: usize) -> Self {
        Self { stream, received: Vec::new(), parts: None, longest, held: Vec::new() }
    }

    /// The next message; `None` when the connection has ended. May be given up and asked again.
    pub async fn recv(&mut self) -> Option<Result<Message, Broken>> {
        loop {
            match self.take() {
                Ok(None) => (),
                taken => return taken.transpose(),
            }
            match self.read().await {
                Ok(0) => return None,
                Ok(_) => (),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }

    /// Sends one message, behind those that are held.
    ///
    /// # Errors
    /// The connection's; it is of no use any more.
    pub async fn send(&mut self, message: Message) -> io::Result<()> {
        let frame = frame_of(message)?;
        if self.held.is_empty() {
            self.stream.write_all(&frame).await?;
            return self.stream.flush().await;
        }
        self.held.extend_from_slice(&frame);
        self.send_held().await
    }

    /// Holds a message back, to be sent with the next one or by [`Socket::send_held`]. False: so much is held that it is time.
    ///
    /// # Errors
    /// It can't be written at all.
    pub fn hold(&mut self, message: Message) -> io::Result<bool> {
        let frame = frame_of(message)?;
        self.held.extend_from_slice(&frame);
        Ok(self.held.len() < MOST_HELD)
    }

    /// Whether messages are held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Sends what is held.
    ///
    /// # Errors
    /// The connection's; it is of no use any more.
    pub async fn send_held(&mut self) -> io::Result<()> {
        let held = core::mem::take(&mut self.held);
        self.stream.write_all(&held).await?;
        self.stream.flush().await
    }

    async fn read(&mut self) -> io::Result<usize> {
        let Self { stream, received, .. } = self;
        poll_fn(|context| {
            // Here and not in the future, which would keep it while it waits.
            let mut chunk = [0; CHUNK];
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
            received.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
        .await
    }

    /// A message of what has been read.
    fn take(&mut self) -> Result<Option<Message>, Broken> {
        while let Some((header, payload)) = self.take_frame()? {
            let message = match header.opcode {
                OpCode::Control(control) => Some(control_message(control, header.is_final, payload)?),
                OpCode::Data(data) => self.put_together(data, header.is_final, payload)?,
            };
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// The next frame, once all of it is here.
    fn take_frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, Broken> {
        let mut cursor = Cursor::new(&self.received);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Broken::Protocol("a frame of no known kind"))?;
        let Some((header, length)) = parsed else { return Ok(None) };
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= self.longest) else {
            return Err(Broken::TooLong(self.longest));
        };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Broken::Protocol("an extension that wasn't agreed on"));
        }
        let mask = header.mask.ok_or(Broken::Protocol("a frame without a mask"))?;
        let start = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let end = start.saturating_add(length);
        let Some(masked) = self.received.get(start..end) else { return Ok(None) };
        let payload = masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        if end == self.received.len() {
            self.received = Vec::new();
        } else {
            self.received.drain(..end);
        }
        Ok(Some((header, payload)))
    }

    fn put_together(&mut self, data: Data, last: bool, payload: Vec<u8>) -> Result<Option<Message>, Broken> {
        let mut parts = match (data, self.parts.take()) {
            (Data::Continue, Some(mut parts)) => {
                if parts.payload.len().saturating_add(payload.len()) > self.longest {
                    return Err(Broken::TooLong(self.longest));
                }
                parts.payload.extend_from_slice(&payload);
                parts
            }
            (Data::Text, None) => Parts { text: true, payload },
            (Data::Binary, None) => Parts { text: false, payload },
            (Data::Continue | Data::Reserved(_), _) => return Err(Broken::Protocol("a part of no message")),
            (Data::Text | Data::Binary, Some(_)) => return Err(Broken::Protocol("a message inside another")),
        };
        if !last {
            self.parts = Some(parts);
            return Ok(None);
        }
        if !parts.text {
            return Ok(Some(Message::Binary(core::mem::take(&mut parts.payload))));
        }
        let text = String::from_utf8(parts.payload).map_err(|_| Broken::Protocol("text that isn't UTF-8"))?;
        Ok(Some(Message::Text(text)))
    }
}

fn control_message(control: Control, last: bool, payload: Vec<u8>) -> Result<Message, Broken> {
    if !last || payload.len() > LONGEST_CONTROL {
        return Err(Broken::Protocol("a control frame that is too long, or in parts"));
    }
    match control {
        Control::Ping => Ok(Message::Ping(payload)),
        Control::Pong => Ok(Message::Pong(payload)),
        Control::Close if payload.is_empty() => Ok(Message::Close(None)),
        Control::Close => {
            let (code, reason) = payload.split_first_chunk().ok_or(Broken::Protocol("half a close code"))?;
            let reason = str::from_utf8(reason).map_err(|_| Broken::Protocol("a close reason that isn't UTF-8"))?;
            Ok(Message::Close(Some(Closing { code: u16::from_be_bytes(*code), reason: reason.to_owned() })))
        }
        Control::Reserved(_) => Err(Broken::Protocol("a control frame of no known kind")),
    }
}

fn frame_of(message: Message) -> io::Result<Vec<u8>> {
    let (opcode, payload) = match message {
        Message::Text(text) => (OpCode::Data(Data::Text), text.into_bytes()),
        Message::Binary(bytes) => (OpCode::Data(Data::Binary), bytes),
        Message::Ping(bytes) => (OpCode::Control(Control::Ping), bytes),
        Message::Pong(bytes) => (OpCode::Control(Control::Pong), bytes),
        Message::Close(closing) => {
            let payload = closing.map(|Closing { code, reason }| [&code.to_be_bytes(), reason.as_bytes()].concat());
            (OpCode::Control(Control::Close), payload.unwrap_or_default())
        }
    };
    let mut frame = Vec::with_capacity(LONGEST_HEADER.saturating_add(payload.len()));
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    header.format(u64::try_from(payload.len()).unwrap_or(u64::MAX), &mut frame).map_err(io::Error::other)?;
    frame.extend_from_slice(&payload);
    Ok(frame)
}
