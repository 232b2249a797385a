//! Faults and attacks that are drawn into a churn ([`nearcast_load::churn`]): each takes a moment, and nothing of it may stay.
//!
//! The bytes are those of the [`cases`](crate::cases), a few hundred at a time instead of as many as can be sent.

use crate::cases::data::packet_of_nobody;
use crate::cases::media::{jumping_number, key_frame_request, lying_header, lying_report, new_source, wants_all_again};
use crate::cases::signalling::{open, refusal};
use crate::cases::transport::fragment;
use crate::guest::{Guest, Joined, VIDEO, VP8};
use crate::wire::{check, rtp, send, stranger, vp8};
use nearcast_fuzz::mutate::Dice;
use nearcast_fuzz::seeds::client_hellos;
use nearcast_load::LoadError;
use nearcast_load::churn::{Happened, Report, Trouble, soak};
use nearcast_load::progress::Progress;
use nearcast_load::server::{NearcastEdge, Server};
use nearcast_protocol::ErrorCode;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use tungstenite::Message;

/// Of each kind at a time.
const MANY: u64 = 300;

/// The longest that the edge is held still. Media of a group goes on for 150 ms.
const STILL_MS: usize = 400;

/// An answer takes no longer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// Plays a churn with everything here for `length`.
///
/// # Errors
/// Something stayed, or the edge let something through.
pub fn play(binary: &Path, length: Duration, seed: u64, progress: Progress) -> Result<Report, LoadError> {
    soak(binary, length, seed, &mut Worst, progress)
}

struct Worst;

impl Trouble for Worst {
    fn happen(&mut self, edge: &NearcastEdge, room: &str, draw: u64) -> Result<Happened, LoadError> {
        let mut dice = Dice::new(draw);
        let kind = dice.below(KINDS.len());
        let kind = &KINDS[kind];
        let thrown = match kind.how {
            How::Stranger(throw) => throw(edge, &mut dice)?,
            How::Joined(throw) => throw(&Joined::enter(edge, room, "joined", |sdp| sdp)?, &mut dice),
            How::Guest(throw) => throw(&mut Joined::enter(edge, room, "guest", |sdp| sdp)?.connect()?, &mut dice),
        };
        let participants = usize::from(!matches!(kind.how, How::Stranger(_)));
        let handshakes_spoilt = usize::from(matches!(kind.how, How::Joined(_)));
        Ok(Happened { what: kind.what, thrown, participants, handshakes_spoilt })
    }
}

struct Kind {
    what: &'static str,
    how: How,
}

/// Who does it, and how; it tells how much was thrown.
enum How {
    Stranger(fn(&NearcastEdge, &mut Dice) -> Result<u64, LoadError>),
    /// Somebody who has joined and doesn't connect.
    Joined(fn(&Joined, &mut Dice) -> u64),
    /// Somebody with keys.
    Guest(fn(&mut Guest, &mut Dice) -> u64),
}

const KINDS: &[Kind] = &[
    Kind { what: "the edge's process held still (C3)", how: How::Stranger(still) },
    Kind { what: "ClientHellos of a stranger (P1)", how: How::Stranger(hellos) },
    Kind { what: "a handshake left open (P2)", how: How::Joined(left_open) },
    Kind { what: "fragments of a ClientHello (P2)", how: How::Joined(fragments) },
    Kind { what: "checks with a wrong password (P3)", how: How::Joined(forged_checks) },
    Kind { what: "media of nobody by TCP (P3)", how: How::Stranger(frames) },
    Kind { what: "SRTP under a wrong key (P4)", how: How::Guest(wrong_key) },
    Kind { what: "every packet again (P4)", how: How::Guest(replays) },
    Kind { what: "numbers that jump (P4)", how: How::Guest(|guest, _| each(|number| guest.sends(&jumping_number(number)))) },
    Kind { what: "SSRCs without end (P6)", how: How::Guest(|guest, _| each(|number| guest.sends(&new_source(number)))) },
    Kind { what: "headers that lie (P6)", how: How::Guest(|guest, dice| each(|number| guest.sends(&lying_header(number, dice)))) },
    Kind { what: "key frames and resends asked for (P7)", how: How::Guest(storm) },
    Kind { what: "feedback that lies (P8)", how: How::Guest(lies) },
    Kind { what: "SCTP of no association (P9)", how: How::Guest(|guest, _| each(|number| guest.says(&packet_of_nobody(number)))) },
    Kind { what: "a frame of 1 GB, deep JSON, a token of nobody (P10)", how: How::Stranger(messages) },
];

fn each(mut throw: impl FnMut(u64) -> usize) -> u64 {
    (0..MANY).for_each(|number| {
        throw(number);
    });
    MANY
}

fn still(edge: &NearcastEdge, dice: &mut Dice) -> Result<u64, LoadError> {
    let doing = "holding the edge's process still";
    let pid = Pid::from_raw(i32::try_from(edge.pid()).map_err(|_| LoadError::refused(doing, "its number is none"))?);
    let signal = |signal| kill(pid, signal).map_err(|error| LoadError::refused(doing, error));
    signal(Signal::SIGSTOP)?;
    std::thread::sleep(Duration::from_millis(dice.below(STILL_MS) as u64));
    signal(Signal::SIGCONT)?;
    Ok(1)
}

fn hellos(edge: &NearcastEdge, _: &mut Dice) -> Result<u64, LoadError> {
    let (socket, records) = (stranger(), client_hellos());
    Ok(each(|number| send(&socket, edge.udp(), &records[number as usize % records.len()])))
}

