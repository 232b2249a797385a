use super::*;
use proptest::prelude::*;

fn framed(datagrams: &[Vec<u8>]) -> Vec<u8> {
    datagrams.iter().flat_map(|datagram| prefix(datagram).unwrap().into_iter().chain(datagram.iter().copied())).collect()
}

/// Feeds `bytes` in pieces of these sizes, over and over, and takes every frame.
fn taken(bytes: &[u8], pieces: &[usize]) -> Result<Vec<Vec<u8>>, FrameTooLong> {
    let (mut deframer, mut frames, mut rest) = (Deframer::default(), Vec::new(), bytes);
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let space = deframer.space();
        assert!(!space.is_empty(), "a whole frame must have been there to take");
        let count = rest.len().min(*piece).min(space.len());
        space[..count].copy_from_slice(&rest[..count]);
        deframer.filled(count);
        rest = &rest[count..];
        while let Some(frame) = deframer.next_frame()? {
            frames.push(frame.to_vec());
        }
    }
    Ok(frames)
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_however_they_were_cut(
        datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=LARGEST_FRAME), 0..20),
        pieces in prop::collection::vec(1_usize..5_000, 1..10),
    ) {
        prop_assert_eq!(taken(&framed(&datagrams), &pieces), Ok(datagrams));
    }

    #[test]
    fn the_buffer_never_grows(bytes in prop::collection::vec(any::<u8>(), 0..20_000), pieces in prop::collection::vec(1_usize..9_000, 1..10)) {
        let mut deframer = Deframer::default();
        let mut rest = &bytes[..];
        for piece in pieces.iter().cycle().take(50) {
            let space = deframer.space();
            let count = rest.len().min(*piece).min(space.len());
            space[..count].copy_from_slice(&rest[..count]);
            deframer.filled(count);
            rest = &rest[count..];
            while let Ok(Some(frame)) = deframer.next_frame() {
                prop_assert!((1..=LARGEST_FRAME).contains(&frame.len()));
            }
            prop_assert_eq!(deframer.buffer.len(), BUFFER);
        }
    }
}

#[test]
fn a_frame_larger_than_any_packet_ends_the_connection() {
    // "GET / HTTP/1.1" taken for a frame: a length of 0x4745.
    assert_eq!(taken(b"GET / HTTP/1.1\r\n\r\n", &[3]), Err(FrameTooLong(0x4745)));
    assert_eq!(taken(&[0xff, 0xff, 1], &[3]), Err(FrameTooLong(65_535)));
    let largest = vec![7; LARGEST_FRAME];
    assert_eq!(taken(&framed(std::slice::from_ref(&largest)), &[1]), Ok(vec![largest]));
}

#[test]
fn frames_without_contents_are_passed_over() {
    assert_eq!(taken(&[0, 0, 0, 0, 0, 1, 9, 0, 0], &[100]), Ok(vec![vec![9]]));
}

#[test]
fn no_datagram_that_is_longer_than_a_length_can_say_gets_one() {
    assert_eq!(prefix(&[0; 300]), Some([1, 44]));
    assert_eq!(prefix(&vec![0; 65_536]), None);
}
