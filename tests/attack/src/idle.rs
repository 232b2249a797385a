//! What WebSockets cost that say nothing: memory of the edge, and a share of its core for pings.

use nearcast_load::LoadError;
use nearcast_load::process::{cpu_time, resident_kb};
use nearcast_load::server::{NearcastEdge, Server, target_folder};
use nearcast_protocol::SUBPROTOCOL_JSON;
use serde::Serialize;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Idle {
    /// WebSockets that were open, each of somebody who has joined.
    pub open: usize,
    /// Resident memory of the edge for each, in kB of 1,024 bytes.
    pub kb_each: f64,
    /// Share of one core.
    pub cpu: f64,
}

/// Opens `count` WebSockets, joins with each (fifty to a room), and watches the edge for `length`.
///
/// # Errors
/// Too few descriptors, or the edge refuses.
pub fn measure(binary: &Path, count: usize, length: Duration) -> Result<Idle, LoadError> {
    let doing = "opening idle WebSockets (both sides need descriptors: ulimit -n)";
    raise_descriptors();
    let flags = ["--max-connections", "20000", "--ping-interval", "10s", "--idle-timeout", "5m", "--join-timeout", "5m"];
    let edge = NearcastEdge::start(binary, 1, None, target_folder().join("attack/idle-edge.log"), &flags)?;
    let mut sockets: Vec<TcpStream> = Vec::with_capacity(count);
    let before = resident_kb(edge.pid())?;
    for number in 0..count {
        let mut stream = TcpStream::connect(edge.http()).map_err(LoadError::system(doing))?;
        let request = format!(
            "GET /v1/signal HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {SUBPROTOCOL_JSON}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).map_err(LoadError::system(doing))?;
        let mut head = [0; 1_024];
        let length = stream.read(&mut head).map_err(LoadError::system(doing))?;
        if !head[..length].starts_with(b"HTTP/1.1 101") {
            return Err(LoadError::refused(doing, String::from_utf8_lossy(&head[..length])));
        }
        let token = edge.token(&format!("idle-{}", number / 50), &format!("somebody-{number}"))?;
        let join = format!(r#"{{"id":1,"type":"join","token":"{token}"}}"#);
        let masked = [&[0x81, 0xfe][..], &(join.len() as u16).to_be_bytes(), &[0; 4], join.as_bytes()].concat();
        stream.write_all(&masked).map_err(LoadError::system(doing))?;
        stream.set_nonblocking(true).map_err(LoadError::system(doing))?;
        sockets.push(stream);
    }
    let settle = Duration::from_secs(2);
    std::thread::sleep(settle);
    drain(&mut sockets);
    let (cpu, memory) = (cpu_time(edge.pid())?, resident_kb(edge.pid())?);
    std::thread::sleep(length);
    let used = cpu_time(edge.pid())?.since(&cpu).ran;
    Ok(Idle { open: count, kb_each: memory.saturating_sub(before) as f64 / count as f64, cpu: used.as_secs_f64() / length.as_secs_f64() })
}

/// Reads what waits, so that nobody is taken for a slow reader.
fn drain(sockets: &mut [TcpStream]) {
    let mut buffer = [0; 65_536];
    for socket in sockets {
        while matches!(socket.read(&mut buffer), Ok(1..)) {}
    }
}

fn raise_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // What isn't granted shows when a socket can't be opened.
        let _granted = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
