//! Control of one link: frames on an ordered stream, each with its length in front (32 bits, most significant byte first).
//!
//! What is to be written waits in a queue of [`BACKLOG`] bytes; more than that means that the other edge doesn't read, and the link is ended.

use super::link::Ended;
use quinn::{ReadExactError, RecvStream, SendStream, WriteError};
use sfu_core::wire::MAX_CONTROL;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// Bytes of control that wait for one link: two of the largest parts of rooms, and some change.
pub(super) const BACKLOG: usize = 2 * MAX_CONTROL + (1 << 20);

/// Frames that are written with one call.
const BATCH: usize = 64;

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The stream ended.
    #[error(transparent)]
    Ended(#[from] ReadExactError),
    /// It is too large.
    #[error("a frame of {0} bytes")]
    TooLarge(usize),
}

/// The queue in front of the stream.
#[derive(Clone)]
pub(super) struct Outbox {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// The stream's end of it.
pub(super) struct Writer {
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// Makes a queue.
pub(super) fn queue() -> (Outbox, Writer) {
    // Its bound is counted in bytes, not in frames.
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (Outbox { frames: sender, waiting: Arc::clone(&waiting) }, Writer { frames: receiver, waiting })
}

impl Outbox {
    /// Queues a frame. False: too much waits already, or the link has ended.
    pub(super) fn push(&self, frame: Vec<u8>) -> bool {
        let size = frame.len();
        if self.waiting.fetch_add(size, Ordering::Relaxed) + size > BACKLOG {
            return false;
        }
        self.frames.send(frame).is_ok()
    }
}

impl Writer {
    /// Writes what is queued, until the link ends.
    pub(super) async fn run(mut self, mut stream: SendStream) -> Ended {
        let mut batch = Vec::new();
        let mut bytes = Vec::new();
        while self.frames.recv_many(&mut batch, BATCH).await > 0 {
            let size: usize = batch.iter().map(Vec::len).sum();
            bytes.clear();
            for frame in batch.drain(..) {
                bytes.extend(length(&frame));
                bytes.extend(frame);
            }
            if let Err(error) = stream.write_all(&bytes).await {
                return Ended::Broken(format!("control can't be written: {error}"));
            }
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        Ended::Broken("nobody writes any more".to_owned())
    }
}

/// Writes one frame.
pub(super) async fn write_frame(stream: &mut SendStream, frame: &[u8]) -> Result<(), WriteError> {
    stream.write_all(&length(frame)).await?;
    stream.write_all(frame).await
}

/// Reads one frame of at most so many bytes.
pub(super) async fn read_frame(stream: &mut RecvStream, most: usize) -> Result<Vec<u8>, FrameError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > most {
        return Err(FrameError::TooLarge(length));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

fn length(frame: &[u8]) -> [u8; 4] {
    u32::try_from(frame.len()).unwrap_or(u32::MAX).to_be_bytes()
}
