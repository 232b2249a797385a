//! The types of the settings. The parser of each is its validator; a refusal says what is allowed and what to do.

use super::servers::{Endpoint, StunServers};
use sfu_core::ModePolicy;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::time::Duration;

/// A value that can be written in a flag, an environment variable or the file.
pub trait Setting: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong and the remedy, to be put behind the key and the value: `is …; …`.
    fn parse(text: &str) -> Result<Self, String>;

    /// Writes it so that [`Setting::parse`] reads the same.
    fn text(&self) -> String;

    /// Writes it as a TOML value.
    fn toml(&self) -> String {
        format!("{:?}", self.text())
    }

    /// The value may be shown in messages and logs.
    const PUBLIC: bool = true;
}

/// An address to bind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listen(pub SocketAddr);

impl Setting for Listen {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            if text.parse::<u16>().is_ok() {
                format!("has a port but no address; write [::]:{text}")
            } else if text.parse::<IpAddr>().is_ok() {
                "has an address but no port; write IP:PORT, such as 0.0.0.0:8080 or [::]:8080".to_owned()
            } else {
                "is not IP:PORT, such as 0.0.0.0:8080 or [::]:8080 (names are not resolved)".to_owned()
            }
        })
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Addresses to put into answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Announce(
    /// The addresses.
    pub Vec<IpAddr>,
    /// STUN servers that are asked for others.
    pub Vec<Endpoint>,
);

impl Announce {
    /// Guess: more candidates only slow down connectivity checks; a host with more interfaces should name those that matter.
    pub const MOST: usize = 16;

    fn words(&self) -> impl Iterator<Item = String> {
        let servers = self.1.iter().map(|Endpoint { host, port, .. }| format!("stun:{host}:{port}"));
        self.0.iter().map(ToString::to_string).chain(servers)
    }
}

impl Setting for Announce {
    fn parse(text: &str) -> Result<Self, String> {
        let mut addresses = Vec::new();
        let mut servers = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part.starts_with("stun:") {
                StunServers::parse(part)?;
                servers.extend(Endpoint::of(&[part.to_owned()]));
                continue;
            }
            let address: IpAddr = part.parse().map_err(|_| {
                if part.parse::<SocketAddr>().is_ok() {
                    format!("has a port in {part:?}; give the address alone, the port is that of `udp`")
                } else {
                    format!("has {part:?}, which is not an IP address (names are not resolved); stun:HOST:PORT would ask a STUN server")
                }
            })?;
            if address.is_unspecified() || address.is_multicast() {
                return Err(format!("has {address}, which no browser can send to; give addresses that are reachable from outside"));
            }
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.len() + servers.len() > Self::MOST {
            let all = addresses.len() + servers.len();
            return Err(format!("has {all} addresses, more than {}; keep those that browsers can reach", Self::MOST));
        }
        Ok(Self(addresses, servers))
    }

    fn text(&self) -> String {
        self.words().collect::<Vec<_>>().join(",")
    }

    fn toml(&self) -> String {
        let quoted: Vec<_> = self.words().map(|word| format!("\"{word}\"")).collect();
        format!("[{}]", quoted.join(", "))
    }
}

/// How many media threads: none for one per core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shards(pub Option<NonZeroU8>);

impl Shards {
    /// The number for a machine with `cores`.
    #[must_use]
    pub fn on(self, cores: usize) -> NonZeroU8 {
        self.0.unwrap_or_else(|| u8::try_from(cores).ok().and_then(NonZeroU8::new).unwrap_or(NonZeroU8::MAX))
    }
}

impl Setting for Shards {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self(None));
        }
        let count = text.parse::<u64>().map_err(|_| "is neither a number from 1 to 255 nor \"auto\"".to_owned())?;
        let count = u8::try_from(count).ok().and_then(NonZeroU8::new);
        count.map(|count| Self(Some(count))).ok_or_else(|| "is outside 1 to 255; write \"auto\" for one per core".to_owned())
    }

    fn text(&self) -> String {
        self.0.map_or_else(|| "auto".to_owned(), |count| count.to_string())
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Switch(pub bool);

impl Setting for Switch {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" | "yes" | "on" => Ok(Self(true)),
            "false" | "0" | "no" | "off" => Ok(Self(false)),
            _ => Err("is neither true nor false".to_owned()),
        }
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn toml(&self) -> String {
        self.text()
    }
}

/// A whole number from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded<const LEAST: u64, const MOST: u64>(pub u64);

impl<const LEAST: u64, const MOST: u64> Bounded<LEAST, MOST> {
    /// As a length; all bounds in use fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const LEAST: u64, const MOST: u64> Setting for Bounded<LEAST, MOST> {
    fn parse(text: &str) -> Result<Self, String> {
        let number = text.parse::<u64>().map_err(|_| format!("is not a whole number from {LEAST} to {MOST}"))?;
        if (LEAST..=MOST).contains(&number) { Ok(Self(number)) } else { Err(format!("is outside {LEAST} to {MOST}")) }
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn toml(&self) -> String {
        self.text()
    }
}

/// A length of time from `LEAST` to `MOST` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Period<const LEAST: u64, const MOST: u64>(pub Duration);

impl<const LEAST: u64, const MOST: u64> Setting for Period<LEAST, MOST> {
    fn parse(text: &str) -> Result<Self, String> {
        let (least, most) = (Duration::from_millis(LEAST), Duration::from_millis(MOST));
        let period = humantime::parse_duration(text).map_err(|_| {
            if text.parse::<f64>().is_ok() {
                format!("has no unit; write {text}s, {text}ms or {text}m")
            } else {
                "is not a time such as 10s, 500ms or 2m".to_owned()
            }
        })?;
        if (least..=most).contains(&period) {
            Ok(Self(period))
        } else {
            Err(format!("is outside {} to {}", humantime::format_duration(least), humantime::format_duration(most)))
        }
    }

    fn text(&self) -> String {
        humantime::format_duration(self.0).to_string()
    }
}

/// Which events are logged.
#[derive(Clone, Debug)]
pub struct LogFilter {
    /// As written.
    pub text: String,
    /// As applied.
    pub targets: tracing_subscriber::filter::Targets,
}

impl Setting for LogFilter {
    fn parse(text: &str) -> Result<Self, String> {
        let targets = text.parse().map_err(|_| {
            "is not a log filter; write a level (off, error, warn, info, debug, trace) or module=level, comma-separated".to_owned()
        })?;
        // A lone word that isn't a level would be taken for a module and turn everything on.
        let level = |word: &str| ["off", "error", "warn", "info", "debug", "trace"].contains(&word.to_ascii_lowercase().as_str());
        match text.split(',').map(str::trim).find(|part| !part.contains('=') && !level(part)) {
            Some(word) => Err(format!("has {word:?}, which is no level; levels are off, error, warn, info, debug, trace")),
            None => Ok(Self { text: text.to_owned(), targets }),
        }
    }

    fn text(&self) -> String {
        self.text.clone()
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Setting for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("is neither human nor json".to_owned()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Human => "human".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}

/// How a room's media goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode(pub ModePolicy);

impl Setting for Mode {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self(ModePolicy::Auto)),
            "sfu" => Ok(Self(ModePolicy::Sfu)),
            "p2p" => Ok(Self(ModePolicy::P2p)),
            _ => Err("is none of auto, sfu, p2p".to_owned()),
        }
    }

    fn text(&self) -> String {
        match self.0 {
            ModePolicy::Auto => "auto".to_owned(),
            ModePolicy::Sfu => "sfu".to_owned(),
            ModePolicy::P2p => "p2p".to_owned(),
        }
    }
}