fn left_open(joined: &Joined, _: &mut Dice) -> u64 {
    joined.check();
    send(&joined.socket, joined.edge, &client_hellos()[0]);
    2
}

fn fragments(joined: &Joined, _: &mut Dice) -> u64 {
    joined.check();
    each(|number| send(&joined.socket, joined.edge, &fragment(number)))
}

fn forged_checks(joined: &Joined, _: &mut Dice) -> u64 {
    let forged = check(&joined.ufrag, "guest", "a-guess-of-the-right-length!");
    each(|_| send(&joined.socket, joined.edge, &forged))
}

/// Connections for media: one that goes after half a frame, one whose check is forged, one that isn't media after its first frame.
fn frames(edge: &NearcastEdge, dice: &mut Dice) -> Result<u64, LoadError> {
    let doing = "sending media by TCP";
    // Of a name that points to a shard, so that the connection gets as far as it can.
    let forged = check("00nobody", "guest", "a-guess-of-the-right-length!");
    let framed = [&(forged.len() as u16).to_be_bytes()[..], &forged].concat();
    let noise: Vec<u8> = (0..2_000).map(|_| dice.roll() as u8).collect();
    let parts = [framed[..framed.len() / 2].to_vec(), framed.clone(), [&framed[..], &noise].concat()];
    for part in &parts {
        let mut stream = TcpStream::connect_timeout(&edge.udp(), PATIENCE).map_err(LoadError::system(doing))?;
        // The edge may have closed it by then: that is as good.
        let _refused = stream.write_all(part);
    }
    Ok(parts.len() as u64)
}

fn wrong_key(guest: &mut Guest, dice: &mut Dice) -> u64 {
    let mut packet = guest.seal(&rtp(VP8, 1, 1, VIDEO, Some(b'1'), &[7; 1_000]));
    each(|number| {
        packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
        *packet.last_mut().expect("a tag") ^= 1 | dice.roll() as u8;
        send(&guest.socket, guest.edge, &packet)
    })
}

fn replays(guest: &mut Guest, _: &mut Dice) -> u64 {
    let packets: Vec<_> = (0..10).map(|number| guest.seal(&rtp(VP8, number, 1, VIDEO, Some(b'1'), &vp8(number == 0, number)))).collect();
    each(|number| send(&guest.socket, guest.edge, &packets[number as usize % packets.len()]))
}

/// A stream and a number that the guest was sent; any other, if nothing has come.
fn seen(guest: &mut Guest) -> (u32, u16) {
    let packets = guest.hears();
    let newest = packets.iter().rfind(|packet| packet[1] & 0x7f == VP8);
    newest.map_or((1, 1), |packet| {
        (u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]), u16::from_be_bytes([packet[2], packet[3]]))
    })
}

fn storm(guest: &mut Guest, _: &mut Dice) -> u64 {
    each(|number| {
        let (ssrc, newest) = seen(guest);
        let request = if number.is_multiple_of(2) { key_frame_request(number / 2, ssrc) } else { wants_all_again(ssrc, newest) };
        guest.reports(&request)
    })
}

fn lies(guest: &mut Guest, dice: &mut Dice) -> u64 {
    let (ssrc, _) = seen(guest);
    each(|number| guest.reports(&lying_report(number, dice, ssrc)))
}

fn messages(edge: &NearcastEdge, _: &mut Dice) -> Result<u64, LoadError> {
    let refused = |what: &str, code, expected| match code {
        Some(code) if code == expected => Ok(()),
        code => Err(LoadError::OutOfBounds(format!("{what} was answered with {code:?}, not {expected:?}"))),
    };
    let mut socket = open(edge.http(), "")?;
    let head = [&[0x81, 0xff][..], &(1_u64 << 30).to_be_bytes(), &[1, 2, 3, 4], &[0; 4_096]].concat();
    socket.get_mut().write_all(&head).map_err(LoadError::system("sending a frame of 1 GB"))?;
    refused("a frame of 1 GB", refusal(&mut socket), ErrorCode::LimitReached)?;
    let mut socket = open(edge.http(), "")?;
    socket.send(Message::text("[".repeat(10_000))).map_err(|error| LoadError::refused("sending deep JSON", error))?;
    refused("deep JSON", refusal(&mut socket), ErrorCode::BadMessage)?;
    let mut socket = open(edge.http(), "")?;
    let join = r#"{"id":1,"type":"join","token":"a.b.c"}"#;
    socket.send(Message::text(join)).map_err(|error| LoadError::refused("joining", error))?;
    refused("a token of nobody", refusal(&mut socket), ErrorCode::TokenInvalid)?;
    // Closed by the edge, or by leaving this function.
    let _end = socket.get_mut().read(&mut [0; 64]);
    Ok(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearcast_load::server::find_edge;

    /// A seed for which the first draws hold each kind would say nothing of a run: that each can be drawn does.
    #[test]
    fn every_kind_is_drawn() {
        let drawn: std::collections::HashSet<usize> = (0..1_000).map(|draw| Dice::new(draw).below(KINDS.len())).collect();
        assert_eq!(drawn.len(), KINDS.len());
    }

    #[test]
    fn nothing_stays_of_a_few_seconds_of_it() {
        let report = play(&find_edge(None), Duration::from_secs(8), 7, Progress::quiet()).unwrap_or_else(|error| panic!("{error}"));
        assert!(!report.troubles.is_empty(), "{report}");
    }
}
