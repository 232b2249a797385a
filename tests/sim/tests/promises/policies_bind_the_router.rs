//! A forwarding policy is kept by the router: no packet of what a role isn't granted ever reaches it, whenever either comes.

use nearcast_protocol::{ClientMessage, ErrorCode, ServerMessage};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, secs};
use proptest::prelude::*;
use sfu_core::{ForwardingPolicy, ModePolicy};
use std::sync::Arc;

fn policy(text: &str) -> Arc<ForwardingPolicy> {
    Arc::new(ForwardingPolicy::parse("arena", text).unwrap())
}

fn arena() -> Arc<ForwardingPolicy> {
    policy("judge player: audio video; audience: video from player")
}

fn person(name: &str, role: &str, policy: &Arc<ForwardingPolicy>) -> Joining {
    Joining::new(name).role(role).under(policy).camera().microphone().slots(4, 4)
}

fn received(world: &World, who: ClientId, from: ClientId) -> (usize, usize) {
    (world[who].packets_of(from, 0).len(), world[who].packets_of(from, 1).len())
}

fn known_of(world: &World, who: ClientId) -> Vec<String> {
    let mut known: Vec<_> = world[who].told(|message| match message {
        ServerMessage::PublicationAdded { publication, .. } => Some(vec![publication.id.0.clone()]),
        ServerMessage::ParticipantJoined { participant } => Some(participant.publications.iter().map(|one| one.id.0.clone()).collect()),
        ServerMessage::Joined(joined) => {
            Some(joined.others.iter().flat_map(|other| &other.publications).map(|one| one.id.0.clone()).collect())
        }
        _ => None,
    });
    known.drain(..).flatten().collect()
}

fn worlds(seed: u64) -> [World; 2] {
    let mut spread = World::sharded(seed, 3, |_| {});
    spread.edge.spread_at = 1;
    [World::seeded(seed), spread]
}

#[test]
fn the_audience_sees_the_players_and_hears_nobody() {
    for mut world in worlds(320) {
        let arena = arena();
        let early = world.joined(person("early", "audience", &arena));
        let player = world.joined(person("player", "player", &arena));
        let judge = world.joined(person("judge", "judge", &arena));
        let late = world.joined(person("late", "audience", &arena));
        world.run_for(secs(3));
        for viewer in [early, late] {
            let (video, audio) = received(&world, viewer, player);
            assert!(video > 100 && audio == 0, "{video} {audio}");
            assert_eq!(received(&world, viewer, judge), (0, 0));
            let hidden = [world[player].publication(1).0, world[judge].publication(0).0, world[judge].publication(1).0];
            assert!(known_of(&world, viewer).iter().all(|id| !hidden.contains(id)), "never offered");
        }
        let (video, audio) = received(&world, judge, player);
        assert!(video > 100 && audio > 50);
        assert!(received(&world, player, early).0 > 100, "players see the audience: their clause names no senders");
    }
}

