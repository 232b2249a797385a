//! Pieces of a description that travel alone (`application/trickle-ice-sdpfrag`, RFC 8840 §9): candidates on their way in, and the
//! credentials of an ICE restart both ways.
//!
//! Candidates are read over: an ICE-lite edge learns its peer's addresses from the checks that arrive.

use super::answer::Candidates;
use super::parse::{check_text, checked_credentials, is_token_char};
use super::write::{Sdp, candidates};
use super::{IceCredentials, SdpError, limits};
use std::fmt;

/// Longest m-line that the answer repeats.
const LONGEST_LINE: usize = 512;

/// What a fragment says to an ICE-lite edge.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SdpFragment {
    /// Of the generation that the fragment is about.
    pub ice: Option<IceCredentials>,
    /// Candidates in it.
    pub candidates: usize,
    /// First m-line and its mid, for the answer to mirror.
    media: Option<(String, String)>,
}

impl SdpFragment {
    /// Reads a fragment.
    ///
    /// # Errors
    /// [`SdpError`], when it is too long, not made of SDP lines, or has half of the credentials.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        check_text(text)?;
        let (mut ufrag, mut pwd, mut media, mut mid, mut candidates) = (None, None, None, None, 0_usize);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
                return Err(SdpError::Syntax { reason: format!("`{}`", line.chars().take(80).collect::<String>()) });
            };
            match (kind, value.split_once(':')) {
                ("a", Some(("ice-ufrag", value))) => ufrag = ufrag.or(Some(value)),
                ("a", Some(("ice-pwd", value))) => pwd = pwd.or(Some(value)),
                ("a", Some(("mid", value))) => mid = mid.or(Some(value)),
                ("a", Some(("candidate", _))) => candidates = candidates.saturating_add(1),
                ("m", _) => media = media.or(Some(value)),
                _ => {}
            }
        }
        let ice = match (ufrag, pwd) {
            (None, None) => None,
            (Some(ufrag), Some(pwd)) => Some(checked_credentials(ufrag, pwd)?),
            _ => return Err(SdpError::MissingIceCredentials),
        };
        let mirrored = |mid: &&str| !mid.is_empty() && mid.len() <= limits::MAX_MID_BYTES && mid.bytes().all(is_token_char);
        let media = media.filter(|line| line.len() <= LONGEST_LINE).zip(mid.filter(mirrored));
        Ok(Self { ice, candidates, media: media.map(|(line, mid)| (line.to_owned(), mid.to_owned())) })
    }

    /// The edge's answer to a restart: its new credentials, and the candidates it has at all times.
    #[must_use]
    pub fn answer(&self, ice: &IceCredentials, addresses: &Candidates<'_>) -> String {
        let mut sdp = Sdp(String::new());
        // A `String` takes whatever is written to it.
        let _infallible = self.write_to(&mut sdp, ice, addresses);
        sdp.0
    }

    fn write_to(&self, sdp: &mut Sdp, ice: &IceCredentials, addresses: &Candidates<'_>) -> fmt::Result {
        sdp.line(format_args!("a=ice-lite"))?;
        sdp.line(format_args!("a=ice-ufrag:{}", ice.ufrag))?;
        sdp.line(format_args!("a=ice-pwd:{}", ice.pwd))?;
        if let Some((line, mid)) = &self.media {
            sdp.line(format_args!("m={line}"))?;
            sdp.line(format_args!("a=mid:{mid}"))?;
        }
        candidates(sdp, addresses)
    }
}
