//! Text to [`Offer`]: bounds first, then `rtc-sdp` for the syntax, then the session-wide rules. Sections are read by [`section`].

mod codecs;
mod extensions;
mod section;
mod sources;

pub(super) use section::is_token_char;

use super::offer::{Direction, HeaderExtension, Offer, Section, SectionKind};
use super::transport::{Fingerprint, IceCredentials, Setup};
use super::{SdpError, limits};
use rtc_sdp::SessionDescription;
use rtc_sdp::description::common::Attribute;
use rtc_sdp::description::media::MediaDescription;
use std::collections::{HashMap, HashSet};
use std::io::Cursor;

/// The `a=` lines of the session or of one section.
#[derive(Clone, Copy)]
struct Attributes<'a>(&'a [Attribute]);

impl<'a> Attributes<'a> {
    fn values(self, key: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |attribute| attribute.key == key).filter_map(|attribute| attribute.value.as_deref())
    }

    fn value(self, key: &'static str) -> Option<&'a str> {
        self.values(key).next()
    }

    fn has(self, key: &str) -> bool {
        self.0.iter().any(|attribute| attribute.key == key)
    }

    fn direction(self) -> Option<Direction> {
        self.0.iter().find_map(|attribute| Direction::from_name(&attribute.key))
    }
}

/// What sections take from the session when they don't say it themselves. Read once: a session of ten thousand lines must not be
/// searched again for each of its sections.
struct Inherited {
    direction: Direction,
    rtcp_mux: bool,
    rtcp_rsize: bool,
    allows_mixed_extensions: bool,
    extensions: Vec<HeaderExtension>,
}

impl Inherited {
    fn parse(session: Attributes<'_>, media: &[MediaDescription]) -> Self {
        let allows_mixed_extensions = allows_mixed_extensions(session, media);
        Self {
            direction: session.direction().unwrap_or_default(),
            rtcp_mux: session.has("rtcp-mux"),
            rtcp_rsize: session.has("rtcp-rsize"),
            allows_mixed_extensions,
            extensions: extensions::parse(session, allows_mixed_extensions),
        }
    }
}

impl Offer {
    /// Reads an offer.
    ///
    /// Unknown attributes, codecs, extensions and kinds of media are skipped; what the call cannot do without is an error.
    ///
    /// # Errors
    /// [`SdpError`], whose text tells the offerer what to change.
    pub fn parse(sdp: &str) -> Result<Self, SdpError> {
        check_text(sdp)?;
        let description = SessionDescription::unmarshal(&mut Cursor::new(sdp))
            .map_err(|error| SdpError::Syntax { reason: error.to_string().chars().take(120).collect() })?;
        let session = Attributes(&description.attributes);
        let media = description.media_descriptions.as_slice();
        if media.is_empty() {
            return Err(SdpError::NoSections);
        }
        check_length(media.len(), "sections", limits::MAX_SECTIONS)?;
        if session.has("ice-lite") {
            return Err(SdpError::IceLite);
        }

        let inherited = Inherited::parse(session, media);
        let mut sections =
            media.iter().enumerate().map(|(index, media)| section::parse(index, media, &inherited)).collect::<Result<Vec<_>, _>>()?;
        check_mids(&sections)?;
        extensions::keep_consistent(&mut sections);
        keep_first_owner_of_ssrcs(&mut sections);
        keep_first_data_section(&mut sections);

        let tagged = tagged_section(session, &sections)?;
        let own = Attributes(media.get(tagged).map_or(&[], |media| media.attributes.as_slice()));
        Ok(Self {
            ice: ice_credentials(own, session)?,
            fingerprint: fingerprint(own, session)?,
            setup: setup(own, session)?,
            sections,
            extmap_allow_mixed: inherited.allows_mixed_extensions,
            tagged,
        })
    }
}

fn check_length(size: usize, unit: &'static str, limit: usize) -> Result<(), SdpError> {
    if size > limit { Err(SdpError::TooLong { size, unit, limit }) } else { Ok(()) }
}

/// Values are repeated in the answer, so a lone CR in one could forge a line of it.
pub(super) fn check_text(sdp: &str) -> Result<(), SdpError> {
    check_length(sdp.len(), "bytes", limits::MAX_OFFER_BYTES)?;
    check_length(sdp.lines().count(), "lines", limits::MAX_OFFER_LINES)?;
    let is_clean = sdp.split('\n').all(|line| !line.strip_suffix('\r').unwrap_or(line).contains(char::is_control));
    if is_clean { Ok(()) } else { Err(SdpError::ControlCharacter) }
}

