//! Publishers whose streams aren't what they say. A second guest looks at what comes of them.

use crate::guest::{Guest, Joined, VIDEO, VP8};
use crate::stage::{Stage, Verdict};
use crate::wire::{Thrown, rtp, throw_at, vp8};
use nearcast_load::LoadError;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two pictures.
const RATE: u64 = 1_000;

/// What a viewer has seen of one stream: by extended number, its time.
#[derive(Default)]
struct Watch {
    newest: Option<u64>,
    times: BTreeMap<u64, u32>,
    faults: Vec<String>,
}

impl Watch {
    fn see(&mut self, packet: &[u8]) {
        if packet[1] & 0x7f != VP8 {
            return;
        }
        let wire = u16::from_be_bytes([packet[2], packet[3]]);
        let time = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        let newest = *self.newest.get_or_insert(u64::from(wire) + 65_536);
        let number = newest.wrapping_add_signed(i64::from(wire.wrapping_sub(newest as u16).cast_signed()));
        self.newest = Some(newest.max(number));
        if self.times.insert(number, time).is_some() {
            self.faults.push(format!("number {number} came twice"));
        }
    }

    fn judge(mut self) -> (usize, Vec<String>) {
        let back = |(earlier, later): (&u32, &u32)| later.wrapping_sub(*earlier).cast_signed() < 0;
        let backwards = self.times.values().zip(self.times.values().skip(1)).filter(|pair| back(*pair)).count();
        if backwards > 0 {
            self.faults.push(format!("time ran back {backwards} times"));
        }
        self.faults.truncate(3);
        (self.times.len(), self.faults)
    }
}

/// A viewer of a layer that stops is on a live one by then.
const MOVED_WITHIN: Duration = Duration::from_secs(1);

/// P15. Three encodings are promised; all come under one SSRC, then only one goes on.
pub(super) fn lying_simulcast(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let promise = |sdp: String| {
        let lines = "a=mid:1\r\na=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n";
        sdp.replace(&format!("a=mid:1\r\na=sendonly\r\na=ssrc:{VIDEO} cname:g\r\n"), &format!("{lines}a=sendonly\r\n"))
    };
    let mut liar = Joined::enter(&stage.edge, "p15", "liar", promise)?.connect()?;
    let mut viewer = Guest::enter(stage, "p15", "viewer")?;
    let mut watch = Watch::default();
    // The rule gives the edge a second to move the viewer to a live layer.
    let (half, mut sent) = ((stage.length / 2).max(2 * MOVED_WITHIN), Thrown::default());
    for part in 0..2_u64 {
        sent = sent
            + throw_at(RATE, half, |number| {
                viewer.stay();
                viewer.hears().iter().for_each(|packet| watch.see(packet));
                // The second part is the smallest alone.
                let rid = if part == 0 { [b'q', b'h', b'f'][number as usize % 3] } else { b'q' };
                let ssrc = if part == 0 { VIDEO } else { VIDEO + 1 };
                let count = part * half.as_millis() as u64 + number;
                let mut packet =
                    rtp(VP8, count as u16, count as u32 * 90, ssrc, Some(b'1'), &vp8(number.is_multiple_of(30), count as u16 & 0x7fff));
                packet[18..20].copy_from_slice(&[0x20, rid]);
                liar.sends(&packet)
            });
    }
    let (seen, faults) = watch.judge();
    let mut verdict = Verdict { note: format!("the viewer got {seen} packets"), faults, ..Verdict::of(sent) };
    verdict.hold(seen > 0, "the viewer saw nothing, though one encoding was there all the time");
    Ok(verdict)
}

/// P16. Times all over, numbers that run, jump and wrap; late packets with times of elsewhere.
pub(super) fn jumping_times(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let mut liar = Guest::enter(stage, "p16", "liar")?;
    let mut viewer = Guest::enter(stage, "p16", "viewer")?;
    let mut dice = nearcast_fuzz::mutate::Dice::new(16);
    let (mut watch, mut seq, mut time) = (Watch::default(), 65_000_u16, u32::MAX - 90_000);
    let thrown = throw_at(RATE, stage.length, |number| {
        viewer.stay();
        viewer.hears().iter().for_each(|packet| watch.see(packet));
        let mut late = 0;
        match dice.below(20) {
            0 => time = dice.roll() as u32,
            1 => seq = seq.wrapping_add(dice.below(900) as u16),
            2 => time = time.wrapping_sub(dice.below(100_000) as u32),
            3 => late = 2 + dice.below(40) as u16,
            4 => seq = seq.wrapping_add(3),
            _ => time = time.wrapping_add(3_000),
        }
        seq = seq.wrapping_add(1);
        let claimed = if late > 0 { dice.roll() as u32 } else { time };
        liar.sends(&rtp(VP8, seq.wrapping_sub(late), claimed, VIDEO, Some(b'1'), &vp8(dice.below(10) == 0, number as u16 & 0x7fff)))
    });
    let (seen, faults) = watch.judge();
    let mut verdict = Verdict {
        note: format!("the viewer got {seen} packets: each number once, no time before the last"),
        faults,
        ..Verdict::of(thrown)
    };
    verdict.hold(seen > 100, format!("the viewer got {seen} packets only"));
    Ok(verdict)
}
