//! Servers that clients are told of: other edges, STUN, TURN. Nothing here is resolved or contacted.

use super::values::Setting;

/// Servers of one kind. The protocol hands out as many (`Joined::edges`, `Joined::ice_servers`).
pub const MOST_SERVERS: usize = 8;

/// TURN addresses: UDP, TCP and TLS of each server.
const MOST_TURN_ADDRESSES: usize = 3 * MOST_SERVERS;

/// Longest address in bytes: a DNS name has 253.
const LONGEST_ADDRESS: usize = 300;

/// Other edges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edges(pub Vec<String>);

impl Setting for Edges {
    fn parse(text: &str) -> Result<Self, String> {
        list(text, MOST_SERVERS, edge_address).map(Self)
    }

    fn text(&self) -> String {
        self.0.join(",")
    }

    fn toml(&self) -> String {
        array(&self.0)
    }
}

/// This edge as clients reach it; none: not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientUrl(pub Option<String>);

impl Setting for ClientUrl {
    fn parse(text: &str) -> Result<Self, String> {
        list(text, 1, edge_address).map(|addresses| Self(addresses.into_iter().next()))
    }

    fn text(&self) -> String {
        self.0.clone().unwrap_or_default()
    }
}

/// STUN servers (RFC 7064).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StunServers(pub Vec<String>);

impl Setting for StunServers {
    fn parse(text: &str) -> Result<Self, String> {
        list(text, MOST_SERVERS, |address| {
            let rest = address.strip_prefix("stun:").ok_or("does not begin with stun:")?;
            if rest.contains('?') { Err("has a query, which stun: addresses have not") } else { host_and_port(rest) }
        })
        .map(Self)
    }

    fn text(&self) -> String {
        self.0.join(",")
    }

    fn toml(&self) -> String {
        array(&self.0)
    }
}

/// TURN servers (RFC 7065).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnServers(pub Vec<String>);

impl TurnServers {
    /// Addresses by server, in the order given.
    #[must_use]
    pub fn by_server(&self) -> Vec<Vec<String>> {
        let mut servers: Vec<(&str, Vec<String>)> = Vec::new();
        for address in &self.0 {
            let host = host(address);
            match servers.iter_mut().find(|(known, _)| *known == host) {
                Some((_, addresses)) => addresses.push(address.clone()),
                None => servers.push((host, vec![address.clone()])),
            }
        }
        servers.into_iter().map(|(_, addresses)| addresses).collect()
    }
}

impl Setting for TurnServers {
    fn parse(text: &str) -> Result<Self, String> {
        let servers = list(text, MOST_TURN_ADDRESSES, |address| {
            let rest = address.strip_prefix("turn:").or_else(|| address.strip_prefix("turns:"));
            let rest = rest.ok_or("does not begin with turn: or turns:")?;
            let (rest, query) = rest.split_once('?').unwrap_or((rest, "transport=udp"));
            if !["transport=udp", "transport=tcp"].contains(&query) {
                return Err("has a query that is neither ?transport=udp nor ?transport=tcp");
            }
            host_and_port(rest)
        });
        servers.map(Self)
    }

    fn text(&self) -> String {
        self.0.join(",")
    }

    fn toml(&self) -> String {
        array(&self.0)
    }
}

/// What TURN credentials are made with; empty: none. Never printed.
#[derive(Clone, Default, PartialEq)]
pub struct TurnSecret(pub String);

impl core::fmt::Debug for TurnSecret {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(if self.0.is_empty() { "TurnSecret(none)" } else { "TurnSecret(secret)" })
    }
}

impl Setting for TurnSecret {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > 512 { Err("has more than 512 bytes".to_owned()) } else { Ok(Self(text.to_owned())) }
    }

    fn text(&self) -> String {
        if self.0.is_empty() { String::new() } else { "(secret)".to_owned() }
    }
}

fn edge_address(address: &str) -> Result<(), &'static str> {
    let rest = ["https://", "http://", "wss://", "ws://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    let rest = rest.ok_or("does not begin with https:// or wss:// (http:// and ws:// for tests)")?;
    if rest.is_empty() || rest.starts_with('/') { Err("has no host") } else { Ok(()) }
}

fn list(text: &str, most: usize, check: impl Fn(&str) -> Result<(), &'static str>) -> Result<Vec<String>, String> {
    let mut addresses: Vec<String> = Vec::new();
    for address in text.split(',').map(str::trim).filter(|address| !address.is_empty()) {
        if address.len() > LONGEST_ADDRESS || address.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(format!("has an address with blanks or more than {LONGEST_ADDRESS} bytes"));
        }
        check(address).map_err(|problem| format!("has {address:?}, which {problem}"))?;
        if !addresses.iter().any(|known| known == address) {
            addresses.push(address.to_owned());
        }
    }
    if addresses.len() > most { Err(format!("has {} addresses, more than {most}", addresses.len())) } else { Ok(addresses) }
}

fn host_and_port(text: &str) -> Result<(), &'static str> {
    let (host, port) = split_port(text);
    if host.is_empty() || host.contains('/') {
        return Err("has no host; write scheme:HOST or scheme:HOST:PORT, without slashes");
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err("has a port that is not a number from 0 to 65535"),
        _ => Ok(()),
    }
}

/// An IPv6 address in brackets has colons of its own.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// The host of a `turn:` or `turns:` address.
fn host(address: &str) -> &str {
    let rest = address.split_once(':').map_or(address, |(_, rest)| rest);
    split_port(rest.split_once('?').map_or(rest, |(rest, _)| rest)).0
}

fn array(addresses: &[String]) -> String {
    let quoted: Vec<_> = addresses.iter().map(|address| format!("{address:?}")).collect();
    format!("[{}]", quoted.join(", "))
}
