//! Before there are keys: STUN and DTLS.

use crate::guest::{Guest, Joined};
use crate::stage::{Stage, Verdict};
use crate::wire::{self, Thrown, answers, send, stranger, throw_at};
use nearcast_load::LoadError;
use nearcast_load::process::resident_kb;
use nearcast_load::server::Server;
use sfu_core::distance;
use std::time::Instant;

/// The most that a flood throws a second; the machine may manage less.
const FLOOD: u64 = 40_000;

/// P1. A stranger's hello meets a participant that has joined and one that has connected. Both go on.
pub(super) fn hellos_of_strangers(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let records = nearcast_fuzz::seeds::client_hellos();
    let early = Joined::enter(&stage.edge, "p1", "early", |sdp| sdp)?;
    let late = Guest::enter(stage, "p1", "late")?;
    let before = stage.count("total/core/dropped_unknown_address")?;
    let (socket, edge) = (stranger(), stage.edge.udp());
    let thrown = throw_at(5_000, stage.length, |number| send(&socket, edge, &records[number as usize % records.len()]));
    let mut verdict = Verdict::of(thrown);
    let came = answers(&socket);
    verdict.hold(came.count == 0, format!("{} answers to a stranger", came.count));
    let dropped = stage.count("total/core/dropped_unknown_address")? - before;
    verdict.note = format!("{dropped} dropped unread; who had joined and not yet connected could still do so");
    verdict.hold(early.connect().is_ok(), "who had joined could not connect any more");
    drop(late);
    Ok(verdict)
}

/// P2. From an address that passed a check: fragments of one byte, of none, and of a message of 16 MB.
pub(super) fn fragments(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let memory = resident_kb(stage.edge.pid())?;
    let joined = Joined::enter(&stage.edge, "p2", "fragments", |sdp| sdp)?;
    joined.check();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let edge = stage.edge.udp();
    let thrown = throw_at(FLOOD / 2, stage.length, |number| send(&joined.socket, edge, &fragment(number)));
    let mut verdict = Verdict::of(thrown);
    let grown = resident_kb(stage.edge.pid())? as i64 - memory as i64;
    verdict.note = format!("memory while they came: {grown} kB more");
    verdict.hold(grown < 4_096, format!("{grown} kB held for fragments"));
    Ok(verdict)
}

/// A record with one byte, or none, of a ClientHello of 16 MB.
pub(crate) fn fragment(number: u64) -> Vec<u8> {
    let (sequence, offset) = (number.to_be_bytes(), (number as u32 % 0xff_ffff).to_be_bytes());
    let empty = number.is_multiple_of(3);
    let mut record = vec![22, 254, 253, 0, 0];
    record.extend(&sequence[2..]);
    record.extend([0, if empty { 12 } else { 13 }, 1, 0xff, 0xff, 0xff, 0, 0]);
    record.extend(&offset[1..]);
    record.extend([0, 0, u8::from(!empty)]);
    record.extend((!empty).then_some(0x55));
    record
}

/// P2. Everybody sends a hello and goes no further. What one costs, in memory.
pub(super) fn open_handshakes(stage: &mut Stage) -> Result<Verdict, LoadError> {
    const OPEN: usize = 300;
    let hello = nearcast_fuzz::seeds::client_hellos().remove(0);
    let memory = resident_kb(stage.edge.pid())?;
    let (mut held, mut thrown) = (Vec::new(), Thrown::default());
    for number in 0..OPEN {
        let joined = Joined::enter(&stage.edge, &format!("p2-{}", number % 10), &format!("open-{number}"), |sdp| sdp)?;
        joined.check();
        thrown.note(send(&joined.socket, joined.edge, &hello));
        held.push(joined);
    }
    let each = (resident_kb(stage.edge.pid())? as i64 - memory as i64).max(0) as usize / OPEN;
    let mut verdict = Verdict { memory_allowed: 150 * OPEN as i64, ..Verdict::of(thrown) };
    verdict.note = format!("{each} kB for each of {OPEN} open handshakes");
    verdict.hold(each <= 150, format!("{each} kB for an open handshake"));
    drop(held);
    // They are gone when their WebSocket is, and the window in which they might have come back.
    std::thread::sleep(std::time::Duration::from_secs(3));
    Ok(verdict)
}

/// P3. Well-formed checks for a participant that is there, with a guessed password.
pub(super) fn forged_checks(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let joined = Joined::enter(&stage.edge, "p3", "victim", |sdp| sdp)?;
    let forged = wire::check(&joined.ufrag, "guest", "a-guess-of-the-right-length!");
    flood(stage, &forged)
}

/// P3. What everybody may ask, and is answered: how far the edge is. Less comes back than was sent, and only so much.
pub(super) fn measuring_checks(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let counts = ["total/core/distance_checks", "total/core/dropped_stun"];
    let before = [stage.count(counts[0])?, stage.count(counts[1])?];
    let check = wire::check(distance::UFRAG, "guest", distance::PWD);
    let (socket, edge) = (stranger(), stage.edge.udp());
    let began = Instant::now();
    let thrown = throw_at(FLOOD, stage.length, |_| send(&socket, edge, &check));
    let seconds = began.elapsed().as_secs() + 2;
    let mut verdict = Verdict { loss_allowed: 0.05, ..Verdict::of(thrown) };
    let came = answers(&socket);
    let [answered, refused] = [stage.count(counts[0])? - before[0], stage.count(counts[1])? - before[1]];
    verdict.note = format!("{answered} answered, {refused} refused");
    verdict.hold(answered > 0, "nothing was answered");
    verdict.hold(answered <= seconds * u64::from(distance::A_SECOND), format!("{answered} answered within {seconds} s"));
    verdict.hold(
        came.bytes <= came.count * check.len() as u64,
        format!("{} bytes in {} answers to checks of {}", came.bytes, came.count, check.len()),
    );
    Ok(verdict)
}

/// P3. Bytes that begin as STUN does.
pub(super) fn noise(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut noise = wire::check("nobody", "guest", "a-guess-of-the-right-length!");
    noise[30..].fill(0xff);
    flood(stage, &noise)
}

fn flood(stage: &mut Stage, datagram: &[u8]) -> Result<Verdict, LoadError> {
    let before = stage.count("total/core/dropped_stun")?;
    let (socket, edge) = (stranger(), stage.edge.udp());
    let thrown = throw_at(FLOOD, stage.length, |_| send(&socket, edge, datagram));
    let mut verdict = Verdict { loss_allowed: 0.05, ..Verdict::of(thrown) };
    let came = answers(&socket);
    verdict.hold(came.count == 0, format!("{} bytes of answers to forged checks", came.bytes));
    let refused = stage.count("total/core/dropped_stun")? - before;
    verdict.note = format!("{refused} refused, {} lost before the edge read them; 0 answered", thrown.count.saturating_sub(refused));
    verdict.hold(refused > 0, "nothing reached the edge");
    Ok(verdict)
}
