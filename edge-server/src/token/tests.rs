//! Hostile and honest tokens, one row each.

use super::keyring::mint;
use super::*;
use crate::config::keys::Key;
use crate::config::{Config, Flags};
use nearcast_protocol::Permissions;
use serde_json::{Value, json};
use sfu_core::ModePolicy;

const NOW: Duration = Duration::from_secs(1_790_000_000);
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn keyring(keys: &[(&str, &str)]) -> Keyring {
    let keys = keys.iter().map(|(id, secret)| format!("{id}:{secret}")).collect();
    Keyring::new(&Config::load(&Flags { keys, ..Flags::default() }, []).unwrap())
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[(number >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}

/// Any header, any payload, signed with HMAC-SHA256 whatever the header says: independent of the code under test.
fn forge(header: &str, payload: &str, secret: &str) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    format!("{message}.{}", base64url(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref()))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#;

fn claims(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({ "room": "lobby", "sub": "alice", "exp": NOW.as_secs() + 60 });
    change(&mut claims);
    claims.to_string()
}

fn verdict(token: &str) -> Result<Claims, ErrorCode> {
    keyring(&[("k1", SECRET)]).verify(token, NOW, Expiry::Enforced).map_err(|fault| fault.code())
}

#[test]
fn an_honest_token_says_what_it_grants() {
    let claims = verdict(&forge(HEADER, &claims(|_| ()), SECRET)).unwrap();
    assert_eq!((claims.room.as_str(), claims.sub.as_str(), claims.shown_name()), ("lobby", "alice", "alice"));
    assert_eq!(claims.permissions(), Permissions { publish: true, subscribe: true, publish_data: true, moderate: false });
    assert_eq!(claims.role, None);
}

#[test]
fn grants_and_texts_arrive() {
    let payload = claims(|claims| {
        claims["name"] = json!("Alice in a hat");
        claims["role"] = json!("moderator");
        claims["can_publish"] = json!(false);
        claims["can_publish_data"] = json!(false);
        claims["mode"] = json!("p2p");
        claims["max_participants"] = json!(2);
        claims["nbf"] = json!(NOW.as_secs());
        claims["iss"] = json!("somebody's own claim");
    });
    let claims = verdict(&forge(HEADER, &payload, SECRET)).unwrap();
    assert_eq!(claims.permissions(), Permissions { publish: false, subscribe: true, publish_data: false, moderate: false });
    assert_eq!((claims.shown_name(), claims.role.as_deref()), ("Alice in a hat", Some("moderator")));
    assert_eq!((claims.mode, claims.max_participants), (Some(ModePolicy::P2p), Some(2)));
}

#[test]
fn hostile_tokens_are_refused_with_their_code() {
    use ErrorCode::{TokenExpired, TokenInvalid, TokenKeyUnknown, TokenNotYetValid};
    let good = claims(|_| ());
    let signed = |header: &str| forge(header, &good, SECRET);
    let claiming = |change: fn(&mut Value)| forge(HEADER, &claims(change), SECRET);
    let honest = signed(HEADER);
    let parts: Vec<&str> = honest.split('.').collect();
    let tampered = base64url(claims(|claims| claims["room"] = json!("another")).as_bytes());
    let table = [
        ("empty", String::new(), TokenInvalid),
        ("not a token", "let me in".to_owned(), TokenInvalid),
        ("two parts", format!("{}.{}", parts[0], parts[1]), TokenInvalid),
        ("four parts", format!("{honest}.more"), TokenInvalid),
        ("not base64", "!!!.???.***".to_owned(), TokenInvalid),
        ("not UTF-8 inside", format!("{}.{}.{}", base64url(&[0xff, 0xfe]), parts[1], parts[2]), TokenInvalid),
        ("too long", format!("{honest}{}", "A".repeat(LONGEST_TOKEN)), TokenInvalid),
        ("alg none, no signature", format!("{}.{}.", base64url(br#"{"alg":"none","kid":"k1"}"#), parts[1]), TokenInvalid),
        ("alg None with a capital", format!("{}.{}.", base64url(br#"{"alg":"None","kid":"k1"}"#), parts[1]), TokenInvalid),
        ("alg none, signed", signed(r#"{"alg":"none","kid":"k1"}"#), TokenInvalid),
        ("alg missing", signed(r#"{"typ":"JWT","kid":"k1"}"#), TokenInvalid),
        ("alg twice", signed(r#"{"alg":"HS256","alg":"none","kid":"k1"}"#), TokenInvalid),
        ("alg RS256", signed(r#"{"alg":"RS256","kid":"k1"}"#), TokenInvalid),
        ("alg ES256", signed(r#"{"alg":"ES256","kid":"k1"}"#), TokenInvalid),
        ("alg EdDSA", signed(r#"{"alg":"EdDSA","kid":"k1"}"#), TokenInvalid),
        ("alg HS512", signed(r#"{"alg":"HS512","kid":"k1"}"#), TokenInvalid),
        ("alg HS384", signed(r#"{"alg":"HS384","kid":"k1"}"#), TokenInvalid),
        ("critical extension", signed(r#"{"alg":"HS256","kid":"k1","crit":["exp"]}"#), TokenInvalid),
        ("another secret", forge(HEADER, &good, "ffffffffffffffffffffffffffffffff"), TokenInvalid),
        ("the empty secret", forge(HEADER, &good, ""), TokenInvalid),
        ("the development secret", forge(HEADER, &good, crate::config::keys::DEVELOPMENT_SECRET), TokenInvalid),
        ("the development key", forge(r#"{"alg":"HS256","kid":"dev"}"#, &good, crate::config::keys::DEVELOPMENT_SECRET), TokenKeyUnknown),
        ("changed payload", format!("{}.{tampered}.{}", parts[0], parts[2]), TokenInvalid),
        ("no signature", format!("{}.{}.", parts[0], parts[1]), TokenInvalid),
        ("cut signature", honest[..honest.len() - 4].to_owned(), TokenInvalid),
        ("unknown key id", signed(r#"{"alg":"HS256","kid":"k2"}"#), TokenKeyUnknown),
        ("key id as a path", signed(r#"{"alg":"HS256","kid":"../../dev/null"}"#), TokenKeyUnknown),
        ("empty key id", signed(r#"{"alg":"HS256","kid":""}"#), TokenKeyUnknown),
        ("key id is a number", signed(r#"{"alg":"HS256","kid":1}"#), TokenInvalid),
        ("own key inside", signed(r#"{"alg":"HS256","kid":"k2","jwk":{"kty":"oct","k":"AAAA"}}"#), TokenKeyUnknown),
        ("expired", claiming(|claims| claims["exp"] = json!(NOW.as_secs() - LEEWAY.as_secs())), TokenExpired),
        ("expired in 1970", claiming(|claims| claims["exp"] = json!(0)), TokenExpired),
        ("expired before 1970", claiming(|claims| claims["exp"] = json!(-5)), TokenExpired),
        ("no exp", claiming(|claims| drop(claims.as_object_mut().unwrap().remove("exp"))), TokenInvalid),
        ("exp is text", claiming(|claims| claims["exp"] = json!("tomorrow")), TokenInvalid),
        ("exp is null", claiming(|claims| claims["exp"] = json!(null)), TokenInvalid),
        ("exp beyond all time", claiming(|claims| claims["exp"] = json!(1e300)), TokenInvalid),
        ("not yet valid", claiming(|claims| claims["nbf"] = json!(NOW.as_secs() + LEEWAY.as_secs() + 1)), TokenNotYetValid),
        ("no room", claiming(|claims| drop(claims.as_object_mut().unwrap().remove("room"))), TokenInvalid),
        ("empty room", claiming(|claims| claims["room"] = json!("")), TokenInvalid),
        ("endless room", claiming(|claims| claims["room"] = json!("r".repeat(129))), TokenInvalid),
        ("room is a list", claiming(|claims| claims["room"] = json!(["a", "b"])), TokenInvalid),
        ("no identity", claiming(|claims| drop(claims.as_object_mut().unwrap().remove("sub"))), TokenInvalid),
        ("empty identity", claiming(|claims| claims["sub"] = json!("")), TokenInvalid),
        ("line break in the identity", claiming(|claims| claims["sub"] = json!("a\nlevel=ERROR forged")), TokenInvalid),
        ("endless name", claiming(|claims| claims["name"] = json!("n".repeat(257))), TokenInvalid),
        ("endless role", claiming(|claims| claims["role"] = json!("r".repeat(65))), TokenInvalid),
        ("a mode nobody knows", claiming(|claims| claims["mode"] = json!("mesh")), TokenInvalid),
        ("a room for nobody", claiming(|claims| claims["max_participants"] = json!(0)), TokenInvalid),
        ("fewer than nobody", claiming(|claims| claims["max_participants"] = json!(-1)), TokenInvalid),
        ("grant is text", claiming(|claims| claims["can_publish"] = json!("yes")), TokenInvalid),
        ("room twice", forge(HEADER, r#"{"room":"a","room":"b","sub":"x","exp":9999999999}"#, SECRET), TokenInvalid),
        ("claims are a list", forge(HEADER, "[]", SECRET), TokenInvalid),
        ("claims are no JSON", forge(HEADER, "room=lobby", SECRET), TokenInvalid),
    ];
    for (what, token, code) in table {
        assert_eq!(verdict(&token).map(|_| ()), Err(code), "{what}");
    }
}

#[test]
fn leeway_covers_clocks_a_little_apart() {
    let aged = |exp: u64| forge(HEADER, &claims(|claims| claims["exp"] = json!(exp)), SECRET);
    assert!(verdict(&aged(NOW.as_secs() - LEEWAY.as_secs() + 1)).is_ok());
    assert!(verdict(&forge(HEADER, &claims(|claims| claims["nbf"] = json!(NOW.as_secs() + LEEWAY.as_secs())), SECRET)).is_ok());
    assert!(verdict(&forge(HEADER, &claims(|claims| claims["exp"] = json!(NOW.as_secs_f64() + 0.5)), SECRET)).is_ok());
}

#[test]
fn a_resumer_may_hold_an_expired_token_but_not_a_forged_one() {
    let keyring = keyring(&[("k1", SECRET)]);
    let old = forge(HEADER, &claims(|claims| claims["exp"] = json!(NOW.as_secs() - 86_400)), SECRET);
    assert_eq!(keyring.verify(&old, NOW, Expiry::Waived).unwrap().sub, "alice");
    let forged = forge(HEADER, &claims(|_| ()), "ffffffffffffffffffffffffffffffff");
    assert_eq!(keyring.verify(&forged, NOW, Expiry::Waived).unwrap_err().code(), ErrorCode::TokenInvalid);
    let early = forge(HEADER, &claims(|claims| claims["nbf"] = json!(NOW.as_secs() + 3600)), SECRET);
    assert_eq!(keyring.verify(&early, NOW, Expiry::Waived).unwrap_err().code(), ErrorCode::TokenNotYetValid);
}

#[test]
fn without_a_key_id_there_must_be_one_key_only() {
    let nameless = forge(r#"{"alg":"HS256"}"#, &claims(|_| ()), SECRET);
    assert!(keyring(&[("k1", SECRET)]).verify(&nameless, NOW, Expiry::Enforced).is_ok());
    let two = keyring(&[("k1", SECRET), ("k2", "ffffffffffffffffffffffffffffffff")]);
    assert_eq!(two.verify(&nameless, NOW, Expiry::Enforced).unwrap_err().code(), ErrorCode::TokenKeyUnknown);
}

#[test]
fn keys_rotate() {
    let (old, new) = (("k1", SECRET), ("k2", "ffffffffffffffffffffffffffffffff"));
    let token = forge(HEADER, &claims(|_| ()), SECRET);
    assert!(keyring(&[old, new]).verify(&token, NOW, Expiry::Enforced).is_ok());
    assert_eq!(keyring(&[new]).verify(&token, NOW, Expiry::Enforced).unwrap_err().code(), ErrorCode::TokenKeyUnknown);
    let swapped = forge(r#"{"alg":"HS256","kid":"k2"}"#, &claims(|_| ()), SECRET);
    assert_eq!(keyring(&[old, new]).verify(&swapped, NOW, Expiry::Enforced).unwrap_err().code(), ErrorCode::TokenInvalid);
}

#[test]
fn what_is_minted_is_accepted_until_it_expires() {
    let key = Key { id: "k1".to_owned(), secret: SECRET.to_owned() };
    let grants = Grants {
        room: "lobby".to_owned(),
        identity: "bob".to_owned(),
        name: None,
        role: Some("admin".to_owned()),
        permissions: Permissions { publish: false, subscribe: true, publish_data: true, moderate: false },
        mode: Some(ModePolicy::Auto),
        policy: None,
        max_participants: Some(2),
        ttl: Duration::from_secs(60),
    };
    let claims = grants.clone().claims(NOW).unwrap();
    let token = mint(&key, &claims).unwrap();
    assert_eq!(verdict(&token), Ok(claims));
    let later = NOW + Duration::from_secs(60) + LEEWAY;
    let fault = keyring(&[("k1", SECRET)]).verify(&token, later, Expiry::Enforced).unwrap_err();
    assert_eq!(fault, TokenFault::Expired(LEEWAY));
    assert!(Grants { ttl: Duration::ZERO, ..grants.clone() }.claims(NOW).is_err());
    assert!(Grants { room: String::new(), ..grants }.claims(NOW).is_err());
}

#[test]
fn faults_say_when_to_come_back() {
    let info = TokenFault::NotYetValid(Duration::from_secs(90)).info();
    assert_eq!((info.retryable, info.retry_after_ms), (true, Some(90_000)));
    assert!(info.message.contains("1m 30s"), "{}", info.message);
}
