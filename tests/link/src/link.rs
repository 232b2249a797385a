//! Both directions, and what lets nothing through.

use crate::direction::{Counts, Direction};
use crate::packet::udp_ports;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Way {
    /// From the near side, where the client is.
    Up,
    /// From the far side, where the server is.
    Down,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];
}

/// UDP that doesn't get through, in either direction. Everything else does, as through a firewall.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Everything gets through.
    #[default]
    Nothing,
    /// No UDP does.
    Udp,
    /// No UDP from or to this port does.
    UdpPort(u16),
}

impl Block {
    fn holds_back(self, packet: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Udp => udp_ports(packet).is_some(),
            Self::UdpPort(port) => udp_ports(packet).is_some_and(|(from, to)| from == port || to == port),
        }
    }
}

/// Two independent directions. Sans-IO: [`send`](Self::send) packets in, take [`arrived`](Self::arrived) ones until there are
/// none, and come back at [`next_due`](Self::next_due).
///
/// Invariants, each with a test of the same name:
/// * `a_cut_takes_what_is_under_way_too`: as when a cable is pulled;
/// * `directions_are_independent`: settings and random numbers of one don't touch the other;
/// * `the_seed_decides`.
pub struct Link {
    up: Direction,
    down: Direction,
    cut: bool,
    block: Block,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Link").field("up", &self.counts(Way::Up)).field("down", &self.counts(Way::Down)).finish()
    }
}

impl Link {
    /// A link that changes nothing, yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let twice = seed.wrapping_mul(2);
        Self { up: Direction::new(twice), down: Direction::new(twice.wrapping_add(1)), cut: false, block: Block::Nothing }
    }

    /// A packet enters.
    pub fn send(&mut self, now: Instant, way: Way, packet: Vec<u8>) {
        let held_back = self.cut || self.block.holds_back(&packet);
        let direction = self.direction(way);
        direction.counts.sent += 1;
        if held_back {
            direction.counts.refused += 1;
        } else {
            direction.send(now, packet);
        }
    }

    /// The next packet that leaves at `now` or before; `None` when there is none.
    pub fn arrived(&mut self, now: Instant, way: Way) -> Option<Vec<u8>> {
        loop {
            let packet = self.direction(way).arrived(now)?;
            let held_back = self.cut || self.block.holds_back(&packet);
            let counts = &mut self.direction(way).counts;
            if !held_back {
                counts.arrived += 1;
                return Some(packet);
            }
            counts.refused += 1;
        }
    }

    /// When the next packet leaves.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.up.next_due().into_iter().chain(self.down.next_due()).min()
    }

    /// What a direction does now.
    #[must_use]
    pub fn settings(&self, way: Way) -> Settings {
        match way {
            Way::Up => self.up.settings(),
            Way::Down => self.down.settings(),
        }
    }

    /// Models a direction otherwise, from the next packet on.
    pub fn set(&mut self, way: Way, settings: Settings) {
        self.direction(way).set(settings);
    }

    /// Lets nothing through in either direction, or everything again.
    pub fn cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// Whether the link is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Blocks some UDP; takes the place of an earlier block.
    pub fn block(&mut self, block: Block) {
        self.block = block;
    }

    /// What became of a direction's packets.
    #[must_use]
    pub fn counts(&self, way: Way) -> Counts {
        match way {
            Way::Up => self.up.counts,
            Way::Down => self.down.counts,
        }
    }

    fn direction(&mut self, way: Way) -> &mut Direction {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}

#[cfg(test)]
mod tests;
