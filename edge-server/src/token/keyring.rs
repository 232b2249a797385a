//! The keys of this edge, and what is done with them.

use super::{Claims, LEEWAY, LONGEST_TOKEN, TokenFault};
use crate::config::Config;
use crate::config::keys::Key;
use core::time::Duration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use std::collections::BTreeMap;

/// Whether a token past its `exp` is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expiry {
    /// Refused: somebody wants to enter.
    Enforced,
    /// Accepted: somebody wants to go on with a session whose secret they hold. `exp` limits entering, not staying: a call may
    /// outlive its token, and a lost WebSocket must not end it. How long a session can be resumed is bounded by its own window.
    Waived,
}

/// All keys by id.
pub struct Keyring {
    keys: BTreeMap<String, DecodingKey>,
}

impl Keyring {
    /// The configured keys, and in development the development key.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let development = config.dev.0.then(Key::development);
        let keys = config.keys.iter().cloned().chain(development);
        Self { keys: keys.map(|key| (key.id, DecodingKey::from_secret(key.secret.as_bytes()))).collect() }
    }

    /// Verifies `token` at time `now` (since 1970).
    ///
    /// # Errors
    /// Why it is refused; nothing in it is to be believed then.
    pub fn verify(&self, token: &str, now: Duration, expiry: Expiry) -> Result<Claims, TokenFault> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenFault::Invalid(format!("it has {} bytes, more than {LONGEST_TOKEN}", token.len())));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| not_a_token())?;
        if header.alg != Algorithm::HS256 {
            return Err(TokenFault::Invalid(format!("it is signed with {:?}; sign with HS256", header.alg)));
        }
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: extensions named there must be understood, and we understand none.
            return Err(TokenFault::Invalid("its header has \"crit\", which is not supported; leave it out".to_owned()));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, self.key(header.kid.as_deref())?, &validation).map_err(explain)?.claims;
        let claims = claims.check()?;
        if let Some(nbf) = claims.nbf.map(Duration::from_secs).filter(|nbf| *nbf > now.saturating_add(LEEWAY)) {
            return Err(TokenFault::NotYetValid(whole_seconds(nbf.saturating_sub(now))));
        }
        let exp = Duration::from_secs(claims.exp);
        if expiry == Expiry::Enforced && exp.saturating_add(LEEWAY) <= now {
            return Err(TokenFault::Expired(whole_seconds(now.saturating_sub(exp))));
        }
        Ok(claims)
    }

    fn key(&self, id: Option<&str>) -> Result<&DecodingKey, TokenFault> {
        let Some(id) = id else {
            let mut keys = self.keys.values();
            return match (keys.next(), keys.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(TokenFault::KeyUnknown("the token's header has no key id and this edge has several keys; set \"kid\"".to_owned())),
            };
        };
        self.keys.get(id).ok_or_else(|| {
            let shown: String = id.chars().filter(|character| !character.is_control()).take(64).collect();
            TokenFault::KeyUnknown(format!("the token's key id {shown:?} is none of this edge's; sign with a current key"))
        })
    }
}

/// Signs `claims` with `key`.
///
/// # Errors
/// Never with the HMAC keys that [`Key`] holds; the type can't say so.
pub fn mint(key: &Key, claims: &Claims) -> Result<String, TokenFault> {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.id.clone());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.secret.as_bytes()))
        .map_err(|error| TokenFault::Invalid(format!("it could not be signed: {error}")))
}

fn not_a_token() -> TokenFault {
    TokenFault::Invalid("it is not a JWT whose header names an algorithm we know; mint it as docs/tokens.md says, with HS256".to_owned())
}

fn explain(error: jsonwebtoken::errors::Error) -> TokenFault {
    use jsonwebtoken::errors::ErrorKind;
    TokenFault::Invalid(match error.kind() {
        ErrorKind::InvalidSignature => "its signature is wrong: another secret, or the token was changed on the way".to_owned(),
        // Only reached behind a good signature, so the words are about our own application's claims.
        ErrorKind::Json(error) => format!("its claims could not be read: {error}"),
        _ => "it is not three parts of base64url with a dot between".to_owned(),
    })
}

/// People don't read nanoseconds.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}
