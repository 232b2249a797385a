//! Offers and fragments.

use sfu_core::sdp::{AnswerOptions, Offer, SdpFragment, negotiate};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(fragment) = SdpFragment::parse(text) {
        assert!(format!("{fragment:?}").len() <= 8 * text.len() + 4_096);
    }
    let offer = match Offer::parse(text) {
        Ok(offer) => offer,
        Err(error) => {
            assert!(!error.to_string().is_empty() && error.to_string().len() < 1_024, "an error is a sentence: {error}");
            return;
        }
    };
    assert!(offer.sections.len() <= 256);
    for section in &offer.sections {
        let negotiated = negotiate(section, &AnswerOptions { simulcast: true });
        assert!(negotiated.codecs.len() <= 32 && negotiated.extensions.len() <= 16 && negotiated.rids.len() <= 4);
        let _maps = (negotiated.ingress_extensions(), negotiated.egress_extensions());
    }
}
