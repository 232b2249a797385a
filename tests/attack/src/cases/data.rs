//! SCTP and what travels in it.

use crate::guest::Guest;
use crate::stage::{Stage, Verdict};
use crate::wire::{sctp, throw_at};
use nearcast_load::LoadError;
use nearcast_load::process::resident_kb;
use nearcast_load::server::Server;
use nearcast_protocol::DataFrame;
use nearcast_protocol::wire::Cbor;
use std::time::Instant;

/// P9. INITs that ask for everything, COOKIE ECHOs of nobody, DATA of 16 MB, windows of zero: all inside valid DTLS.
pub(super) fn associations(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut guest = Guest::enter(stage, "p9", "associations")?;
    let memory = resident_kb(stage.edge.pid())?;
    let thrown = throw_at(5_000, stage.length, |number| {
        guest.hears();
        guest.says(&packet_of_nobody(number))
    });
    let mut verdict = Verdict::of(thrown);
    let grown = resident_kb(stage.edge.pid())? as i64 - memory as i64;
    verdict.note = format!("{grown} kB more while they came");
    verdict.hold(grown < 4_096, format!("an association held {grown} kB"));
    Ok(verdict)
}

/// An SCTP packet that belongs to no association.
pub(crate) fn packet_of_nobody(number: u64) -> Vec<u8> {
    let tag = (number as u32).wrapping_mul(2_654_435_761) | 1;
    let mut init = vec![1, 0, 0, 20];
    init.extend(tag.to_be_bytes());
    init.extend([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
    let data = [&[0, 2, 4, 16][..], &(number as u32).to_be_bytes(), &[0xff, 0xff, 0, 0, 0, 0, 0, 53], &[7; 1_024]].concat();
    match number % 4 {
        0 => sctp(0, &init),
        1 => sctp(tag, &data),
        2 => sctp(tag, &[10, 0, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8]),
        _ => sctp(tag, &[3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    }
}

/// P14. As much as an association takes, on both channels, to a room with one who reads and one who doesn't.
pub(super) fn flood(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut sender = Guest::enter(stage, "p14", "sender")?;
    let mut reader = Guest::enter(stage, "p14", "reader")?;
    let mut deaf = Guest::enter(stage, "p14", "deaf")?;
    for guest in [&mut sender, &mut reader, &mut deaf] {
        guest.open_channels()?;
    }
    let memory = resident_kb(stage.edge.pid())?;
    let began = Instant::now();
    let (mut messages, mut bytes, mut worst) = (0_u64, 0_u64, 0_u128);
    let thrown = throw_at(20_000, stage.length, |number| {
        let mut payload = began.elapsed().as_micros().to_be_bytes().to_vec();
        payload.resize(1_000, 7);
        let frame = DataFrame { payload, ..DataFrame::default() }.to_cbor();
        if number.is_multiple_of(16) {
            sender.hears();
            reader.stay();
            sender.stay();
        }
        let sent = if sender.message((number % 2) as u16, &frame) { frame.len() } else { 0 };
        while let Some(message) = reader.next_message() {
            let Ok(frame) = DataFrame::from_cbor(&message) else { continue };
            let sent = frame.payload.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
            worst = worst.max(began.elapsed().as_micros().saturating_sub(sent));
            messages += 1;
            bytes += message.len() as u64;
        }
        sent
    });
    let grown = resident_kb(stage.edge.pid())? as i64 - memory as i64;
    let mut verdict = Verdict { memory_allowed: 8 * 1_024, ..Verdict::of(thrown) };
    verdict.note = format!(
        "{messages} messages ({} kB) reached who reads, the slowest after {} ms (the sender's own queue included); {} dropped; {grown} kB more",
        bytes / 1_000,
        worst / 1_000,
        stage.count("total/core/dropped_data")?
    );
    verdict.hold(messages > 0, "nothing arrived");
    verdict.hold(grown < 16 * 1_024, format!("{grown} kB held for who doesn't read"));
    Ok(verdict)
}
