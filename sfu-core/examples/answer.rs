//! Answers an SDP offer from standard input on standard output, as an edge that grants everything: to see what a client makes of it.
//!
//! `cargo run -p sfu-core --example answer -- [--simulcast] [CANDIDATE…] < offer.sdp`
//!
//! Nothing answers at the candidates: descriptions can be negotiated with it, media can't flow.

use nearcast_protocol::MAX_MESSAGE_BYTES;
use sfu_core::sdp::{
    Answer, AnswerOptions, AnswerSection, Candidates, EgressStream, Fingerprint, IceCredentials, Offer, Section, SectionKind, negotiate,
};
use std::io::{Read, stdin};
use std::net::SocketAddr;
use std::process::ExitCode;

fn main() -> ExitCode {
    match answer() {
        Ok(sdp) => {
            print!("{sdp}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> Result<String, String> {
    let (flags, addresses): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let is_set = |name: &str| flags.iter().any(|flag| flag == name);
    let options = AnswerOptions { simulcast: is_set("--simulcast") };
    let mut candidates =
        addresses.iter().map(|text| text.parse()).collect::<Result<Vec<SocketAddr>, _>>().map_err(|error| error.to_string())?;
    if candidates.is_empty() {
        candidates.push(SocketAddr::from(([192, 0, 2, 1], 7878)));
    }

    let mut sdp = String::new();
    stdin().take(MAX_MESSAGE_BYTES as u64 + 1).read_to_string(&mut sdp).map_err(|error| error.to_string())?;
    let offer = Offer::parse(&sdp).map_err(|error| error.to_string())?;
    let mut slots = Slots::default();
    let sections: Vec<AnswerSection> =
        (1000_u32..).zip(&offer.sections).map(|(ssrc, section)| choose(ssrc, section, &options, &mut slots)).collect();
    let ice = IceCredentials { ufrag: "edge".to_owned(), pwd: "not-a-secret-this-is-an-example".to_owned() };
    Ok(Answer {
        offer: &offer,
        ice: &ice,
        fingerprint: Fingerprint([0xed; 32]),
        candidates: Candidates { udp: &candidates, tcp: &[] },
        session_id: 1,
        session_version: 1,
        max_message_size: 64 * 1024,
        sections: &sections,
    }
    .write())
}

/// Receiving sections so far: the nth of audio and the nth of video make one stream.
#[derive(Default)]
struct Slots {
    audio: u32,
    video: u32,
}

/// `ssrc` goes by the section's position: an SSRC that moves to another section in a later answer is refused by Chromium.
fn choose(ssrc: u32, section: &Section, options: &AnswerOptions, slots: &mut Slots) -> AnswerSection {
    let (count, kind) = match section.kind {
        SectionKind::Audio => (&mut slots.audio, "audio"),
        SectionKind::Video => (&mut slots.video, "video"),
        SectionKind::Data => return AnswerSection::data(),
        SectionKind::Other => return AnswerSection::REJECTED,
    };
    let send = section.receives().then(|| {
        let slot = *count;
        *count += 1;
        EgressStream {
            ssrc,
            rtx_ssrc: (section.kind == SectionKind::Video).then_some(ssrc + 1000),
            stream_id: format!("slot-{slot}"),
            track_id: format!("slot-{slot}-{kind}"),
            cname: "edge".to_owned(),
        }
    });
    AnswerSection { accept: true, negotiated: negotiate(section, options), send, receive: true }
}