/// Chromium says it once for the session, Firefox in every section with RTP.
fn allows_mixed_extensions(session: Attributes<'_>, media: &[MediaDescription]) -> bool {
    let mut rtp = media.iter().map(|media| Attributes(&media.attributes)).filter(|section| section.has("extmap")).peekable();
    session.has("extmap-allow-mixed") || rtp.peek().is_some() && rtp.all(|section| section.has("extmap-allow-mixed"))
}

fn check_mids(sections: &[Section]) -> Result<(), SdpError> {
    let mut seen = HashSet::new();
    for section in sections.iter().filter(|section| !section.mid.as_str().is_empty()) {
        if !seen.insert(section.mid.as_str()) {
            return Err(SdpError::DuplicateMid { mid: section.mid.to_string() });
        }
    }
    Ok(())
}

/// An SSRC named by two sections belongs to the first: packets could not be told apart.
fn keep_first_owner_of_ssrcs(sections: &mut [Section]) {
    let mut seen = HashSet::new();
    for section in sections {
        section.ssrcs.retain_mut(|source| {
            source.rtx = source.rtx.filter(|rtx| seen.insert(*rtx));
            seen.insert(source.ssrc)
        });
    }
}

/// A transport has one SCTP association; a second data section is answered rejected.
fn keep_first_data_section(sections: &mut [Section]) {
    let data = sections.iter_mut().filter(|section| section.kind == SectionKind::Data && !section.rejected);
    for section in data.skip(1) {
        section.kind = SectionKind::Other;
    }
}

/// Checks the bundle and gives the position of the section whose transport everything uses: the first of the group that is not
/// rejected (RFC 9143 §7.2).
fn tagged_section(session: Attributes<'_>, sections: &[Section]) -> Result<usize, SdpError> {
    let mut groups = session.values("group").filter_map(|group| group.strip_prefix("BUNDLE"));
    let group = groups.next().ok_or(SdpError::NoBundle)?;
    if groups.next().is_some() {
        return Err(SdpError::SeveralBundles);
    }
    let rank: HashMap<&str, usize> = group.split_whitespace().enumerate().map(|(rank, mid)| (mid, rank)).collect();
    let mut tagged: Option<(usize, usize)> = None;
    for (position, section) in sections.iter().enumerate().filter(|(_, section)| !section.rejected) {
        let Some(&rank) = rank.get(section.mid.as_str()) else {
            return Err(SdpError::NotBundled { mid: section.mid.to_string() });
        };
        if tagged.is_none_or(|(best, _)| rank < best) {
            tagged = Some((rank, position));
        }
    }
    // Everything was stopped: the answer rejects it all, and the transport is that of the first section.
    Ok(tagged.map_or(0, |(_, position)| position))
}

fn ice_credentials(own: Attributes<'_>, session: Attributes<'_>) -> Result<IceCredentials, SdpError> {
    let first = |key| own.value(key).or_else(|| session.value(key));
    let (Some(ufrag), Some(pwd)) = (first("ice-ufrag"), first("ice-pwd")) else {
        return Err(SdpError::MissingIceCredentials);
    };
    checked_credentials(ufrag, pwd)
}

/// Lengths as in RFC 8839 §5.4.
pub(super) fn checked_credentials(ufrag: &str, pwd: &str) -> Result<IceCredentials, SdpError> {
    let longest = limits::MAX_ICE_CREDENTIAL_BYTES;
    if !(4..=longest).contains(&ufrag.len()) || !(22..=longest).contains(&pwd.len()) {
        return Err(SdpError::InvalidIceCredentials);
    }
    Ok(IceCredentials { ufrag: ufrag.to_owned(), pwd: pwd.to_owned() })
}

/// The first SHA-256 one; an offer may have others beside it (RFC 8122 §5).
fn fingerprint(own: Attributes<'_>, session: Attributes<'_>) -> Result<Fingerprint, SdpError> {
    let lines = own.values("fingerprint").chain(session.values("fingerprint"));
    let mut offered = lines.filter_map(|line| line.split_once(' ')).peekable();
    if offered.peek().is_none() {
        return Err(SdpError::MissingFingerprint);
    }
    let (_, digits) = offered.find(|(hash, _)| hash.eq_ignore_ascii_case("sha-256")).ok_or(SdpError::UnsupportedFingerprint)?;
    Fingerprint::from_hex(digits.trim()).ok_or(SdpError::InvalidFingerprint)
}

fn setup(own: Attributes<'_>, session: Attributes<'_>) -> Result<Setup, SdpError> {
    match own.value("setup").or_else(|| session.value("setup")) {
        Some("actpass") => Ok(Setup::ActPass),
        Some("active") => Ok(Setup::Active),
        Some("passive") => Ok(Setup::Passive),
        _ => Err(SdpError::InvalidSetup),
    }
}
