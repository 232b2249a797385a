//! Which ICE generation a request is about (RFC 9725 §4.3.1 to §4.3.3, RFC 9110 §13.1.1).
//!
//! The entity tag names the generation: requests that crossed with a restart would be about the old one, and are refused.

use super::Problem;
use axum::http::{HeaderMap, StatusCode, header};
use nearcast_protocol::ErrorCode;
use sfu_core::sdp::SdpFragment;

/// The ICE generation of a session.
#[derive(Debug)]
pub struct Generation {
    remote_ufrag: String,
    tag: String,
}

impl Generation {
    /// The client's username fragment, and the tag the edge gave.
    #[must_use]
    pub fn new(remote_ufrag: String, tag: String) -> Self {
        Self { remote_ufrag, tag }
    }

    /// The tag, without quotes.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// After a restart.
    pub fn replace(&mut self, remote_ufrag: String, tag: String) {
        *self = Self { remote_ufrag, tag };
    }
}

/// What a PATCH is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Candidates of the present generation.
    Candidates,
    /// A new generation.
    Restart,
}

/// Tells candidates from a restart.
///
/// # Errors
/// 428 without `If-Match`, 412 when it isn't about the present generation, or when a restart doesn't say `If-Match: *`.
pub fn judge(headers: &HeaderMap, present: &Generation, fragment: &SdpFragment) -> Result<Step, Problem> {
    let fresh = fragment.ice.as_ref().is_some_and(|ice| ice.ufrag != present.remote_ufrag);
    match (matched(headers, present)?, fresh) {
        (Match::Missing, _) => {
            let message = "send If-Match: the ETag of the 201 (or of the last restart) with candidates, `*` with an ICE restart";
            Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, ErrorCode::BadMessage, message))
        }
        (Match::Any, true) => Ok(Step::Restart),
        (Match::Any | Match::Same, false) => Ok(Step::Candidates),
        (Match::Same, true) => {
            let message = "the fragment has new ICE credentials, which is a restart: send it with `If-Match: *`";
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, ErrorCode::BadMessage, message))
        }
    }
}

/// For requests that may say which generation they mean, but need not.
///
/// # Errors
/// 412 when they mean another.
pub fn unchanged(headers: &HeaderMap, present: &Generation) -> Result<(), Problem> {
    matched(headers, present).map(|_| ())
}

enum Match {
    Missing,
    Any,
    Same,
}

fn matched(headers: &HeaderMap, present: &Generation) -> Result<Match, Problem> {
    let named = headers.get_all(header::IF_MATCH).iter().flat_map(|value| value.to_str().unwrap_or_default().split(',').map(str::trim));
    let mut missing = true;
    for tag in named {
        missing = false;
        // Weak tags match nothing (RFC 9110 §13.1.1), and only quoted text is a tag.
        match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
            Some(tag) if tag == present.tag => return Ok(Match::Same),
            None if tag == "*" => return Ok(Match::Any),
            _ => {}
        }
    }
    if missing {
        return Ok(Match::Missing);
    }
    let message = "If-Match names another ICE generation than the present one: it was restarted meanwhile; use the ETag of that answer";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, ErrorCode::BadMessage, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::IF_MATCH, value.parse().unwrap())).collect()
    }

    fn outcome(values: &[&str], fragment: &str) -> Result<Step, u16> {
        let present = Generation::new("abcd".to_owned(), "00edge".to_owned());
        judge(&headers(values), &present, &SdpFragment::parse(fragment).unwrap()).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn candidates_restarts_and_mix_ups_are_told_apart() {
        const CANDIDATE: &str = "m=audio 9 X 0\na=mid:0\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\n";
        const KNOWN: &str = "a=ice-ufrag:abcd\na=ice-pwd:0123456789abcdefghijkl\n";
        const FRESH: &str = "a=ice-ufrag:efgh\na=ice-pwd:0123456789abcdefghijkl\n";
        for (if_match, fragment, expected) in [
            (&["\"00edge\""][..], CANDIDATE, Ok(Step::Candidates)),
            (&["\"00edge\""], KNOWN, Ok(Step::Candidates)),
            (&["\"older\", \"00edge\""], KNOWN, Ok(Step::Candidates)),
            (&["\"older\"", "\"00edge\""], KNOWN, Ok(Step::Candidates)),
            (&["*"], FRESH, Ok(Step::Restart)),
            (&["*"], KNOWN, Ok(Step::Candidates)),
            (&["\"00edge\""], FRESH, Err(412)),
            (&["\"older\""], CANDIDATE, Err(412)),
            (&["W/\"00edge\""], CANDIDATE, Err(412)),
            (&["00edge"], CANDIDATE, Err(412)),
            (&[], CANDIDATE, Err(428)),
            (&[], FRESH, Err(428)),
        ] {
            assert_eq!(outcome(if_match, fragment), expected, "{if_match:?} {fragment}");
        }
    }
}
