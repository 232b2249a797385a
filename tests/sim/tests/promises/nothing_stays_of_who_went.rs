//! Five hundred stays, ended in every way there is, on two shards whose datagrams always arrive at the wrong one: afterwards every table
//! of the edge is empty, and what each stay saw was in order.

use nearcast_sim::{ClientId, Joining, Misdelivery, World, ms, secs};

/// A short resume window, so that those who vanish are gone before the test ends.
fn world(seed: u64) -> World {
    let mut world = World::sharded(seed, 2, |config| config.resume_window = secs(3));
    world.edge.misdelivery = Misdelivery::Always;
    world
}

fn all_empty(world: &World) -> bool {
    world.edge.table_sizes().iter().all(|(_, size)| *size == 0)
}

/// Out in the `way`th manner.
fn go(world: &mut World, who: ClientId, way: usize) {
    match way % 4 {
        0 => world.leave(who),
        1 => world.vanish(who),
        2 => world.close_page(who),
        // Signalling goes first, the page says goodbye on its transport a little later.
        _ => {
            world.lose_signalling(who);
            world.run_for(ms(100));
            world.close_page(who);
        }
    }
}

#[test]
fn after_500_stays_every_table_is_empty() {
    let mut world = world(50);
    let mut present: Vec<(usize, ClientId)> = Vec::new();
    for cycle in 0..500 {
        let room = format!("room {}", cycle % 5);
        let mut joining = Joining::new("somebody").numbered(cycle).room(&room).slots(1, 1).microphone();
        if cycle % 3 == 0 {
            joining = joining.data();
        }
        present.push((cycle, world.join(joining)));
        world.run_for(ms(40));
        if present.len() > 10 {
            let (cycle, who) = present.remove(0);
            go(&mut world, who, cycle);
        }
    }
    let busiest = world.edge.table_sizes();
    assert!(busiest.iter().all(|(_, size)| *size > 0), "the tables were in use: {busiest:?}");
    for (cycle, who) in present {
        go(&mut world, who, cycle);
    }
    world.run_for(secs(10));

    assert!(all_empty(&world), "{:?}", world.edge.table_sizes());
    let stats = [world.edge.shard_stats(0), world.edge.shard_stats(1)];
    assert_eq!(stats.iter().map(|stats| stats.joins).sum::<u64>(), 500);
    assert_eq!(stats.iter().map(|stats| stats.leaves).sum::<u64>(), 500);
    assert!(stats.iter().all(|stats| stats.joins > 0), "both shards had rooms");
    assert!(world.edge.handed_over > 10_000, "everything went by the wrong shard: {}", world.edge.handed_over);
    assert_eq!(world.edge.clashing_packets, 0);
}

#[test]
fn a_call_on_the_other_shard_is_like_any_call() {
    let mut world = world(51);
    let people: Vec<_> =
        (0..4).map(|number| world.joined(Joining::new("somebody").numbered(number).camera().microphone().slots(3, 3))).collect();
    world.run_for(secs(2));
    for who in &people {
        for other in people.iter().filter(|other| *other != who) {
            assert!(world[*who].packets_of(*other, 0).len() > 300);
            assert!(world[*who].packets_of(*other, 1).len() > 80);
        }
    }
    for (way, who) in people.into_iter().enumerate() {
        go(&mut world, who, way);
    }
    world.run_for(secs(5));
    assert!(all_empty(&world), "{:?}", world.edge.table_sizes());
}

/// A page that never got further than its WebSocket, or than half a handshake.
#[test]
fn half_a_join_leaves_nothing_either() {
    let mut world = world(52);
    for stage in [0, 30, 80, 110, 140] {
        let who = world.join(Joining::new("hasty").slots(1, 1).camera());
        world.run_for(ms(stage));
        world.vanish(who);
    }
    let bare = world.join(Joining::new("bare"));
    world.run_for(secs(1));
    world.vanish(bare);
    world.run_for(secs(10));
    assert!(all_empty(&world), "{:?}", world.edge.table_sizes());
}
