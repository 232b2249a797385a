//! The loop: packets from both devices, commands from standard input, and the clock.

use crate::command::obey;
use crate::link::{Link, Way};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use nix::unistd::read;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Instant;
use tun_rs::SyncDevice;

/// Largest packet a device of ours gives.
const LARGEST_PACKET: usize = 2048;
/// Packets taken from one device before the others have their turn.
const BATCH: usize = 64;
/// A longer line is no command.
const LONGEST_LINE: usize = 16 * 1024;

/// Carries packets between `near` and `far` until standard input ends. `out` gets `{"ready":true}` and one line a command.
///
/// # Errors
/// A device, standard input or `out` failed.
pub fn run(mut link: Link, near: &SyncDevice, far: &SyncDevice, input: impl AsFd, mut out: impl Write) -> io::Result<()> {
    let mut lines = Lines::default();
    say(&mut out, r#"{"ready":true}"#)?;
    loop {
        let now = Instant::now();
        deliver(&mut link, now, Way::Up, far)?;
        deliver(&mut link, now, Way::Down, near)?;
        let wait = link.next_due().map(|due| TimeSpec::from(due.saturating_duration_since(now)));
        let mut sources = [PollFd::new(near.as_fd(), READ), PollFd::new(far.as_fd(), READ), PollFd::new(input.as_fd(), READ)];
        match ppoll(&mut sources, wait, None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [from_near, from_far, from_input] = sources.map(|source| source.any().unwrap_or(false));
        if from_near {
            take(&mut link, Way::Up, near)?;
        }
        if from_far {
            take(&mut link, Way::Down, far)?;
        }
        if from_input {
            let mut chunk = [0; 4096];
            let length = read(input.as_fd(), &mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            for line in lines.push(chunk.get(..length).unwrap_or_default()) {
                say(&mut out, &obey(&mut link, &line))?;
            }
        }
    }
}

const READ: PollFlags = PollFlags::POLLIN;

fn say(out: &mut impl Write, line: &str) -> io::Result<()> {
    writeln!(out, "{line}")?;
    out.flush()
}

fn take(link: &mut Link, way: Way, device: &SyncDevice) -> io::Result<()> {
    for _ in 0..BATCH {
        let mut packet = [0; LARGEST_PACKET];
        match device.recv(&mut packet) {
            Ok(length) => link.send(Instant::now(), way, packet.get(..length).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn deliver(link: &mut Link, now: Instant, way: Way, device: &SyncDevice) -> io::Result<()> {
    while let Some(packet) = link.arrived(now, way) {
        match device.send(&packet) {
            // What the receiving kernel has no room for, or doesn't want while the device is down, is lost there.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(nix::libc::EIO) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Puts lines together from the pieces that arrive.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => whole.push(String::from_utf8_lossy(&std::mem::take(&mut self.begun)).into_owned()),
                // Cut short, it is no JSON and is refused as such.
                _ if self.begun.len() < LONGEST_LINE => self.begun.push(*byte),
                _ => {}
            }
        }
        whole
    }
}
