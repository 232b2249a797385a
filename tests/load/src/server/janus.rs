//! Janus with its VideoRoom plugin, as Debian packages it: installed if it is missing and may be, configured in a folder of its own.
//!
//! Janus takes no loopback interface, so it gets a network namespace with an interface that is none: the calling thread moves there
//! ([`Janus::start`]), and everything it starts or opens from then on is there too. Packets between two addresses of one machine
//! take the loopback device all the same, so the path is the edge's. The namespace ends with its last process and socket.
//!
//! Settings: the package's defaults, without plugins and transports that nobody uses here. Its clients' feedback is switched on.

mod api;
mod package;

pub use package::{Installed, NoJanus};

use super::process::ServerProcess;
use super::{Admitted, Counters, Host, Invitation, Server};
use crate::LoadError;
use crate::client::Offer;
use crate::media::Codec;
use crate::signalling::Signalling;
use api::Handle;
use serde_json::json;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Janus's address in its namespace; documentation's own range (RFC 5737), so that nothing real is hidden.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Of its WebSocket transport: nobody else is in its namespace.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8188);

/// What it says when its WebSocket transport is up, which it loads last.
const READY: &str = "JANUS WebSockets transport plugin initialized!";

/// A running Janus.
#[derive(Debug)]
pub struct Janus {
    process: ServerProcess,
    folder: PathBuf,
    codec: Codec,
    rooms: RefCell<HashMap<String, Room>>,
}

#[derive(Debug, Default)]
struct Room {
    number: usize,
    /// Who publishes, and as which feed.
    feeds: Vec<(String, u64)>,
}

impl Janus {
    /// Moves the calling thread into a network namespace of its own, and starts Janus there, on `core` when one is given.
    ///
    /// # Errors
    /// No right to make a namespace, or it doesn't get ready.
    pub fn start(found: &Installed, codec: Codec, core: Option<usize>, log: PathBuf) -> Result<Self, LoadError> {
        package::enter_namespace(ADDRESS)?;
        let folder = std::env::temp_dir().join(format!("nearcast-janus-{}", std::process::id()));
        package::configure(found, ADDRESS, API, &folder)?;
        let mut command = Command::new(&found.program);
        command.arg("--configs-folder").arg(&folder);
        let (process, ()) = ServerProcess::start(command, core, log, |line| line.contains(READY).then_some(()))?;
        Ok(Self { process, folder, codec, rooms: RefCell::default() })
    }

    /// The number of a room, made when it is new.
    fn room(&self, name: &str) -> Result<usize, LoadError> {
        if let Some(room) = self.rooms.borrow().get(name) {
            return Ok(room.number);
        }
        let number = self.rooms.borrow().len() + 1;
        let create = json!({
            "request": "create", "room": number, "publishers": 100, "bitrate": 0, "audiocodec": "opus",
            "videocodec": self.codec.name(), "audiolevel_ext": true, "transport_wide_cc_ext": true,
        });
        Handle::open(API)?.request(&create, None)?;
        self.rooms.borrow_mut().insert(name.to_owned(), Room { number, feeds: Vec::new() });
        Ok(number)
    }
}

impl Server for Janus {
    fn name(&self) -> &'static str {
        "janus"
    }

    fn pid(&self) -> u32 {
        self.process.pid()
    }

    fn log(&self) -> &Path {
        self.process.log()
    }

    fn address(&self) -> IpAddr {
        ADDRESS.into()
    }

    fn admit(&self, room: &str, identity: &str, offer: &Offer) -> Result<Admitted, LoadError> {
        let number = self.room(room)?;
        let mut handle = Handle::open(API)?;
        let join = json!({ "request": "join", "ptype": "publisher", "room": number, "display": identity });
        let joined = handle.request(&join, None)?;
        let refuse = |why: &str| LoadError::refused("joining Janus's room", why);
        let feed = joined.data.get("id").and_then(serde_json::Value::as_u64).ok_or_else(|| refuse("it gives no id"))?;
        let published = handle.request(&json!({ "request": "publish" }), Some(("offer", &offer.sdp)))?;
        let answer = published.description.ok_or_else(|| refuse("the offer was not answered"))?;
        if let Some(room) = self.rooms.borrow_mut().get_mut(room) {
            room.feeds.push((identity.to_owned(), feed));
        }
        Ok(Admitted { answer, signalling: handle.into_signalling()? })
    }

    fn wants_best_first(&self) -> bool {
        true
    }

    fn invites(&self) -> bool {
        true
    }

    fn invite(&self, room: &str, identity: &str) -> Result<Invitation, LoadError> {
        let number = self.room(room)?;
        let streams: Vec<_> = self
            .rooms
            .borrow()
            .get(room)
            .iter()
            .flat_map(|room| &room.feeds)
            .filter(|(publisher, _)| publisher != identity)
            .map(|(_, feed)| json!({ "feed": feed }))
            .collect();
        let mut handle = Handle::open(API)?;
        let join = json!({ "request": "join", "ptype": "subscriber", "room": number, "streams": streams });
        let attached = handle.request(&join, None)?;
        let offer = attached.description.ok_or_else(|| LoadError::refused("subscribing at Janus", "it offers nothing"))?;
        Ok(Invitation { offer, host: Box::new(handle) })
    }

    fn counters(&self) -> Result<Option<Counters>, LoadError> {
        Ok(None)
    }
}

impl Host for Handle {
    fn answered(mut self: Box<Self>, answer: &str) -> Result<Box<dyn Signalling>, LoadError> {
        self.request(&json!({ "request": "start" }), Some(("answer", answer)))?;
        self.into_signalling()
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        // What is left lies in the system's folder for what may go.
        let _left = std::fs::remove_dir_all(&self.folder);
    }
}
