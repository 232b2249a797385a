//! Messages on the reliable channel while somebody goes on at another edge, as they are told to: each arrives once, from whoever and at whatever edge.

use nearcast_protocol::{DataFrame, ParticipantId, RELIABLE_CHANNEL};
use nearcast_sim::{ClientId, Joining, Link, World, ms, secs};
use std::collections::HashMap;
use std::time::Duration;

/// Between two messages of one sender.
const PACE: Duration = ms(10);

/// Somebody who moves, and others: at the edge that is left, at the one that is gone to, and at a third.
struct Talk {
    world: World,
    mover: ClientId,
    others: [ClientId; 3],
    /// How many each has sent.
    sent: HashMap<ClientId, u32>,
}

/// What became of one sender's messages at one receiver.
#[derive(Debug, Default, Eq, PartialEq)]
struct Arrived {
    lost: usize,
    doubled: usize,
    /// Came before one that was sent earlier.
    overtook: usize,
}

impl Talk {
    fn new(seed: u64) -> Self {
        let mut world = World::linked(seed, 3);
        let mut join = |name: &str, edge| {
            world.edge.next_at(edge);
            world.joined(Joining::new(name).microphone().data().slots(3, 0))
        };
        let mover = join("mover", 0);
        let others = [join("who stays", 0), join("who is there", 1), join("somebody else", 2)];
        world.run_for(secs(1));
        Self { world, mover, others, sent: HashMap::new() }
    }

    /// Everybody says something to all, again and again; the mover while it can.
    fn talk(&mut self, time: Duration) {
        let end = self.world.now() + time;
        while self.world.now() < end {
            for who in [self.mover].into_iter().chain(self.others) {
                let number = self.sent.entry(who).or_default();
                let frame = DataFrame { payload: number.to_be_bytes().to_vec(), ..DataFrame::default() };
                if self.world[who].has_channels() && self.world.send_data(who, RELIABLE_CHANNEL, &frame) {
                    *number += 1;
                }
            }
            self.world.run_for(PACE);
        }
    }

    /// The mover is told to go on, and does `late` after it might have heard so: nothing is heard over the old transport from then on.
    fn drain_to(&mut self, edge: usize, late: Duration) {
        // Between two messages.
        let off = ms(4);
        self.world.run_for(off);
        self.world.tell_to_move(self.mover);
        self.world.run_for(PACE - off);
        // To the shard, and from there to the client.
        self.talk(Link::DELAY * 2 + late - PACE);
        self.world.run_for(off);
        self.world.go_on_at(self.mover, edge);
    }

    fn arrived(&self, from: ClientId, at: ClientId) -> Arrived {
        let sender: ParticipantId = self.world[from].participant();
        let numbers: Vec<u32> = self.world[at]
            .data
            .iter()
            .filter(|(_, stream, frame)| *stream == RELIABLE_CHANNEL && frame.from.as_ref() == Some(&sender))
            .map(|(_, _, frame)| u32::from_be_bytes(frame.payload[..].try_into().unwrap()))
            .collect();
        let mut different = numbers.clone();
        different.sort_unstable();
        different.dedup();
        Arrived {
            lost: self.sent[&from] as usize - different.len(),
            doubled: numbers.len() - different.len(),
            overtook: numbers.windows(2).filter(|pair| pair[1] < pair[0]).count(),
        }
    }
}

/// The last of these clients hears of it 30 ms late, over a slow WebSocket: what it has heard until then it hears again.
#[test]
fn every_message_arrives_and_twice_only_what_crosses_the_news() {
    for (seed, between, late) in [(91, 20, 0), (92, 80, 0), (93, 20, 30)] {
        let mut talk = Talk::new(seed);
        talk.world.edge.mesh.as_mut().unwrap().delay = ms(between);
        talk.talk(secs(1));
        talk.drain_to(1, ms(late));
        talk.talk(secs(3));
        talk.world.run_for(secs(2));
        let crossing = (late / PACE.as_millis() as u64) as usize;
        for (other, place) in talk.others.into_iter().zip(["the edge that is left", "the edge gone to", "a third"]) {
            let (to, by) = (talk.arrived(other, talk.mover), talk.arrived(talk.mover, other));
            println!("{between} ms between edges, told {late} ms late; to the mover from {place}: {to:?}; by the mover: {by:?}");
            assert!(to.lost == 0 && to.doubled <= crossing && (to.overtook == 0 || late > 0), "{to:?}");
            assert_eq!(by, Arrived::default());
        }
    }
}
