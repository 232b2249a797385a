//! Offers that are refused, each with an error that tells what to change.

use super::*;
use crate::sdp::SdpError;

#[track_caller]
fn refused(line: &str, replacement: &str, error: &SdpError) {
    assert_eq!(Offer::parse(&small_offer_with(line, replacement)).as_ref(), Err(error), "{line} → {replacement}");
}

#[test]
fn the_small_offer_is_fine_as_it_stands() {
    assert!(Offer::parse(&small_offer()).is_ok());
}

#[test]
fn text_that_is_not_sdp() {
    assert!(matches!(Offer::parse(""), Err(SdpError::Syntax { .. })));
    assert!(matches!(Offer::parse("{\"sdp\":\"v=0\"}"), Err(SdpError::Syntax { .. })));
    assert!(matches!(Offer::parse(&small_offer().replace("v=0", "v=1")), Err(SdpError::Syntax { .. })));
    let long = "x".repeat(5_000);
    let Err(SdpError::Syntax { reason }) = Offer::parse(&small_offer_with("s=-", &format!("{long}=-"))) else {
        panic!("not a syntax error")
    };
    assert!(reason.len() <= 120, "the offender's text must not come back at length");
}

#[test]
fn offers_without_sections() {
    let (session, _) = small_offer().split_once("m=").map(|(session, media)| (session.to_owned(), media.to_owned())).unwrap();
    assert_eq!(Offer::parse(&session), Err(SdpError::NoSections));
}

#[test]
fn mids_that_are_missing_or_unusable() {
    refused("a=mid:v", "a=x", &SdpError::MissingMid { index: 1 });
    refused("a=mid:v", "a=mid:", &SdpError::InvalidMid { index: 1 });
    refused("a=mid:v", "a=mid:seventeen-letters", &SdpError::InvalidMid { index: 1 });
    refused("a=mid:v", "a=mid:v v", &SdpError::InvalidMid { index: 1 });
    refused("a=mid:v", "a=mid:a", &SdpError::DuplicateMid { mid: "a".to_owned() });
}

#[test]
fn transports_that_are_not_one_bundle_with_rtcp_mux() {
    refused("a=group:BUNDLE a v d", "a=group:LS a v", &SdpError::NoBundle);
    refused("a=group:BUNDLE a v d", "a=group:BUNDLE a d", &SdpError::NotBundled { mid: "v".to_owned() });
    refused("a=group:BUNDLE a v d", "a=group:BUNDLE a v\r\na=group:BUNDLE d", &SdpError::SeveralBundles);
    refused("a=rtcp-mux", "a=rtcp:9", &SdpError::MissingRtcpMux { mid: "a".to_owned() });
}

#[test]
fn ice_that_cannot_work() {
    refused("a=ice-ufrag:abcd", "a=x", &SdpError::MissingIceCredentials);
    refused("a=ice-pwd:abcdefghijklmnopqrstuv", "a=ice-pwd", &SdpError::MissingIceCredentials);
    refused("a=ice-ufrag:abcd", "a=ice-ufrag:abc", &SdpError::InvalidIceCredentials);
    refused("a=ice-ufrag:abcd", &format!("a=ice-ufrag:{}", "x".repeat(257)), &SdpError::InvalidIceCredentials);
    refused("a=ice-pwd:abcdefghijklmnopqrstuv", "a=ice-pwd:short", &SdpError::InvalidIceCredentials);
    refused("a=setup:actpass", "a=setup:actpass\r\na=ice-lite", &SdpError::IceLite);
}

#[test]
fn dtls_that_cannot_work() {
    let good = small_offer();
    let line = good.lines().find(|line| line.starts_with("a=fingerprint")).unwrap();
    refused(line, "a=x", &SdpError::MissingFingerprint);
    refused(line, "a=fingerprint:sha-1 00:01:02", &SdpError::UnsupportedFingerprint);
    refused(line, "a=fingerprint:sha-256 00:01:02", &SdpError::InvalidFingerprint);
    refused(line, &line.replace("1F", "+F"), &SdpError::InvalidFingerprint);
    refused(line, &format!("{line}:20"), &SdpError::InvalidFingerprint);
    for setup in ["a=setup:holdconn", "a=x"] {
        refused("a=setup:actpass", setup, &SdpError::InvalidSetup);
    }
}

#[test]
fn every_error_names_a_remedy() {
    let mid = || "v".to_owned();
    let errors = [
        SdpError::TooLong { size: 2, unit: "bytes", limit: 1 },
        SdpError::ControlCharacter,
        SdpError::NoSections,
        SdpError::MissingMid { index: 1 },
        SdpError::InvalidMid { index: 1 },
        SdpError::DuplicateMid { mid: mid() },
        SdpError::NoBundle,
        SdpError::SeveralBundles,
        SdpError::NotBundled { mid: mid() },
        SdpError::MissingRtcpMux { mid: mid() },
        SdpError::MissingIceCredentials,
        SdpError::InvalidIceCredentials,
        SdpError::IceLite,
        SdpError::MissingFingerprint,
        SdpError::UnsupportedFingerprint,
        SdpError::InvalidFingerprint,
        SdpError::InvalidSetup,
    ];
    let remedies = ["offer fewer", "send", "add", "give", "must", "use", "put", "offer from"];
    for error in errors {
        let text = error.to_string();
        assert!(remedies.iter().any(|remedy| text.contains(remedy)), "{text}");
    }
}
