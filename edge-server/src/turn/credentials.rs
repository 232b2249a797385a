//! Who may use the TURN server: whoever has a name that says until when, and the password that only we could have made of it
//! (draft-uberti-behave-turn-rest-00). Nothing of it is kept.

use crate::ice_servers::credential;
use core::time::Duration;

/// The password that belongs to a name, while it is valid; `now` since 1970. None: it has expired, or is none of ours.
pub(super) fn password(secret: &str, username: &str, now: Duration) -> Option<String> {
    let (until, _) = username.split_once(':')?;
    let digits = !until.is_empty() && until.bytes().all(|byte| byte.is_ascii_digit());
    let until: u64 = until.parse().ok().filter(|_| digits)?;
    (until > now.as_secs()).then(|| credential(secret, username))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn a_name_has_a_password_until_its_time() {
        let expected = credential("secret", "1000060:ann");
        assert_eq!(password("secret", "1000060:ann", NOW), Some(expected.clone()));
        assert_ne!(password("other", "1000060:ann", NOW), Some(expected));
        assert_eq!(password("secret", "1000000:ann", NOW), None, "expired");
        assert_eq!(password("secret", "1:ann", NOW), None);
    }

    #[test]
    fn names_without_a_time_have_none() {
        for name in ["", "ann", ":ann", "-1:ann", "+1000060:ann", "1e9:ann", "99999999999999999999999:ann", "ann:1000060", " 1000060:ann"] {
            assert_eq!(password("secret", name, NOW), None, "{name:?}");
        }
    }
}
