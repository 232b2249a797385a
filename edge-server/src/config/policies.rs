//! Named forwarding policies: who gets what from whom, by role. Tokens name one (`policy`).

use super::values::Setting;
use sfu_core::ForwardingPolicy;
use std::sync::Arc;

/// Policies at once. Guess: one for each kind of room that an application has; a longer list is a mistake.
const MOST: usize = 64;

/// All policies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies(Vec<Arc<ForwardingPolicy>>);

impl Policies {
    /// The policy of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<ForwardingPolicy>> {
        self.0.iter().find(|policy| policy.name() == name)
    }
}

impl Setting for Policies {
    fn parse(text: &str) -> Result<Self, String> {
        let mut policies = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, clauses)) = part.split_once('=') else {
                return Err(format!("has {part:?}, which names no policy; write NAME=ROLES: audio video; …"));
            };
            let (name, clauses) = (name.trim(), clauses.trim());
            let plain = |character: char| character.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&character);
            if !name.chars().all(plain) {
                return Err(format!("has the policy name {name:?}; use 1 to 64 letters, digits, `.`, `_`, `-`"));
            }
            if policies.named(name).is_some() {
                return Err(format!("has the policy {name:?} twice; give each its own name"));
            }
            let policy = ForwardingPolicy::parse(name, clauses).map_err(|error| format!("has a fault in {error}"))?;
            policies.0.push(Arc::new(policy));
        }
        if policies.0.len() > MOST {
            return Err(format!("has {} policies, more than {MOST}", policies.0.len()));
        }
        Ok(policies)
    }

    fn text(&self) -> String {
        self.0.iter().map(|policy| format!("{}={}", policy.name(), policy.text())).collect::<Vec<_>>().join(",")
    }

    fn toml(&self) -> String {
        let entries: Vec<_> = self.0.iter().map(|policy| format!("{:?} = {:?}", policy.name(), policy.text())).collect();
        if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
    }
}
