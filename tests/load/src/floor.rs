//! The floor: what sealing and sending alone cost here and now.
//!
//! For every packet of the same recording, at the same times, to as many sockets: seal it (AES-GCM as negotiated, a key for each
//! destination) and send it, in runs as long as the server's were (UDP segmentation offload), as many to a system call (`sendmmsg`). No parsing, no rewriting, no copying, no
//! bookkeeping. It runs on the server's core, in turns with the server's windows, so that what else the machine does hits both.

mod batch;
mod plan;
mod sink;

pub use plan::{Burst, Plan, Run};

use crate::client::Socket;
use crate::cpu::Cores;
use crate::delay::Delays;
use crate::server::Cipher;
use crate::{LoadError, cpu};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use batch::{Batch, MOST};
use sink::Sink;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Tag of AES-GCM.
const TAG: usize = 16;

/// Fixed RTP header: what is authenticated but not encrypted.
const HEADER: usize = 12;

/// What a floor cost.
#[derive(Clone, Debug, Default)]
pub struct FloorMeasure {
    /// Datagrams sent.
    pub datagrams: u64,
    /// System calls that sent them.
    pub runs: u64,
    /// CPU time of the thread that did it.
    pub cpu: Duration,
    /// Datagrams that the kernel didn't take.
    pub unsent: u64,
    /// From when a burst was there to be sent until the call that sent a datagram of it returned. No server that seals and sends from one
    /// core delays less: what it has to do besides only comes on top.
    pub delays: Delays,
}

/// To whom the floor sends.
#[derive(Clone, Copy, Debug)]
pub struct Destinations {
    /// Sockets; each gets everything.
    pub count: usize,
    /// They take runs of datagrams as a whole.
    pub runs: bool,
}

/// Runs `plan` once on the server's core, with about `runs_per_call` runs in a system call, to sockets that a thread on the clients'
/// core empties.
///
/// # Errors
/// No sockets, or no thread.
pub fn run(plan: &Plan, cipher: Cipher, destinations: Destinations, runs_per_call: f64, cores: Cores) -> Result<FloorMeasure, LoadError> {
    let sink = Sink::start(destinations, cores.clients)?;
    let addresses = sink.addresses();
    let measured = std::thread::scope(|scope| {
        let measure = || {
            cpu::pin(cores.server)?;
            let mut sender = Sender::new(cipher, addresses, runs_per_call)?;
            sender.send_all(plan)
        };
        scope.spawn(measure).join()
    });
    measured.map_err(|_| LoadError::refused("measuring the floor", "its thread panicked"))?
}

/// Seals and sends.
struct Sender {
    socket: Socket,
    batch: Batch,
    destinations: Vec<(SocketAddr, LessSafeKey)>,
    /// Runs of one call, each in a place of its own.
    buffer: Vec<u8>,
    per_call: usize,
    sent: u64,
    measure: FloorMeasure,
}

impl Sender {
    fn new(cipher: Cipher, addresses: &[SocketAddr], runs_per_call: f64) -> Result<Self, LoadError> {
        let (algorithm, length) = match cipher {
            Cipher::Aes128Gcm => (&AES_128_GCM, 16),
            Cipher::Aes256Gcm => (&AES_256_GCM, 32),
        };
        let key = |address: &SocketAddr| {
            let seed: Vec<u8> = address.port().to_be_bytes().into_iter().cycle().take(length).collect();
            UnboundKey::new(algorithm, &seed).map(|key| (*address, LessSafeKey::new(key)))
        };
        let keys = addresses.iter().map(key).collect::<Result<Vec<_>, _>>();
        let destinations = keys.map_err(|_| LoadError::refused("measuring the floor", "AES-GCM takes no key"))?;
        Ok(Self {
            socket: Socket::open(Ipv4Addr::LOCALHOST.into(), false)?,
            batch: Batch::default(),
            destinations,
            buffer: Vec::new(),
            per_call: (runs_per_call.round().max(1.0) as usize).min(MOST),
            sent: 0,
            measure: FloorMeasure::default(),
        })
    }

    fn send_all(&mut self, plan: &Plan) -> Result<FloorMeasure, LoadError> {
        let (began, used) = (Instant::now(), cpu::thread_time());
        for burst in &plan.bursts {
            let due = began + burst.at;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            for run in &burst.runs {
                self.send(run, due)?;
            }
        }
        self.measure.cpu = cpu::thread_time().saturating_sub(used);
        Ok(std::mem::take(&mut self.measure))
    }

    /// One run, which was there to be sent at `due`, to every destination.
    fn send(&mut self, run: &Run, due: Instant) -> Result<(), LoadError> {
        let Self { socket, batch, destinations, buffer, per_call, sent, measure } = self;
        let length = run.segment * run.segments;
        if buffer.len() < length * *per_call {
            buffer.resize(length * *per_call, 0);
        }
        for group in destinations.chunks(*per_call) {
            for (contents, (_, key)) in buffer.chunks_exact_mut(length).zip(group) {
                for datagram in contents.chunks_exact_mut(run.segment) {
                    *sent += 1;
                    seal(key, *sent, datagram).ok_or_else(|| LoadError::refused("measuring the floor", "AES-GCM fails"))?;
                }
            }
            let runs = group.iter().map(|(address, _)| *address).zip(buffer.chunks_exact(length));
            let taken = batch.send(socket, run.segment, runs)?;
            measure.runs += taken as u64;
            measure.datagrams += (taken * run.segments) as u64;
            measure.unsent += ((group.len() - taken) * run.segments) as u64;
            measure.delays.record_times(due.elapsed(), (taken * run.segments) as u64);
        }
        Ok(())
    }
}

/// Seals everything between header and tag where it lies. What it seals is what the last sealing left there: noise is as good as media.
fn seal(key: &LessSafeKey, number: u64, datagram: &mut [u8]) -> Option<()> {
    let mut nonce = [0; 12];
    nonce.get_mut(4..)?.copy_from_slice(&number.to_be_bytes());
    let (header, sealed) = datagram.split_at_mut_checked(HEADER)?;
    let (body, place) = sealed.split_at_mut_checked(sealed.len().checked_sub(TAG)?)?;
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&*header), body).ok()?;
    place.copy_from_slice(tag.as_ref());
    Some(())
}

#[cfg(test)]
mod tests;
