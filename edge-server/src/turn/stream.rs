//! TURN on a TCP or TLS connection: messages end to end, each telling its length (RFC 8656 §12.5: channel data is padded to four bytes there).

use super::Turn;
use super::client::{Client, Line};
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest message taken: a datagram of an Ethernet path and what is around it.
const LARGEST: usize = 2_048;

/// A client that takes nothing for so long is gone.
const SLOW: Duration = Duration::from_secs(10);

/// Serves a connection until it ends; false: there is no place for it.
pub async fn serve(turn: &Arc<Turn>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, from: SocketAddr, listen: SocketAddr) {
    let Ok(_place) = turn.places.try_acquire() else { return };
    let line = Stream { stream, read: Vec::new() };
    Client::new(Arc::clone(turn), line, from, listen).run().await;
}

struct Stream<S> {
    stream: S,
    /// Read, and no whole message yet.
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Line for Stream<S> {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            match whole(&self.read) {
                Whole::Message { length, with_padding } => {
                    let rest = self.read.split_off(with_padding);
                    let mut message = core::mem::replace(&mut self.read, rest);
                    message.truncate(length);
                    return Some(message);
                }
                Whole::Nonsense => return None,
                Whole::Unfinished => {}
            }
            self.read.reserve(LARGEST);
            if self.stream.read_buf(&mut self.read).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn send(&mut self, mut message: Vec<u8>) -> io::Result<()> {
        if is_channel_data(&message) {
            message.resize(message.len().next_multiple_of(4), 0);
        }
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        tokio::time::timeout(SLOW, self.stream.write_all(&message)).await.map_err(late)??;
        // Of TLS a part may be kept back otherwise.
        tokio::time::timeout(SLOW, self.stream.flush()).await.map_err(late)?
    }
}

fn is_channel_data(message: &[u8]) -> bool {
    message.first().is_some_and(|first| first >> 6 == 1)
}

/// What the bytes that have come begin with.
#[derive(Debug, PartialEq)]
enum Whole {
    Message { length: usize, with_padding: usize },
    Unfinished,
    Nonsense,
}

fn whole(bytes: &[u8]) -> Whole {
    let Some(&[first, _, high, low]) = bytes.first_chunk() else { return Whole::Unfinished };
    let said = usize::from(u16::from_be_bytes([high, low]));
    let length = match first >> 6 {
        0 => said + 20,
        1 => said + 4,
        _ => return Whole::Nonsense,
    };
    let with_padding = length.next_multiple_of(4);
    match () {
        () if length > LARGEST => Whole::Nonsense,
        () if with_padding > bytes.len() => Whole::Unfinished,
        () => Whole::Message { length, with_padding },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_tell_where_they_end() {
        let request = [&[0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42][..], &[7; 20]].concat();
        let channel = [0x40, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
        for length in 0..28 {
            assert_eq!(whole(&request[..length]), Whole::Unfinished);
        }
        assert_eq!(whole(&request), Whole::Message { length: 28, with_padding: 28 });
        assert_eq!(whole(&channel[..9]), Whole::Unfinished, "its padding is yet to come");
        assert_eq!(whole(&channel), Whole::Message { length: 9, with_padding: 12 });
        assert_eq!(whole(&[0x80, 0, 0, 0]), Whole::Nonsense);
        assert_eq!(whole(&[0x40, 1, 0xff, 0xff]), Whole::Nonsense);
    }

    #[tokio::test]
    async fn they_come_whole_however_they_were_cut_and_go_padded() {
        let (near, mut far) = tokio::io::duplex(5);
        let channel = [0x40, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
        let sender = tokio::spawn(async move {
            far.write_all(&channel.repeat(3)).await.unwrap();
            let mut back = [0; 12];
            far.read_exact(&mut back).await.unwrap();
            back
        });
        let mut line = Stream { stream: near, read: Vec::new() };
        for _ in 0..3 {
            assert_eq!(line.next().await.as_deref(), Some(&channel[..9]));
        }
        line.send(channel[..9].to_vec()).await.unwrap();
        assert_eq!(sender.await.unwrap(), channel);
        assert_eq!(line.next().await, None);
    }
}
