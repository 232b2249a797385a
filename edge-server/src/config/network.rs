//! Ways in besides UDP: TCP ports, certificates.

use super::values::{Listen, Setting};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where media is taken over TCP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TcpListen {
    /// At the address and the port of `udp`.
    Same,
    /// Nowhere but where `http` speaks TLS.
    Off,
    /// There.
    At(SocketAddr),
}

impl Setting for TcpListen {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "same" => Ok(Self::Same),
            "off" => Ok(Self::Off),
            _ => Listen::parse(text)
                .map(|listen| Self::At(listen.0))
                .map_err(|fault| format!("{fault}; or write \"same\" for the address and port of udp, or \"off\"")),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Same => "same".to_owned(),
            Self::Off => "off".to_owned(),
            Self::At(address) => address.to_string(),
        }
    }
}

/// A file that is read at start, and again when it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File(pub Option<PathBuf>);

impl Setting for File {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self((!text.is_empty()).then(|| PathBuf::from(text))))
    }

    fn text(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |path| path.to_string_lossy().into_owned())
    }
}

/// Where something is served that is off unless asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Optional(pub Option<SocketAddr>);

impl Setting for Optional {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            _ => Listen::parse(text).map(|listen| Self(Some(listen.0))).map_err(|fault| format!("{fault}; or write \"off\"")),
        }
    }

    fn text(&self) -> String {
        self.0.map_or_else(|| "off".to_owned(), |address| address.to_string())
    }
}

/// A name or an address by which clients reach this edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host(pub Option<String>);

impl Setting for Host {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let name = |text: &str| text.len() <= 253 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let v6 = |text: &str| {
            text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).is_some_and(|text| text.parse::<Ipv6Addr>().is_ok())
        };
        if name(text) || v6(text) {
            Ok(Self(Some(text.to_owned())))
        } else {
            Err("is not a host such as edge.example.org, 203.0.113.7 or [2001:db8::7]; give it without scheme and port".to_owned())
        }
    }

    fn text(&self) -> String {
        self.0.clone().unwrap_or_default()
    }
}
