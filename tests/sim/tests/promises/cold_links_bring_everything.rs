//! A link between two edges comes up when a thousand tracks wait for it on one side, and those who want them on the other: all of them flow within a second.

use nearcast_protocol::{ClientMessage, PublicationId};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, ms, secs};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Publications of one participant (`Limits::publications_per_participant`).
const OF_EACH: usize = 16;

/// A small picture of somebody in a crowd: ten frames a second, 20 kbit/s, and a key frame of two packets.
fn thumbnail() -> SourcePlan {
    SourcePlan { rate: 10, parts: 1, key_parts: 2, size: 250, ..SourcePlan::camera() }
}

/// Publishers on one edge, viewers on the other, and nothing between the two.
struct Cold {
    world: World,
    tracks: HashMap<PublicationId, (ClientId, u16)>,
    viewers: Vec<ClientId>,
}

/// How long it took from the link's coming up.
#[derive(Debug)]
struct Took {
    /// Until a viewer had been told of every track.
    told: Duration,
    /// Until the first packet of any.
    first: Duration,
    /// Until the first packet of every one.
    all: Duration,
    /// Messages of the two parts.
    messages: u64,
}

impl Cold {
    fn new(seed: u64, tracks: usize, viewers: usize) -> Self {
        let mut world = World::linked(seed, 2);
        world.edge.mesh.as_mut().unwrap().cut(0, 1);
        // The link that there was is missed.
        world.run_for(secs(4));
        let publishers: Vec<_> = (0..tracks.div_ceil(OF_EACH))
            .map(|number| {
                world.edge.next_at(0);
                let person = Joining::new("publisher").numbered(number);
                let own = OF_EACH.min(tracks - number * OF_EACH);
                let id = world.join((0..own).fold(person, |person, _| person.publishing(thumbnail())));
                // Nobody's frames are captured at one moment.
                world.run_for(ms(37));
                id
            })
            .collect();
        let viewers: Vec<_> = (0..viewers)
            .map(|number| {
                world.edge.next_at(1);
                let id = world.join(Joining::new("viewer").numbered(number).by_choice().slots(0, tracks.div_ceil(viewers)));
                world.run_for(ms(31));
                id
            })
            .collect();
        let everybody: Vec<_> = publishers.iter().chain(&viewers).copied().collect();
        world.run_until(secs(10), "all connected", |world| everybody.iter().all(|id| world[*id].is_connected()));
        world.run_for(secs(1));
        let named = publishers.iter().flat_map(|id| {
            let sources = 0..world[*id].sources.len();
            sources.map(|source| (world[*id].publication(source), (*id, source as u16))).collect::<Vec<_>>()
        });
        let tracks: HashMap<_, _> = named.collect();
        Self { world, tracks, viewers }
    }

    fn packets_crossed(&self) -> u64 {
        self.world.edge.mesh.as_ref().unwrap().sent(0, 1)
    }

    /// Brings the link up. Each viewer asks for its share as soon as it is told of it, and all of them have everything within `limit`.
    fn warm(&mut self, limit: Duration) -> Took {
        let (up, now) = (self.world.now(), self.world.instant());
        let before = self.world.edge.relayed;
        assert_eq!(self.packets_crossed(), 0);
        self.world.edge.mesh.as_mut().unwrap().mend(now, 0, 1);
        let mut asked: Vec<HashSet<PublicationId>> = self.viewers.iter().map(|_| HashSet::new()).collect();
        let mut heard: Vec<usize> = self.viewers.iter().map(|viewer| self.world[*viewer].signals.len()).collect();
        let (share, mut told, mut came) = (self.tracks.len().div_ceil(self.viewers.len()), None, Vec::new());
        while came.len() < self.tracks.len() {
            self.world.run_for(ms(5));
            let took = self.world.now() - up;
            assert!(took <= limit, "{} of {} tracks after {took:?}", came.len(), self.tracks.len());
            for (number, viewer) in self.viewers.clone().into_iter().enumerate() {
                let news = self.world[viewer].signals[heard[number]..].iter().flat_map(|(_, message)| named(message)).collect::<Vec<_>>();
                heard[number] = self.world[viewer].signals.len();
                for publication in news {
                    let (publisher, source) = self.tracks[&publication];
                    let place = usize::from(source) + self.index_of(publisher) * OF_EACH;
                    if place / share == number && asked[number].insert(publication.clone()) {
                        self.world.request(viewer, ClientMessage::Subscribe { publication });
                    }
                }
            }
            if asked.iter().map(HashSet::len).sum::<usize>() == self.tracks.len() {
                told.get_or_insert(took);
            }
            came = self.firsts(up);
        }
        let at = |index: usize| came[index] - up;
        let messages = self.world.edge.relayed - before - self.packets_crossed();
        Took { told: told.unwrap(), first: at(0), all: at(came.len() - 1), messages }
    }

    /// Key frames that publishers were asked for.
    fn asked(&self) -> u64 {
        let sources = self.world.everybody().flat_map(|id| &self.world[id].sources);
        sources.map(|source| source.keyframe_requests.len() as u64).sum()
    }

    fn index_of(&self, publisher: ClientId) -> usize {
        self.world.everybody().position(|id| id == publisher).unwrap()
    }

    /// When each track's first packet came to a viewer, soonest first.
    fn firsts(&self, since: Duration) -> Vec<Duration> {
        let mut firsts: HashMap<(u16, u16), Duration> = HashMap::new();
        for viewer in &self.viewers {
            for packet in self.world[*viewer].packets.iter().filter(|packet| packet.at > since) {
                firsts.entry((packet.tag.client, packet.tag.source)).or_insert(packet.at);
            }
        }
        let mut all: Vec<_> = firsts.into_values().collect();
        all.sort_unstable();
        all
    }
}

/// Publications that a message tells of.
fn named(message: &nearcast_protocol::ServerMessage) -> Vec<PublicationId> {
    match message {
        nearcast_protocol::ServerMessage::ParticipantJoined { participant } => {
            participant.publications.iter().map(|publication| publication.id.clone()).collect()
        }
        nearcast_protocol::ServerMessage::PublicationAdded { publication, .. } => vec![publication.id.clone()],
        _ => Vec::new(),
    }
}

/// Nobody waits for what is asked for a second time, which is half a second later.
#[test]
fn a_thousand_tracks_flow_within_a_second_of_the_link() {
    for (seed, what, lost_at_first, loss) in
        [(81, "nothing lost", 0, 0), (82, "the first five lost each way", 5, 0), (83, "2 % lost", 0, 20)]
    {
        let mut cold = Cold::new(seed, 1_000, 20);
        let mesh = cold.world.edge.mesh.as_mut().unwrap();
        (mesh.rate, mesh.lost_at_first, mesh.loss) = (Some(200_000_000), lost_at_first, loss);
        let took = cold.warm(secs(1));
        let mesh = cold.world.edge.mesh.as_ref().unwrap();
        let (narrow, stats, asked) = (mesh.narrow, mesh.stats(), cold.asked());
        println!("{what}: {took:?}; {asked} key frames asked for, {narrow} found no room, {} missed, {} lost", stats.missed, stats.lost);
        assert!(took.first < ms(500) && took.all < took.told + ms(500), "{took:?}");
        assert!(narrow == 0 && took.messages < 10_000, "{took:?}");
        assert!(asked <= 1_000 + 20 * loss, "{asked} key frames of a thousand tracks");
    }
}
