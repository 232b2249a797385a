//! One way through the link: what goes in comes out later, or never.

use crate::settings::Settings;
use serde::Serialize;
use std::time::Instant;
use str0m_netem::{Input, Netem, Output};

/// Packets under way at once. 3 s of 50 Mbit/s in full packets; more would only be memory.
const MOST_UNDER_WAY: usize = 12_500;

/// What became of the packets of one direction since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Packets that were sent into it.
    pub sent: u64,
    /// Packets that came out, doubles included.
    pub arrived: u64,
    /// Packets the model lost, at random or because the queue was full.
    pub lost: u64,
    /// Packets that a cut or a block kept back.
    pub refused: u64,
}

pub(crate) struct Direction {
    netem: Netem<Vec<u8>>,
    settings: Settings,
    seed: u64,
    /// Changes so far: the model starts its random numbers anew at each, and must not repeat the same ones.
    changes: u64,
    pub(crate) counts: Counts,
}

impl Direction {
    pub(crate) fn new(seed: u64) -> Self {
        let settings = Settings::default();
        Self { netem: Netem::new(settings.config(seed)), settings, seed, changes: 0, counts: Counts::default() }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Applies to packets sent from now on; those under way keep their times.
    pub(crate) fn set(&mut self, settings: Settings) {
        // Setting the same once more must not disturb a burst of losses.
        if settings == self.settings {
            return;
        }
        self.changes = self.changes.wrapping_add(1);
        self.settings = settings;
        self.netem.set_config(settings.config(self.seed.wrapping_add(self.changes.wrapping_mul(GOLDEN))));
    }

    pub(crate) fn send(&mut self, now: Instant, packet: Vec<u8>) {
        let before = self.netem.queue_len();
        if before < MOST_UNDER_WAY {
            self.netem.handle_input(Input::Packet(now, packet));
        }
        if self.netem.queue_len() == before {
            self.counts.lost += 1;
        }
    }

    /// The next packet that is due.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.next_due()? > now {
            return None;
        }
        self.netem.handle_input(Input::Timeout(now));
        match self.netem.poll_output()? {
            Output::Packet(packet) => Some(packet),
            Output::Timeout(_) => None,
        }
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        (!self.netem.is_empty()).then(|| self.netem.poll_timeout())
    }
}

/// 2^64 divided by the golden ratio: multiples of it lie far apart.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
