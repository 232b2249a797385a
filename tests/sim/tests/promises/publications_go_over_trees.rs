//! Many edges want one publication: they pass it on to each other, and nobody who watches notices how it comes.

use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, ms, secs};
use std::time::Duration;

/// Somebody who is seen and heard, and one viewer on each of the other edges.
struct Watched {
    world: World,
    speaker: ClientId,
    viewers: Vec<ClientId>,
    edges: usize,
}

fn join(world: &mut World, edge: usize, number: usize) -> ClientId {
    world.edge.next_at(edge);
    world.joined(Joining::new("viewer").numbered(number).slots(1, 1))
}

/// What crossed links, and what was published meanwhile.
struct Crossed {
    published: u64,
    /// Between each two edges.
    copies: Vec<Vec<u64>>,
}

impl Crossed {
    fn in_all(&self) -> u64 {
        self.copies.iter().flatten().sum()
    }

    fn from(&self, edge: usize) -> u64 {
        self.copies[edge].iter().sum()
    }

    fn between(&self, regions: &[&str]) -> u64 {
        let pairs =
            self.copies.iter().enumerate().flat_map(|(from, row)| row.iter().enumerate().map(move |(to, copies)| (from, to, *copies)));
        pairs.filter(|(from, to, _)| regions[*from] != regions[*to]).map(|(_, _, copies)| copies).sum()
    }

    /// For each packet.
    fn each(&self, copies: u64) -> f64 {
        copies as f64 / self.published as f64
    }
}

