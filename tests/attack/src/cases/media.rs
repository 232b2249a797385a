//! With keys, or pretending to: SRTP and RTCP.

use crate::guest::{AUDIO, Guest, OPUS, VIDEO, VP8};
use crate::stage::{ROOM, Stage, Verdict};
use crate::wire::{rtp, send, throw_at, vp8};
use nearcast_fuzz::mutate::Dice;
use nearcast_load::LoadError;
use sfu_core::rtcp::CompoundWriter;
use std::time::{Duration, Instant};

/// How fast authentic nonsense comes: what a guest's uplink could carry ten times over.
const FAST: u64 = 5_000;

/// For media to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// P4. Packets of a participant's streams from its address, under keys that aren't its.
pub(super) fn wrong_key(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, "p4", "wrong-key")?;
    let before = stage.count("total/core/dropped_srtp")?;
    let mut packet = guest.seal(&rtp(VP8, 1, 1, VIDEO, Some(b'1'), &[7; 1_000]));
    let thrown = throw_at(20_000, stage.length, |number| {
        packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
        *packet.last_mut().expect("a tag") ^= 1 | number as u8;
        send(&guest.socket, guest.edge, &packet)
    });
    let mut verdict = Verdict::of(thrown);
    let dropped = stage.count("total/core/dropped_srtp")? - before;
    verdict.note = format!("{dropped} found not authentic");
    verdict.hold(dropped > thrown.count / 2, format!("only {dropped} of {} were looked at", thrown.count));
    Ok(verdict)
}

/// P4. The same authentic packets for ever: each goes on once.
pub(super) fn replays(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, "p4", "replays")?;
    let packets: Vec<_> = (0..100).map(|number| guest.seal(&rtp(VP8, number, 1, VIDEO, Some(b'1'), &vp8(number == 0, number)))).collect();
    let before = stage.count("total/core/dropped_srtp")?;
    let thrown = throw_at(20_000, stage.length, |number| send(&guest.socket, guest.edge, &packets[number as usize % packets.len()]));
    let mut verdict = Verdict::of(thrown);
    let dropped = stage.count("total/core/dropped_srtp")? - before;
    verdict.note = format!("{dropped} replays dropped");
    verdict.hold(dropped > thrown.count / 2, format!("only {dropped} of {} were dropped", thrown.count));
    Ok(verdict)
}

/// P4. Numbers all over, so that the rollover counter is guessed wrong.
pub(super) fn jumping_numbers(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, ROOM, "jumping")?;
    let thrown = throw_at(FAST, stage.length, |number| guest.sends(&jumping_number(number)));
    Ok(Verdict::of(thrown))
}

/// The `number`th packet of a stream whose numbers are all over.
pub(crate) fn jumping_number(number: u64) -> Vec<u8> {
    let (wire, time) = ((number as u16).wrapping_mul(40_503), (number as u32).wrapping_mul(3_000));
    rtp(VP8, wire, time, VIDEO, Some(b'1'), &vp8(number.is_multiple_of(30), number as u16 & 0x7fff))
}

/// P6. New sources with every packet, SSRCs of the call's publisher among them, in the call's room.
pub(super) fn sources_without_end(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, ROOM, "sources")?;
    let publications = stage.count("total/core/publications")?;
    let thrown = throw_at(FAST, stage.length, |number| guest.sends(&new_source(number)));
    let mut verdict = Verdict::of(thrown);
    verdict.hold(stage.count("total/core/publications")? <= publications, "publications came of nowhere");
    Ok(verdict)
}

/// A packet of a source that nobody announced, or that is somebody else's.
pub(crate) fn new_source(number: u64) -> Vec<u8> {
    // The load's publisher numbers its streams so.
    let ssrc = if number.is_multiple_of(5) { 0x4000_0000 | ((number as u32 / 5 % 4) << 8) } else { 0x10_0000 + number as u32 };
    rtp(VP8, 1, 1, ssrc, Some(b'1'), &[0x90, 0x80, 0x80, 1, 0])
}

/// P6. Sections that aren't its own, payload types that nobody agreed to, extension blocks that end elsewhere than they say.
pub(super) fn lying_headers(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, ROOM, "headers")?;
    let mut dice = Dice::new(6);
    let thrown = throw_at(FAST, stage.length, |number| guest.sends(&lying_header(number, &mut dice)));
    Ok(Verdict::of(thrown))
}

/// A packet whose header says what isn't so.
pub(crate) fn lying_header(number: u64, dice: &mut Dice) -> Vec<u8> {
    let seq = number as u16;
    let mut packet = match number % 4 {
        0 => rtp(dice.roll() as u8 & 0x7f, seq, 1, VIDEO, Some(dice.roll() as u8), &[7; 40]),
        1 => rtp(OPUS, seq, 1, AUDIO, Some(b'1'), &[7; 40]),
        2 => [&rtp(VP8, seq, 1, VIDEO, None, &[])[..], &[0xbe, 0xde, 0, 60], &[0x10; 240], &[7; 9]].concat(),
        _ => [&rtp(VP8, seq, 1, VIDEO, None, &[])[..], &[0x10, 0, 0, 64], &[9, 254, 1, 1], &[1; 252], &[7; 9]].concat(),
    };
    if number % 4 >= 2 {
        packet[0] |= 0x10;
    }
    // RTP with the number of RTCP is what a sender can't be talked into: payload types 64 to 95.
    if (64..96).contains(&(packet[1] & 0x7f)) {
        packet[1] ^= 0x40;
    }
    packet
}

