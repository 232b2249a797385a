//! Connectivity checks made by hand, for tests that need ones no honest client would send.

use aws_lc_rs::hmac;
use is::stun::{StunMessage, TransId};

/// HMAC-SHA1 over the parts in a row (RFC 8489 §14.5), by a library.
#[must_use]
pub fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    hmac::sign(&key, &parts.concat()).as_ref().try_into().expect("20 bytes")
}

/// A check from the agent `remote` to the agent `local`, which may nominate its path.
#[must_use]
pub fn check(local: &str, remote: &str, password: &str, nominates: bool) -> Vec<u8> {
    let mut buffer = vec![0; 500];
    let username = format!("{local}:{remote}");
    let message = StunMessage::binding_request(&username, TransId::new(), true, 7, 100, nominates);
    let length = message.to_bytes(Some(password.as_bytes()), &mut buffer, hmac_sha1).expect("500 bytes are enough");
    buffer.truncate(length);
    buffer
}

/// `a=ice-ufrag` and `a=ice-pwd` of a description.
#[must_use]
pub fn credentials(sdp: &str) -> (String, String) {
    let value =
        |name: &str| sdp.lines().find_map(|line| line.strip_prefix(name)).expect("a description with credentials").trim().to_owned();
    (value("a=ice-ufrag:"), value("a=ice-pwd:"))
}
