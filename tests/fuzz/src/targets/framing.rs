//! Frames on a TCP connection (RFC 4571), however it cuts them.

use sfu_core::framing::{Deframer, LARGEST_FRAME, PREFIX, prefix};
use sfu_core::fuzzing::Plan;

/// Each chunk of the plan is what one read brings.
pub(crate) fn run(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let (mut deframer, mut brought, mut taken, mut over) = (Deframer::default(), Vec::new(), Vec::new(), false);
    while let Some(more) = plan.byte() {
        // The larger, the more of the buffer is used.
        let mut chunk = plan.chunk(4_096).repeat(1 + usize::from(more % 4));
        let space = deframer.space();
        assert!(!space.is_empty(), "whatever came before, there is room for more");
        chunk.truncate(space.len());
        space[..chunk.len()].copy_from_slice(&chunk);
        deframer.filled(chunk.len());
        brought.extend_from_slice(&chunk);
        loop {
            match deframer.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    assert!((1..=LARGEST_FRAME).contains(&frame.len()));
                    taken.extend_from_slice(&prefix(frame).expect("a frame that was taken can be sent"));
                    taken.extend_from_slice(frame);
                }
                Err(error) => {
                    assert!(error.0 > LARGEST_FRAME);
                    over = true;
                    break;
                }
            }
        }
        if over {
            break;
        }
    }
    assert_eq!(taken, whole_frames(&brought), "what came out is what went in");
}

/// The frames in these bytes that have contents, with their lengths, up to one that is unfinished or too long.
fn whole_frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    while let Some(&[high, low]) = bytes.first_chunk::<PREFIX>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(frame) = bytes.get(..PREFIX + length).filter(|_| length <= LARGEST_FRAME) else { break };
        if length > 0 {
            frames.extend_from_slice(frame);
        }
        bytes = &bytes[PREFIX + length..];
    }
    frames
}
