//! People do things in an order nobody thought of. For each seed: 150 random acts on two shards, then calm. In the calm everybody who is
//! there receives everything that is sent; when all have gone, nothing of them is left; and no number was ever used twice.

use nearcast_protocol::ClientMessage;
use nearcast_sim::{ClientId, Joining, Misdelivery, SourcePlan, World, extended, ms, secs};
use str0m::media::Direction;

/// Small generator (xorshift64): the seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

struct Play {
    world: World,
    dice: Dice,
    /// Those in the call, and whether their WebSocket is up.
    present: Vec<(ClientId, bool)>,
    names: usize,
    ssrcs: u32,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = World::sharded(seed, 2, |config| config.resume_window = secs(10));
        world.edge.misdelivery = Misdelivery::Always;
        Self { world, dice: Dice(seed * 7_919 + 1), present: Vec::new(), names: 0, ssrcs: 0x1000_0000 }
    }

    fn join(&mut self) {
        self.names += 1;
        let room = format!("room {}", self.dice.below(2));
        let mut joining = Joining::new("somebody").numbered(self.names).room(&room).growing_slots();
        if self.dice.below(3) > 0 {
            joining = joining.microphone();
        }
        if self.dice.below(3) > 0 {
            joining = joining.publishing(SourcePlan::camera().paced(15, 3));
        }
        if self.dice.below(2) == 0 {
            joining = joining.slots(self.dice.below(4), self.dice.below(4));
        }
        if self.dice.below(3) == 0 {
            joining = joining.data();
        }
        let id = self.world.join(joining);
        self.world.run_for(ms(600));
        self.present.push((id, true));
    }

    /// Somebody of those who are there: index and id. Offers need signalling and no other offer on its way.
    fn anybody(&mut self, signalling: bool) -> Option<(usize, ClientId)> {
        let world = &self.world;
        let fit = |(_, (id, up)): &(usize, &(ClientId, bool))| !signalling || (*up && !world[*id].is_negotiating());
        let fit: Vec<_> = self.present.iter().enumerate().filter(fit).map(|(index, (id, _))| (index, *id)).collect();
        (!fit.is_empty()).then(|| fit[self.dice.below(fit.len())])
    }

    fn act(&mut self) -> Option<()> {
        let act = self.dice.below(16);
        match act {
            0..=2 if self.present.len() < 8 => self.join(),
            3 => {
                let (index, id) = self.anybody(true)?;
                self.present.remove(index);
                match self.dice.below(3) {
                    0 => self.world.leave(id),
                    1 => self.world.vanish(id),
                    _ => self.world.close_page(id),
                }
            }
            4 | 5 => {
                let (index, id) = self.anybody(false)?;
                let up = &mut self.present[index].1;
                *up = !*up;
                if *up {
                    self.world.resume(id);
                } else {
                    self.world.lose_signalling(id);
                }
                // Those who are away longer than the window are gone.
                self.world.run_for(ms(200));
            }
            6 => {
                let (_, id) = self.anybody(false)?;
                let source = self.source(id)?;
                self.ssrcs += 2;
                self.world.restart_source(id, source, self.ssrcs, 40_000, self.ssrcs);
            }
            7 | 8 => {
                let (_, id) = self.anybody(true)?;
                let source = self.source(id)?;
                let mid = self.world[id].sources[source].mid;
                let stops = !self.world[id].sources[source].silent;
                self.world[id].sources[source].silent = stops;
                let direction = if stops { Direction::Inactive } else { Direction::SendOnly };
                let publish: &[usize] = if stops { &[] } else { &[source] };
                self.world.offer(id, publish, |changes| changes.set_direction(mid, direction));
            }
            9 => {
                let (_, id) = self.anybody(true).filter(|(_, id)| self.world[*id].is_connected())?;
                self.world.offer(id, &[], |changes| drop(changes.ice_restart(true)));
            }
            10 => {
                let (_, id) = self.anybody(false)?;
                self.world.rebind(id);
            }
            11 => {
                let (_, id) = self.anybody(true)?;
                let publication = self.world[id].slots.iter().find_map(|slot| slot.publication.clone())?;
                self.world.request(id, ClientMessage::Unsubscribe { publication: publication.clone() });
                self.world.run_for(ms(100));
                self.world.request(id, ClientMessage::Subscribe { publication });
            }
            12 => {
                let (_, id) = self.anybody(false)?;
                self.world.link(id).cut(true);
                self.world.run_for(ms(500));
                self.world.link(id).cut(false);
            }
            13 => {
                let (index, id) = self.anybody(true)?;
                let (room, name) = (self.world[id].room.clone(), self.world[id].name.clone());
                self.present.remove(index);
                self.world.remove(&room, &name);
                self.world.run_for(ms(100));
                self.world.vanish(id);
            }
            14 => {
                // The page is loaded again: the same identity, a new session.
                let (index, id) = self.anybody(false)?;
                let (room, name) = (self.world[id].room.clone(), self.world[id].name.clone());
                self.present.remove(index);
                let again = self.world.join(Joining::new(&name).room(&room).growing_slots().microphone());
                self.world.run_for(ms(600));
                self.world.vanish(id);
                self.present.push((again, true));
            }
            _ => {
                let (_, id) = self.anybody(true)?;
                let source = self.source(id)?;
                if let Some(publication) = self.world[id].sources[source].publication.clone() {
                    let muted = self.dice.below(2) == 0;
                    self.world.request(id, ClientMessage::Mute { publication, muted });
                }
            }
        }
        Some(())
    }

    fn source(&mut self, id: ClientId) -> Option<usize> {
        let count = self.world[id].sources.len();
        (count > 0).then(|| self.dice.below(count))
    }

    /// Nobody does anything any more; whoever lost its WebSocket is back.
    fn calm_down(&mut self) {
        for (id, up) in std::mem::take(&mut self.present) {
            if !up && !self.world[id].is_connected() {
                // Neither signalling nor media: by now the edge may have given it up.
                self.world.vanish(id);
                continue;
            }
            if !up {
                self.world.resume(id);
            }
            self.present.push((id, true));
        }
        self.world.run_for(secs(6));
    }

    /// Everybody receives everything.
    fn check_calm(&self, seed: u64) {
        let world = &self.world;
        let since = world.now() - secs(1);
        for (to, _) in &self.present {
            assert!(world[*to].connection.is_some(), "seed {seed}: {} was thrown out: {:?}", world[*to].name, world[*to].signals.last());
            for (from, _) in self.present.iter().filter(|(from, _)| from != to && world[*from].room == world[*to].room) {
                for (index, source) in world[*from].sources.iter().enumerate().filter(|(_, source)| !source.silent) {
                    let received = world[*to].packets_of(*from, index as u16).iter().filter(|packet| packet.at > since).count();
                    let sent = source.sent.iter().filter(|sent| sent.at > since).count();
                    let (to, from) = (&world[*to].name, &world[*from].name);
                    assert!(received * 10 >= sent * 9, "seed {seed}: {to} got {received} of {sent} of {from}'s source {index}");
                }
            }
        }
        for (to, _) in &self.present {
            for slot in &world[*to].slots {
                let mut packets = world[*to].packets_in(slot.mid);
                packets.sort_by_key(|packet| packet.seq);
                assert!(packets.iter().all(|packet| packet.ssrc == packets[0].ssrc), "seed {seed}: one section, one stream");
                let timestamps = extended(packets.iter().map(|packet| packet.timestamp));
                assert!(timestamps.is_sorted(), "seed {seed}: in the order of its numbers, time runs on");
            }
        }
        assert_eq!(world.edge.clashing_packets, 0, "seed {seed}");
    }

    fn all_go(&mut self) {
        for id in self.world.everybody().collect::<Vec<_>>() {
            if self.world[id].is_present() {
                self.world.vanish(id);
            }
        }
        self.world.run_for(secs(20));
    }
}

fn play(seed: u64) {
    let mut play = Play::new(seed);
    play.join();
    for _ in 0..150 {
        play.act();
        let pause = play.dice.below(200) as u64;
        play.world.run_for(ms(pause));
    }
    play.calm_down();
    play.check_calm(seed);
    play.all_go();
    let sizes = play.world.edge.table_sizes();
    assert!(sizes.iter().all(|(_, size)| *size == 0), "seed {seed}: {sizes:?}");
}

#[test]
fn seeds_1_to_4() {
    (1..=4).for_each(play);
}

#[test]
fn seeds_5_to_8() {
    (5..=8).for_each(play);
}

#[test]
#[ignore = "looks further: NEARCAST_SIM_SEEDS=9..140, with --ignored; a seed that fails joins those above"]
fn seeds_of_the_environment() {
    let seeds = std::env::var("NEARCAST_SIM_SEEDS").expect("NEARCAST_SIM_SEEDS=from..to");
    let (from, to) = seeds.split_once("..").expect("from..to");
    (from.parse().expect("a number")..to.parse().expect("a number")).for_each(play);
}