fn compound(write: impl FnOnce(&mut CompoundWriter<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 1_300];
    let mut writer = CompoundWriter::new(&mut buffer);
    writer.receiver_report(1, &[]).expect("room");
    write(&mut writer);
    writer.written().to_vec()
}

/// The stream and the newest number of the call's picture, as a guest gets it.
fn watched(guest: &mut Guest) -> Result<(u32, u16), LoadError> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        guest.stay();
        if let Some(packet) = guest.hears().iter().rfind(|packet| packet[1] & 0x7f == VP8) {
            return Ok((u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]), u16::from_be_bytes([packet[2], packet[3]])));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(LoadError::Late { what: "a guest's picture".to_owned(), after: PATIENCE })
}

/// P7. A viewer that wants key frames without end: the publisher hears of two a second.
pub(super) fn keyframe_storm(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, ROOM, "keyframes")?;
    let (ssrc, _) = watched(&mut guest)?;
    let (before, began) = (stage.keyframes_asked()?, Instant::now());
    let thrown = throw_at(1_000, stage.length, |number| guest.reports(&key_frame_request(number, ssrc)));
    let asked = stage.keyframes_asked()? - before;
    let a_second = asked as f64 / began.elapsed().as_secs_f64();
    let mut verdict = Verdict::of(thrown);
    verdict.note = format!("{asked} reached the publisher: {a_second:.2} a second");
    // One at once, and two a second from then on.
    verdict.hold(asked as f64 <= 1.0 + 2.0 * began.elapsed().as_secs_f64() + 1.0, format!("{a_second:.1} key frames a second"));
    Ok(verdict)
}

/// PLI and FIR, in turn.
pub(crate) fn key_frame_request(number: u64, ssrc: u32) -> Vec<u8> {
    match number % 2 {
        0 => compound(|writer| writer.pli(1, ssrc).expect("room")),
        _ => compound(|writer| writer.fir(1, &[(ssrc, number as u8)]).expect("room")),
    }
}

/// P7. Asks again for everything there is. What comes again is 15 % of what came.
pub(super) fn nack_storm(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, ROOM, "nacks")?;
    let (ssrc, first) = watched(&mut guest)?;
    let (mut newest, mut media, mut again) = (first, 0_usize, 0_usize);
    let mut seen = std::collections::HashSet::new();
    let thrown = throw_at(1_000, stage.length, |_| {
        for packet in guest.datagrams() {
            if packet[1] & 0x7f != VP8 {
                continue;
            }
            newest = u16::from_be_bytes([packet[2], packet[3]]);
            *(if seen.insert(newest) { &mut media } else { &mut again }) += packet.len();
        }
        guest.reports(&wants_all_again(ssrc, newest))
    });
    let share = again as f64 / media.max(1) as f64;
    let mut verdict = Verdict::of(thrown);
    verdict.note = format!("{} kB came, {} kB came again: {:.1} %", media / 1_000, again / 1_000, share * 100.0);
    // The budget is that of the last second: what the first second had is on top.
    verdict.hold(share <= 0.15 + 0.15 / stage.length.as_secs_f64(), format!("{:.0} % came again", share * 100.0));
    Ok(verdict)
}

/// A NACK for the 256 packets up to `newest`.
pub(crate) fn wants_all_again(ssrc: u32, newest: u16) -> Vec<u8> {
    let lost: Vec<u16> = (0..256).map(|age| newest.wrapping_sub(age)).rev().collect();
    compound(|writer| writer.nack(1, ssrc, &lost).expect("room"))
}

/// P8. Estimates of nothing, of everything, and feedback for packets that weren't sent, with times that run back.
pub(super) fn lying_feedback(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, ROOM, "feedback")?;
    let (ssrc, _) = watched(&mut guest)?;
    let mut dice = Dice::new(8);
    let thrown = throw_at(1_000, stage.length, |number| guest.reports(&lying_report(number, &mut dice, ssrc)));
    let mut verdict = Verdict::of(thrown);
    verdict.note = format!("{} cuts of an estimate since the edge began", stage.count("total/core/rate_cuts")?);
    Ok(verdict)
}

/// REMB of nothing and of everything, and feedback for packets that weren't sent.
pub(crate) fn lying_report(number: u64, dice: &mut Dice, ssrc: u32) -> Vec<u8> {
    if number.is_multiple_of(3) {
        return compound(|writer| writer.remb(1, [0, 1, 1 << 62, u64::MAX >> 1][number as usize / 3 % 4], &[ssrc]).expect("room"));
    }
    let mut body = vec![0x8f, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2];
    body.extend((dice.roll() as u16).to_be_bytes());
    body.extend([0, 4]);
    body.extend(dice.roll().to_be_bytes()[..3].iter());
    body.push(number as u8);
    // Four packets with large deltas, some below zero.
    body.extend([0xd5, 0x54]);
    body.extend(dice.roll().to_be_bytes());
    body.truncate(28);
    body
}