#[test]
fn asking_for_it_is_refused_and_says_why() {
    let mut world = World::seeded(321);
    let arena = arena();
    let player = world.joined(person("player", "player", &arena));
    let viewer = world.joined(person("viewer", "audience", &arena).by_choice());
    let (picture, sound) = (world[player].publication(0), world[player].publication(1));
    let reply = world.ask(viewer, ClientMessage::Subscribe { publication: sound });
    let ServerMessage::Failed { error, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(error.code, ErrorCode::NotPermitted);
    assert!(error.message.contains("arena") && error.message.contains("audience") && error.message.contains("audio"), "{}", error.message);
    assert!(matches!(world.ask(viewer, ClientMessage::Subscribe { publication: picture }), ServerMessage::Done { .. }));
    world.run_for(secs(1));
    assert!(received(&world, viewer, player).0 > 20 && received(&world, viewer, player).1 == 0);
}

#[test]
fn another_role_takes_effect_with_the_next_stay() {
    let mut world = World::seeded(322);
    let arena = arena();
    let player = world.joined(person("player", "player", &arena));
    let viewer = world.joined(person("ann", "audience", &arena));
    world.run_for(secs(1));
    assert_eq!(received(&world, viewer, player).1, 0);
    let promoted = world.joined(person("ann", "judge", &arena));
    world.run_for(secs(1));
    assert!(received(&world, promoted, player).1 > 20);
    let demoted = world.joined(person("ann", "audience", &arena));
    world.run_for(secs(1));
    assert_eq!(received(&world, demoted, player).1, 0);
    world.grow(player, vec![SourcePlan::microphone()], 0, 0);
    world.run_for(secs(1));
    assert!(world[demoted].packets_of(player, 2).is_empty(), "a later publication of the same kind");
}

#[test]
fn the_first_token_decides_and_a_later_one_may_not_differ() {
    let mut world = World::seeded(323);
    let code = |world: &World, who: ClientId| {
        world[who].told(|message| match message {
            ServerMessage::Failed { error, .. } => Some(error.code),
            _ => None,
        })
    };
    world.joined(person("first", "judge", &arena()));
    let other = Arc::new(ForwardingPolicy::parse("lecture", "*: audio video").unwrap());
    let refused = world.join(person("second", "judge", &other));
    let open = world.joined(Joining::new("third").role("audience").slots(1, 1));
    world.joined(Joining::new("elsewhere").room("open"));
    let late = world.join(person("fourth", "judge", &arena()).room("open"));
    world.run_for(secs(2));
    assert_eq!(code(&world, refused), [ErrorCode::NotPermitted]);
    assert_eq!(code(&world, late), [ErrorCode::NotPermitted], "a room that has gone without it");
    assert!(world[open].connection.is_some(), "who names none takes the room's");
}

#[test]
fn no_way_leads_past_the_router() {
    let mut world = World::seeded(324);
    let arena = arena();
    let one = world.joined(person("one", "player", &arena).in_mode(ModePolicy::P2p));
    let two = world.joined(person("two", "audience", &arena).in_mode(ModePolicy::P2p));
    let joined = world[two].joined().unwrap();
    assert!(!joined.direct && joined.mode == nearcast_protocol::RoomMode::Sfu);
    let to = world[one].participant();
    let reply = world.ask(two, ClientMessage::Peer { to, payload: "offer".to_owned() });
    assert!(matches!(&reply, ServerMessage::Failed { error, .. } if error.code == ErrorCode::NotPermitted), "{reply:?}");
}

#[derive(Clone, Debug)]
enum Step {
    Join { who: usize, role: usize },
    Publish { who: usize, video: bool },
    Subscribe { who: usize, other: usize, source: usize },
    Leave { who: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize, 0..4_usize).prop_map(|(who, role)| Step::Join { who, role }),
        2 => (0..4_usize, any::<bool>()).prop_map(|(who, video)| Step::Publish { who, video }),
        2 => (0..4_usize, 0..4_usize, 0..3_usize).prop_map(|(who, other, source)| Step::Subscribe { who, other, source }),
        1 => (0..4_usize).prop_map(|who| Step::Leave { who }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whoever comes, goes, publishes and asks in whatever order, on one shard or several.
    #[test]
    fn no_packet_of_a_denied_kind_reaches_a_denied_role(
        seed in 0..1_000_u64,
        several in any::<bool>(),
        clauses in prop::collection::vec("(a|b|c|\\*): (audio|video|audio video|nothing)( from (a|b|\\*))?", 1..4),
        steps in prop::collection::vec(step(), 4..12),
    ) {
        let policy = policy(&clauses.join(";"));
        let roles = [None, Some("a"), Some("b"), Some("c")];
        let mut world = World::sharded(seed, if several { 2 } else { 1 }, |_| {});
        world.edge.spread_at = if several { 1 } else { u32::MAX };
        let mut here: [Option<ClientId>; 4] = [None; 4];
        let mut all: Vec<(ClientId, Option<&str>, Vec<bool>)> = Vec::new();
        for step in steps {
            match step {
                Step::Join { who, role } => {
                    let mut joining = Joining::new("person").numbered(who).under(&policy).camera().microphone().slots(3, 3);
                    if let Some(role) = roles[role] {
                        joining = joining.role(role);
                    }
                    let id = world.joined(joining);
                    here[who] = Some(id);
                    all.push((id, roles[role], vec![true, false]));
                }
                Step::Publish { who, video } => {
                    let Some(id) = here[who] else { continue };
                    let plan = if video { SourcePlan::camera() } else { SourcePlan::microphone() };
                    let kinds = &mut all.iter_mut().find(|known| known.0 == id).unwrap().2;
                    if kinds.len() < 4 {
                        kinds.push(video);
                        world.grow(id, vec![plan], 0, 0);
                    }
                }
                Step::Subscribe { who, other, source } => {
                    let (Some(id), Some(other)) = (here[who], here[other]) else { continue };
                    let kinds = &all.iter().find(|known| known.0 == other).unwrap().2;
                    if id != other && source < kinds.len() {
                        let publication = world[other].publication(source);
                        world.ask(id, ClientMessage::Subscribe { publication });
                    }
                }
                Step::Leave { who } => {
                    if let Some(id) = here[who].take() {
                        world.leave(id);
                    }
                }
            }
            world.run_for(std::time::Duration::from_millis(150));
        }
        world.run_for(secs(1));
        for (viewer, to, _) in &all {
            for (publisher, from, kinds) in &all {
                for (source, video) in kinds.iter().enumerate() {
                    let allowed = policy.allows(*to, *from, *video);
                    let got = world[*viewer].packets_of(*publisher, source as u16).len();
                    prop_assert!(allowed || got == 0, "{to:?} got {got} packets of {from:?}, video {video}, under {}", policy.text());
                }
            }
        }
    }
}
