//! Answer to text. Lines are in the order that Chromium writes them; ends are CR LF.

mod section;

use super::answer::{Answer, AnswerSection, Candidates};
use super::negotiate::{AnswerOptions, negotiate};
use super::offer::{Section, SectionKind};
use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::IpAddr;

/// Typical size of a section, to allocate once. The largest measured, Chromium's video, has 1,550 bytes.
const SECTION_BYTES: usize = 1_600;

impl Answer<'_> {
    /// The text of the answer.
    #[must_use]
    pub fn write(&self) -> String {
        let mut sdp = Sdp(String::with_capacity(SECTION_BYTES.saturating_mul(self.offer.sections.len())));
        // A `String` takes whatever is written to it.
        let _infallible = self.write_to(&mut sdp);
        sdp.0
    }

    fn write_to(&self, sdp: &mut Sdp) -> fmt::Result {
        let choices = self.choices();
        let accepted = || choices.iter().enumerate().filter(|(_, (_, choice))| choice.accept);
        // Usually that of the offer; the first that is left if that one cannot be kept.
        let tagged = accepted().map(|(position, _)| position).min_by_key(|position| (*position != self.offer.tagged, *position));

        sdp.line(format_args!("v=0"))?;
        sdp.line(format_args!("o=- {} {} IN IP4 127.0.0.1", self.session_id, self.session_version))?;
        sdp.line(format_args!("s=-"))?;
        sdp.line(format_args!("t=0 0"))?;
        sdp.line(format_args!("a=ice-lite"))?;
        sdp.line(format_args!("a=fingerprint:sha-256 {}", self.fingerprint))?;
        if tagged.is_some() {
            let mut bundled: Vec<_> = accepted().collect();
            bundled.sort_by_key(|(position, _)| Some(*position) != tagged);
            let mids: Vec<&str> = bundled.iter().map(|(_, (section, _))| section.mid.as_str()).collect();
            sdp.line(format_args!("a=group:BUNDLE {}", mids.join(" ")))?;
        }
        if self.offer.extmap_allow_mixed {
            sdp.line(format_args!("a=extmap-allow-mixed"))?;
        }
        sdp.line(format_args!("a=msid-semantic: WMS *"))?;
        for (position, (section, choice)) in choices.iter().enumerate() {
            if choice.accept {
                section::accept(sdp, self, section, choice)?;
            } else {
                section::reject(sdp, section)?;
            }
            if Some(position) == tagged {
                candidates(sdp, &self.candidates)?;
            }
        }
        Ok(())
    }

    /// What becomes of each section in the end.
    fn choices(&self) -> Vec<(&Section, Cow<'_, AnswerSection>)> {
        let wished = self.sections.iter().map(Some).chain(std::iter::repeat(None));
        let mut choices: Vec<_> = self
            .offer
            .sections
            .iter()
            .zip(wished)
            .map(|(section, wish)| {
                let choice = wish.filter(|choice| is_acceptable(section, choice));
                (section, choice.map_or(Cow::Owned(AnswerSection::REJECTED), Cow::Borrowed))
            })
            .collect();
        if choices.iter().any(|(_, choice)| choice.accept)
            && let Some((section, choice)) = choices.get_mut(self.offer.tagged).filter(|(_, choice)| !choice.accept)
        {
            *choice = Cow::Owned(kept_inactive(section));
        }
        choices
    }
}

fn is_acceptable(section: &Section, choice: &AnswerSection) -> bool {
    choice.accept
        && !section.rejected
        && match section.kind {
            SectionKind::Audio | SectionKind::Video => choice.negotiated.is_usable(),
            SectionKind::Data => true,
            SectionKind::Other => false,
        }
}

/// Chromium takes a rejected tagged section for the end of the whole bundle and refuses the answer ("Failed to setup RTCP mux",
/// version 156), so as long as anything is accepted that section is, if nothing but in name. Not possible without a codec in common.
fn kept_inactive(section: &Section) -> AnswerSection {
    let choice = AnswerSection { accept: true, negotiated: negotiate(section, &AnswerOptions::default()), send: None, receive: false };
    if is_acceptable(section, &choice) { choice } else { AnswerSection::REJECTED }
}

/// All candidates at once, in the section whose transport the bundle uses (RFC 9143 §7.3.1, RFC 8838 §8).
pub(super) fn candidates(sdp: &mut Sdp, candidates: &Candidates<'_>) -> fmt::Result {
    // Same type, base address and protocol: same foundation (RFC 8445 §5.1.1.3).
    let all = || candidates.udp.iter().map(|udp| (udp.ip(), false)).chain(candidates.tcp.iter().map(|tcp| (tcp.ip(), true)));
    let foundation = |ip: IpAddr, tcp: bool| all().take_while(|other| *other != (ip, tcp)).count().saturating_add(1);
    for (rank, candidate) in candidates.udp.iter().enumerate() {
        let (ip, port, foundation) = (candidate.ip(), candidate.port(), foundation(candidate.ip(), false));
        sdp.line(format_args!("a=candidate:{foundation} 1 udp {} {ip} {port} typ host", udp_priority(rank)))?;
    }
    for (rank, candidate) in candidates.tcp.iter().enumerate() {
        let (ip, port, foundation) = (candidate.ip(), candidate.port(), foundation(candidate.ip(), true));
        sdp.line(format_args!("a=candidate:{foundation} 1 tcp {} {ip} {port} typ host tcptype passive", tcp_priority(rank)))?;
    }
    sdp.line(format_args!("a=end-of-candidates"))
}

/// RFC 8445 §5.1.2.1: type preference of a host candidate, local preference by rank, component 1.
fn udp_priority(rank: usize) -> u32 {
    const HOST: u32 = 126;
    let local = u16::MAX.saturating_sub(u16::try_from(rank).unwrap_or(u16::MAX));
    HOST << 24 | u32::from(local) << 8 | 255
}

/// RFC 6544 §4.2: a lower type preference than any candidate over UDP but relayed ones has (libwebrtc's for its own), and in the local
/// preference the direction, passive, above the rank.
fn tcp_priority(rank: usize) -> u32 {
    const HOST: u32 = 90;
    const PASSIVE: u32 = 4;
    let other = 0x1fff_u32.saturating_sub(u32::try_from(rank).unwrap_or(u32::MAX));
    HOST << 24 | (PASSIVE << 13 | other) << 8 | 255
}

/// Text that grows by whole lines.
pub(super) struct Sdp(pub(super) String);

impl Sdp {
    pub(super) fn line(&mut self, line: fmt::Arguments<'_>) -> fmt::Result {
        self.0.write_fmt(line)?;
        self.0.write_str("\r\n")
    }
}
