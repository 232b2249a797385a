//! The keys that tokens are signed with. Secrets are never printed: not in errors, not in logs, not by `nearcast-edge config`.

use super::values::Setting;

/// Id of the key that `--dev` adds.
pub const DEVELOPMENT_KEY_ID: &str = "dev";

/// Secret of the key that `--dev` adds. It is public: whoever reads this page can sign with it, which is what development wants.
pub const DEVELOPMENT_SECRET: &str = "nearcast-development-secret-do-not-use-in-production";

/// Keys at once: two during a rotation, some for separate applications; a longer list is a mistake.
const MOST: usize = 16;

/// HS256 wants a key at least as long as its hash (RFC 7518 §3.2).
const SHORTEST_SECRET: usize = 32;

/// Longer than anything sensible.
const LONGEST_SECRET: usize = 512;

/// A shared secret and its name.
#[derive(Clone, PartialEq)]
pub struct Key {
    /// As in the `kid` of a token's header.
    pub id: String,
    /// What HMAC-SHA256 is keyed with: these bytes as they are, not base64-decoded.
    pub secret: String,
}

impl core::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Key {
    /// The key of `--dev`.
    #[must_use]
    pub fn development() -> Self {
        Self { id: DEVELOPMENT_KEY_ID.to_owned(), secret: DEVELOPMENT_SECRET.to_owned() }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Some((id, secret)) = text.split_once(':') else {
            return Err("has an entry without a colon; write ID:SECRET".to_owned());
        };
        let (id, secret) = (id.trim(), secret.trim());
        let plain = |character: char| character.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&character);
        if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
            return Err(format!("has the key id {id:?}; use 1 to 64 letters, digits, `.`, `_`, `-`"));
        }
        if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.len()) {
            return Err(format!(
                "has a secret of {} bytes for key {id:?}, outside {SHORTEST_SECRET} to {LONGEST_SECRET}; make one: openssl rand -base64 36",
                secret.len()
            ));
        }
        if secret == DEVELOPMENT_SECRET {
            return Err(format!("has the published development secret for key {id:?}; make another: openssl rand -base64 36"));
        }
        Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

/// All keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// None given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }
}

impl Setting for Keys {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let key = Key::parse(part)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(format!("has the key id {:?} twice; give each key its own id", key.id));
            }
            keys.push(key);
        }
        if keys.len() > MOST {
            return Err(format!("has {} keys, more than {MOST}; remove those whose tokens have expired", keys.len()));
        }
        Ok(Self(keys))
    }

    fn text(&self) -> String {
        self.0.iter().map(|key| format!("{}:(secret)", key.id)).collect::<Vec<_>>().join(",")
    }

    fn toml(&self) -> String {
        let entries: Vec<_> = self.0.iter().map(|key| format!("\"{}\" = \"(secret)\"", key.id)).collect();
        if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
    }
}
