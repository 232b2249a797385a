//! A TUN device in somebody else's network namespace.

use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;
use tun_rs::{DeviceBuilder, SyncDevice};

/// A network namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Namespace(PathBuf);

/// `NAME` of `ip netns`, `pid:1234` for that of a process, or a path with a slash in it.
impl FromStr for Namespace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = match text.strip_prefix("pid:") {
            Some(pid) => format!("/proc/{}/ns/net", pid.parse::<u32>().map_err(|error| format!("{pid} is no process id: {error}"))?),
            None if text.contains('/') => text.to_owned(),
            None if text.is_empty() => return Err("a namespace has a name".to_owned()),
            None => format!("/run/netns/{text}"),
        };
        Ok(Self(PathBuf::from(path)))
    }
}

/// An IPv4 address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Address {
    ip: Ipv4Addr,
    prefix: u8,
}

/// `10.78.0.1/24`.
impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no address such as 10.78.0.1/24");
        let (ip, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or_else(wrong)?;
        Ok(Self { ip: ip.parse().map_err(|_| wrong())?, prefix })
    }
}

/// Why there is no device.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The namespace could not be entered.
    #[error("can't enter {}: {why}. Remedy: run as root (CAP_SYS_ADMIN), and name a namespace that exists", .namespace.display())]
    Enter {
        /// Which.
        namespace: PathBuf,
        /// As the kernel says.
        why: io::Error,
    },
    /// The device could not be made.
    #[error(
        "no TUN device in {}: {why}. Remedy: CAP_NET_ADMIN, and /dev/net/tun (modprobe tun; in a container: --device /dev/net/tun)",
        .namespace.display()
    )]
    Open {
        /// In which namespace.
        namespace: PathBuf,
        /// As the kernel says.
        why: io::Error,
    },
}

/// Opens a TUN device of this name in `namespace`, gives it `address` and switches it on. It vanishes when it is dropped.
///
/// # Errors
/// The namespace can't be entered, or the device not be made.
pub fn open(namespace: &Namespace, name: &str, address: Address) -> Result<SyncDevice, DeviceError> {
    // A thread is moved into a namespace alone and for good, so it is one that ends afterwards. The device stays where it was made.
    std::thread::scope(|scope| scope.spawn(|| open_here(namespace, name, address)).join())
        .unwrap_or_else(|_| Err(DeviceError::Open { namespace: namespace.0.clone(), why: io::Error::other("the thread panicked") }))
}

fn open_here(Namespace(path): &Namespace, name: &str, address: Address) -> Result<SyncDevice, DeviceError> {
    let enter = |why| DeviceError::Enter { namespace: path.clone(), why };
    setns(File::open(path).map_err(enter)?, CloneFlags::CLONE_NEWNET).map_err(|error| enter(error.into()))?;
    let device = DeviceBuilder::new().name(name).ipv4(address.ip, address.prefix, None).mtu(1500).enable(true).build_sync();
    device
        .and_then(|device| device.set_nonblocking(true).map(|()| device))
        .map_err(|why| DeviceError::Open { namespace: path.clone(), why })
}