impl Watched {
    fn new(seed: u64, regions: &[&'static str]) -> Self {
        Self::by(seed, regions, &[], Joining::new("speaker").camera().microphone())
    }

    /// Edges that know nothing of trees.
    fn without_trees(seed: u64, regions: &[&'static str]) -> Self {
        let all: Vec<_> = (0..regions.len()).collect();
        Self::by(seed, regions, &all, Joining::new("speaker").camera().microphone())
    }

    /// `plain`: the edges that know nothing of trees.
    fn by(seed: u64, regions: &[&'static str], plain: &[usize], speaker: Joining) -> Self {
        let mut world = World::in_regions(seed, regions, ms(40));
        world.edge.mesh.as_mut().unwrap().plain = plain.to_vec();
        world.edge.next_at(0);
        let speaker = world.joined(speaker);
        let viewers = (1..regions.len()).map(|edge| join(&mut world, edge, edge)).collect();
        Self { world, speaker, viewers, edges: regions.len() }
    }

    /// Until it comes as it was planned.
    fn settled(mut self) -> Self {
        self.see();
        self.world.run_for(secs(3));
        self
    }

    /// The edges that pass it on, with the most children first.
    fn parents(&self) -> Vec<usize> {
        let children = |edge: &usize| self.world.edge.shard_stats(*edge).children;
        let mut parents: Vec<_> = (1..self.edges).filter(|edge| children(edge) > 0).collect();
        parents.sort_by_key(|edge| std::cmp::Reverse(children(edge)));
        parents
    }

    /// The viewers on all edges but one.
    fn others(&self, edge: usize) -> Vec<ClientId> {
        self.viewers.iter().enumerate().filter(|(index, _)| index + 1 != edge).map(|(_, viewer)| *viewer).collect()
    }

    fn longest_gap(&self, of: &[ClientId], since: Duration) -> Duration {
        of.iter().map(|viewer| self.gap(*viewer, since)).max().unwrap_or_default()
    }

    fn see(&mut self) {
        let Self { world, speaker, viewers, .. } = self;
        world.run_until(secs(6), "a picture everywhere", |world| {
            viewers.iter().all(|viewer| world[*viewer].packets_of(*speaker, 0).len() > 30)
        });
    }

    fn adoptions(&self) -> u64 {
        (0..self.edges).map(|edge| self.world.edge.shard_stats(edge).adoptions).sum()
    }

    fn fallbacks(&self) -> u64 {
        (0..self.edges).map(|edge| self.world.edge.shard_stats(edge).fallbacks).sum()
    }

    fn asked(&self) -> usize {
        self.world[self.speaker].sources.iter().map(|source| source.keyframe_requests.len()).sum()
    }

    fn sent(&self) -> Vec<Vec<u64>> {
        let mesh = self.world.edge.mesh.as_ref().unwrap();
        (0..self.edges).map(|from| (0..self.edges).map(|to| mesh.sent(from, to)).collect()).collect()
    }

    fn published(&self) -> u64 {
        self.world[self.speaker].sources.iter().map(|source| source.sent.len() as u64).sum()
    }

    /// What crosses from now on.
    fn cross(&mut self, time: Duration) -> Crossed {
        let (before, published) = (self.sent(), self.published());
        self.world.run_for(time);
        let less =
            |(after, before): (Vec<u64>, Vec<u64>)| after.iter().zip(before).map(|(after, before)| after.saturating_sub(before)).collect();
        Crossed { published: self.published() - published, copies: self.sent().into_iter().zip(before).map(less).collect() }
    }

    fn is_whole(&self, viewer: ClientId) -> bool {
        (0..2).all(|source| contiguous(self.world[viewer].packets_of(self.speaker, source).iter().map(|packet| packet.seq)))
    }

    /// The longest time without a packet of the picture since then.
    fn gap(&self, viewer: ClientId, since: Duration) -> Duration {
        let times =
            self.world[viewer].packets_of(self.speaker, 0).iter().map(|packet| packet.at).filter(|at| *at >= since).collect::<Vec<_>>();
        let ends = times.iter().copied().chain([self.world.now()]);
        [since].into_iter().chain(times.clone()).zip(ends).map(|(one, next)| next.saturating_sub(one)).max().unwrap_or_default()
    }

    fn leave(&mut self) {
        let everybody: Vec<_> = self.viewers.iter().copied().chain([self.speaker]).collect();
        everybody.into_iter().for_each(|one| self.world.leave(one));
        self.world.run_for(secs(1));
        nothing_is_left(&self.world, self.edges);
    }
}

fn nothing_is_left(world: &World, edges: usize) {
    for edge in 0..edges {
        let stats = world.edge.shard_stats(edge);
        assert_eq!((stats.rooms, stats.participants, stats.participants_elsewhere), (0, 0, 0), "edge {edge}");
        assert_eq!((stats.publications, stats.publications_elsewhere, stats.publication_ids), (0, 0, 0), "edge {edge}");
        assert_eq!((stats.branches, stats.children), (0, 0), "edge {edge}");
    }
}

#[test]
fn one_copy_crosses_into_another_region_and_nobody_sees_the_change() {
    for (seed, regions, far) in [(51, vec!["eu", "us", "us", "us"], 1), (52, vec!["eu", "eu", "us", "us", "asia", "asia", "asia"], 2)] {
        let asked = Watched::without_trees(seed, &regions).settled().asked();
        let mut watched = Watched::new(seed, &regions).settled();
        let crossed = watched.cross(secs(2));
        let (between, all) = (crossed.each(crossed.between(&regions)), crossed.each(crossed.in_all()));
        println!(
            "{} edges: {between:.2} copies a packet between regions, {all:.2} in all; {} adoptions",
            regions.len(),
            watched.adoptions()
        );
        assert!((between - f64::from(far)).abs() < 0.05, "{between}");
        assert!((all - (regions.len() - 1) as f64).abs() < 0.1, "{all}");
        assert!(watched.viewers.iter().all(|viewer| watched.is_whole(*viewer)));
        assert_eq!((watched.asked(), watched.fallbacks()), (asked, 0), "no key frame, and no way back");
        watched.leave();
    }
}

/// Where trees begin: more edges than one sends to.
#[test]
fn no_edge_sends_more_copies_than_it_may_and_all_get_it() {
    let mut watched = Watched::new(53, &["eu"; 14]).settled();
    let asked = watched.asked();
    let crossed = watched.cross(secs(2));
    let from: Vec<_> = (0..14).map(|edge| format!("{:.2}", crossed.each(crossed.from(edge)))).collect();
    println!("copies a packet: {:.2} in all; from each edge {}", crossed.each(crossed.in_all()), from.join(" "));
    assert!((0..14).all(|edge| crossed.each(crossed.from(edge)) < 8.1));
    assert!(crossed.each(crossed.from(0)) < 8.1 && (crossed.each(crossed.in_all()) - 13.0).abs() < 0.2);
    assert!(watched.viewers.iter().all(|viewer| watched.is_whole(*viewer)));
    assert_eq!(watched.asked(), asked);
    watched.leave();
}

/// What an edge is asked for that doesn't pass anything on comes from the home.
#[test]
fn edges_of_the_version_before_get_it_from_its_home() {
    let mut watched = Watched::by(54, &["eu", "us", "us", "us"], &[2], Joining::new("speaker").camera().microphone()).settled();
    let crossed = watched.cross(secs(2));
    let direct: Vec<_> = crossed.copies[0].iter().map(|copies| crossed.each(*copies).round() as u8).collect();
    assert_eq!((direct[2], direct.iter().sum::<u8>(), watched.adoptions()), (1, 2, 1 + 1), "{direct:?}");
    assert!(watched.viewers.iter().all(|viewer| watched.is_whole(*viewer)));
    watched.leave();
}

#[test]
fn an_edge_that_passes_on_and_dies_costs_the_others_a_moment() {
    let regions = ["eu", "us", "us", "us", "asia"];
    for (seed, what) in [(55, "killed"), (56, "stopped for 5 s"), (57, "cut off from one of them")] {
        let mut watched = Watched::new(seed, &regions).settled();
        let parent = watched.parents()[0];
        let child = (1..4).find(|edge| *edge != parent && watched.world.edge.shard_stats(*edge).branches > 0).unwrap();
        let since = watched.world.now();
        if what.starts_with("cut") {
            watched.world.edge.mesh.as_mut().unwrap().cut(parent, child);
        } else {
            watched.world.edge.stop(parent);
        }
        watched.world.run_for(secs(5));
        let others = watched.others(parent);
        let gap = watched.longest_gap(&others, since);
        println!("{what}: {gap:?}, {} turned to the home", watched.fallbacks());
        assert!(gap < ms(1_000), "{what}: {gap:?}");
        if what.starts_with("stopped") {
            let now = watched.world.instant();
            watched.world.edge.go_on(now, parent);
        } else if what.starts_with("cut") {
            let now = watched.world.instant();
            watched.world.edge.mesh.as_mut().unwrap().mend(now, parent, child);
        }
        watched.world.run_for(secs(6));
        let all = if what == "killed" { others } else { watched.viewers.clone() };
        let since = watched.world.now();
        watched.world.run_for(secs(2));
        assert!(watched.longest_gap(&all, since) < ms(200), "everybody sees on");
        if what == "killed" {
            continue;
        }
        watched.leave();
    }
}

/// The viewers of an edge that passes on go: first what they watch, then the room.
#[test]
fn an_edge_that_nobody_watches_on_any_more_is_relieved() {
    let regions = ["eu", "us", "us", "us"];
    let mut watched = Watched::new(58, &regions).settled();
    let parent = watched.parents()[0];
    let (viewer, others) = (watched.viewers[parent - 1], watched.others(parent));
    let (since, asked) = (watched.world.now(), watched.asked());
    for source in 0..2 {
        let publication = watched.world[watched.speaker].publication(source);
        watched.world.ask(viewer, nearcast_protocol::ClientMessage::Unsubscribe { publication });
    }
    watched.world.run_for(secs(4));
    let gap = watched.longest_gap(&others, since);
    println!("nobody watches there: {gap:?}");
    assert!(gap < ms(150) && watched.asked() == asked, "{gap:?}");
    assert!(others.iter().all(|viewer| watched.is_whole(*viewer)));
    let crossed = watched.cross(secs(1));
    let away = crossed.each(crossed.copies[0][parent] + crossed.from(parent));
    assert!(away < 0.05, "{away} copies a packet still cross there");

    let parent = watched.parents()[0];
    let (leaver, others) = (watched.viewers[parent - 1], watched.others(parent));
    let others: Vec<_> = others.into_iter().filter(|other| *other != viewer).collect();
    let since = watched.world.now();
    watched.world.leave(leaver);
    watched.viewers.retain(|other| *other != leaver);
    watched.world.run_for(secs(3));
    let gap = watched.longest_gap(&others, since);
    println!("the last one there has left: {gap:?}");
    assert!(gap < ms(500), "{gap:?}");
    watched.leave();
}

#[test]
fn loss_on_every_hop_is_repaired_hop_by_hop() {
    let mut watched = Watched::new(59, &["eu", "us", "us", "us", "us", "us", "us"]).settled();
    let mesh = watched.world.edge.mesh.as_mut().unwrap();
    (mesh.loss, mesh.jitter) = (20, ms(8));
    let (asked, adoptions) = (watched.asked(), watched.adoptions());
    watched.world.run_for(secs(5));
    let mesh = watched.world.edge.mesh.as_mut().unwrap();
    (mesh.loss, mesh.jitter) = (0, ms(0));
    watched.world.run_for(secs(1));
    let stats = watched.world.edge.mesh.as_ref().unwrap().stats();
    println!("{stats:?}");
    assert!(stats.missed > 50 && stats.lost == 0, "{stats:?}");
    assert!(watched.viewers.iter().all(|viewer| watched.is_whole(*viewer)));
    assert_eq!((watched.asked(), watched.adoptions(), watched.fallbacks()), (asked, adoptions, 0), "nothing changes for it");
    watched.leave();
}

/// A link within the tree that is too narrow makes the picture behind it smaller, whole. (The next size, where that is sent to anybody.)
#[test]
fn what_is_too_narrow_within_the_tree_makes_the_picture_smaller() {
    let speaker = Joining::new("speaker").publishing(SourcePlan::simulcast());
    let mut watched = Watched::by(60, &["eu", "us", "us"], &[], speaker).settled();
    let parent = watched.parents()[0];
    let behind = watched.others(parent)[0];
    let is = |watched: &Watched, large: bool| {
        watched.world[behind].packets_of(watched.speaker, 0).last().is_some_and(|packet| (packet.tag.encoding == 2) == large)
    };
    for (withheld, large) in [(0, true), (1, false), (3, false), (0, true)] {
        let now = watched.world.instant();
        watched.world.edge.narrow(now, parent, withheld);
        watched.world.run_for(secs(4));
        assert!(is(&watched, large), "{withheld} withheld");
    }
    assert!(contiguous(watched.world[behind].packets_of(watched.speaker, 0).iter().map(|packet| packet.seq)));
    assert_eq!(watched.fallbacks(), 0);
    watched.leave();
}

/// The publisher goes on at an edge that passes its picture on, and at one that gets it last; both ways it costs what it costs without a tree.
#[test]
fn who_publishes_may_move_and_the_tree_moves_along() {
    let regions = ["eu", "us", "us", "us", "eu"];
    let moved = |trees: bool, last: bool| {
        let mut watched = if trees { Watched::new(61, &regions) } else { Watched::without_trees(61, &regions) }.settled();
        let to = if last { 3 } else { watched.parents().first().copied().unwrap_or(1) };
        let since = watched.world.now();
        watched.world.go_on_at(watched.speaker, to);
        watched.world.run_for(secs(5));
        let gap = watched.longest_gap(&watched.viewers, since);
        let crossed = watched.cross(secs(1));
        println!("trees {trees}, to edge {to}: {gap:?}, then {:.2} copies a packet", crossed.each(crossed.in_all()));
        watched.leave();
        gap
    };
    for last in [false, true] {
        let (without, with) = (moved(false, last), moved(true, last));
        assert!(with <= without + ms(120), "{with:?}, {without:?} without trees");
    }
}

/// Whoever comes, goes, moves, stands still or is cut off in whatever order: at the end everybody sees the speaker, over a tree, and then nothing is left.
fn in_any_order(seed: u64) {
    let regions = ["eu", "us", "us", "asia", "us", "asia", "eu", "us"];
    let mut random = seed;
    let mut below = |limit: usize| {
        random = u64::wrapping_mul(random, 6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let mut watched = Watched::new(seed, &regions);
    let (mut cut, mut still): (Vec<(usize, usize)>, Option<usize>) = (Vec::new(), None);
    for number in 0..40 {
        let now = watched.world.instant();
        match below(8) {
            0 => {
                let (one, other) = (below(8), below(8));
                if one != other {
                    watched.world.edge.mesh.as_mut().unwrap().cut(one, other);
                    cut.push((one, other));
                }
            }
            1 => cut.drain(..).for_each(|(one, other)| watched.world.edge.mesh.as_mut().unwrap().mend(now, one, other)),
            2 if still.is_none() && watched.viewers.len() > 3 => {
                let gone = watched.viewers.swap_remove(below(watched.viewers.len()));
                watched.world.leave(gone);
            }
            3 if still.is_none() => watched.world.go_on_at(watched.speaker, below(8)),
            4 if still.is_none() => {
                let edge = below(8);
                watched.world.edge.stop(edge);
                still = Some(edge);
            }
            5 if still.is_some() => still.take().into_iter().for_each(|edge| watched.world.edge.go_on(now, edge)),
            6 => watched.world.edge.mesh.as_mut().unwrap().loss = below(50) as u64,
            _ if still.is_none() => {
                let edge = below(8);
                let viewer = join(&mut watched.world, edge, 100 + number);
                watched.viewers.push(viewer);
            }
            _ => {}
        }
        watched.world.run_for(ms(below(900) as u64));
    }
    let now = watched.world.instant();
    still.into_iter().for_each(|edge| watched.world.edge.go_on(now, edge));
    let mesh = watched.world.edge.mesh.as_mut().unwrap();
    mesh.loss = 0;
    cut.into_iter().for_each(|(one, other)| mesh.mend(now, one, other));
    // Longer than a way that didn't work isn't taken.
    watched.world.run_for(secs(32));
    let since = watched.world.now();
    let crossed = watched.cross(secs(2));
    let gap = watched.longest_gap(&watched.viewers, since);
    let (all, between) = (crossed.each(crossed.in_all()), crossed.each(crossed.between(&regions)));
    println!(
        "seed {seed}: {all:.2} copies a packet, {between:.2} between regions; {} adoptions, {} turned to the home; gap {gap:?}",
        watched.adoptions(),
        watched.fallbacks()
    );
    assert!(gap < ms(250) && all < 7.3 && between < 2.1, "{gap:?} {all} {between}");
    watched.leave();
}

#[test]
fn in_any_order_nothing_goes_round_in_circles_and_nothing_stays() {
    [71, 139, 144, 172, 176].into_iter().for_each(in_any_order);
}

#[test]
#[ignore = "looks further: NEARCAST_SIM_SEEDS=100..140, with --ignored; a seed that fails joins those above"]
fn in_any_order_of_the_environment() {
    let seeds = std::env::var("NEARCAST_SIM_SEEDS").expect("NEARCAST_SIM_SEEDS=from..to");
    let (from, to) = seeds.split_once("..").expect("from..to");
    (from.parse().expect("a number")..to.parse().expect("a number")).for_each(in_any_order);
}
