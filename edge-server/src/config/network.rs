//! Ways in besides UDP: TCP ports, certificates.

use super::values::{Listen, Setting};
use std::net::SocketAddr;
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
