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

/// Other edges to link to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelayPeers(pub Vec<String>);

impl RelayPeers {
    /// As many as there may be links.
    pub const MOST: usize = 64;
}

impl Setting for RelayPeers {
    fn parse(text: &str) -> Result<Self, String> {
        let mut peers: Vec<String> = Vec::new();
        for peer in text.split(',').map(str::trim).filter(|peer| !peer.is_empty()) {
            let port = peer.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
            if !port.is_some_and(|(host, port)| port > 0 && Host::parse(host).is_ok_and(|host| host.0.is_some())) {
                return Err(format!("has {peer:?}, which is not HOST:PORT, such as edge-2.example.org:7500 or [2001:db8::7]:7500"));
            }
            if !peers.iter().any(|known| known == peer) {
                peers.push(peer.to_owned());
            }
        }
        if peers.len() > Self::MOST { Err(format!("has {} edges, more than {}", peers.len(), Self::MOST)) } else { Ok(Self(peers)) }
    }

    fn text(&self) -> String {
        self.0.join(",")
    }

    fn toml(&self) -> String {
        let quoted: Vec<_> = self.0.iter().map(|peer| format!("{peer:?}")).collect();
        format!("[{}]", quoted.join(", "))
    }
}

/// What edges know each other by; empty: none. Never printed.
#[derive(Clone, Default, PartialEq)]
pub struct RelaySecret(String);

impl RelaySecret {
    /// Bytes that can't be guessed, even by who tries them at leisure.
    pub const SHORTEST: usize = 32;

    /// In development.
    const WELL_KNOWN: &[u8] = b"nearcast development: everybody knows this";

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// It, or the one that development goes without secrets by.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if self.0.is_empty() { Self::WELL_KNOWN } else { self.0.as_bytes() }
    }
}

impl core::fmt::Debug for RelaySecret {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(if self.0.is_empty() { "RelaySecret(none)" } else { "RelaySecret(secret)" })
    }
}

impl Setting for RelaySecret {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        match text.len() {
            0 | Self::SHORTEST..=512 => Ok(Self(text.to_owned())),
            length => Err(format!("has {length} bytes, not 32 to 512; make one with openssl rand -base64 36")),
        }
    }

    fn text(&self) -> String {
        if self.0.is_empty() { String::new() } else { "(secret)".to_owned() }
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
