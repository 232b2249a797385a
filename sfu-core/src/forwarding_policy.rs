//! Who gets what from whom, by role: in an arena, say, sound is for judges and players, and the audience sees only.
//!
//! A policy is written in one line, which is all there is to it: `judge player: audio video; audience: video from player`. What no clause grants isn't
//! forwarded. Not here: where it is enforced (`shard::forwarding`).

use std::fmt;

/// Clauses of one policy.
const MOST_CLAUSES: usize = 32;

/// Roles of one clause, on either side.
const MOST_ROLES: usize = 32;

/// Bytes of a policy.
const LONGEST: usize = 4_096;

/// A named set of rules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForwardingPolicy {
    name: String,
    text: String,
    clauses: Vec<Clause>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Clause {
    to: Vec<Role>,
    /// Empty: from everybody.
    from: Vec<Role>,
    audio: bool,
    video: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Role {
    /// Everybody, also who has no role.
    Any,
    Named(String),
}

/// Why a text is no policy; says what to write instead.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

impl ForwardingPolicy {
    /// Reads `ROLES: audio video [from ROLES]; …`. Roles are separated by spaces; `*` is everybody, with a role or without;
    /// `nothing` instead of audio and video grants nothing. Clauses add up.
    ///
    /// # Errors
    /// What is wrong, where, and what to write instead.
    pub fn parse(name: &str, text: &str) -> Result<Self, PolicyError> {
        let wrong = |why: String| PolicyError(format!("policy {name:?}: {why}"));
        if name.is_empty() || name.len() > 64 {
            return Err(wrong("a name has 1 to 64 bytes".to_owned()));
        }
        if text.len() > LONGEST {
            return Err(wrong(format!("more than {LONGEST} bytes")));
        }
        let clauses = text.split(';').map(str::trim).filter(|clause| !clause.is_empty()).map(Clause::parse);
        let clauses = clauses.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        match clauses.len() {
            0 => Err(wrong("no clause; write for instance \"judge: audio video; audience: video\"".to_owned())),
            count if count > MOST_CLAUSES => Err(wrong(format!("more than {MOST_CLAUSES} clauses"))),
            _ => Ok(Self { name: name.to_owned(), text: text.to_owned(), clauses }),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether somebody of the role `to` gets the picture (`video`) or the sound of somebody of the role `from`.
    #[must_use]
    pub fn allows(&self, to: Option<&str>, from: Option<&str>, video: bool) -> bool {
        self.clauses.iter().any(|clause| {
            let kind = if video { clause.video } else { clause.audio };
            kind && matches(&clause.to, to) && (clause.from.is_empty() || matches(&clause.from, from))
        })
    }
}

impl fmt::Display for ForwardingPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Clause {
    fn parse(text: &str) -> Result<Self, String> {
        let shape = || format!("{text:?} is no clause; write ROLES: audio video, perhaps with `from ROLES` behind it");
        let (to, rest) = text.split_once(':').ok_or_else(shape)?;
        let to = roles(to)?;
        let mut words = words(rest);
        let mut clause = Self { to, from: Vec::new(), audio: false, video: false };
        let mut granted = false;
        while let Some(word) = words.next() {
            match word {
                "audio" => clause.audio = true,
                "video" => clause.video = true,
                "nothing" => {}
                "from" if granted => {
                    clause.from = roles(&words.collect::<Vec<_>>().join(" "))?;
                    if clause.from.is_empty() {
                        return Err(format!("{text:?} names nobody behind `from`"));
                    }
                    break;
                }
                other => return Err(format!("{other:?} in {text:?} is neither audio, video nor nothing")),
            }
            granted = true;
        }
        if clause.to.is_empty() || !granted {
            return Err(shape());
        }
        Ok(clause)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace()
}

fn roles(text: &str) -> Result<Vec<Role>, String> {
    let roles: Vec<_> = words(text).map(|word| if word == "*" { Role::Any } else { Role::Named(word.to_owned()) }).collect();
    if roles.len() > MOST_ROLES { Err(format!("more than {MOST_ROLES} roles in one clause")) } else { Ok(roles) }
}

fn matches(roles: &[Role], role: Option<&str>) -> bool {
    roles.iter().any(|known| match known {
        Role::Any => true,
        Role::Named(name) => Some(name.as_str()) == role,
    })
}

#[cfg(test)]
mod tests;
