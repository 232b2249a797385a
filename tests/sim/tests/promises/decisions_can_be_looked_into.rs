//! Whoever runs the edge sees which layer everybody gets, which one they would get, and why not more, whichever shard they are on.

use nearcast_protocol::{ClientMessage, LayerReason, Wish};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, ms, secs};
use sfu_core::inspect::{LayerView, PageQuery, ParticipantView, SessionKind, SubscriptionView};

const ROOM: &str = "room";

fn wish(world: &mut World, viewer: ClientId, publisher: ClientId, width: u16, visible: bool) {
    let publication = world[publisher].publication(0);
    let wish = Wish { publication, width, height: width / 16 * 9, visible, max_fps: 0, priority: Default::default() };
    world.ask(viewer, ClientMessage::Wishes { wishes: vec![wish] });
}

fn page(limit: usize) -> PageQuery {
    PageQuery { after: None, limit }
}

/// Everybody on a shard.
fn everybody(world: &mut World, shard: usize) -> Vec<ParticipantView> {
    let now = world.instant();
    world.edge.shard_mut(shard).inspect(now, ROOM, None, &page(100)).map(|page| page.items).unwrap_or_default()
}

fn somebody(world: &mut World, name: &str) -> ParticipantView {
    let found: Vec<_> = (0..2).flat_map(|shard| everybody(world, shard)).filter(|view| view.identity == name).collect();
    assert_eq!(found.len(), 1, "told once, by its own shard");
    found.into_iter().next().unwrap()
}

fn camera(world: &mut World, viewer: &str) -> SubscriptionView {
    somebody(world, viewer).subscriptions.into_iter().find(|view| view.participant == "alice").expect("a subscription")
}

fn size(layer: Option<&LayerView>) -> Option<(u16, u16)> {
    layer.map(|layer| (layer.width, layer.height))
}

#[test]
fn layers_and_reasons_across_shards() {
    let mut world = World::sharded(900, 2, |_| {});
    world.edge.spread_at = 1;
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let small = world.joined(Joining::new("small").slots(0, 1));
    let large = world.joined(Joining::new("large").slots(0, 1));
    let blind = world.joined(Joining::new("blind").slots(0, 1));
    let shards: Vec<_> = ["alice", "small"].map(|name| somebody(&mut world, name).shard).into();
    assert_ne!(shards[0], shards[1], "on one shard nothing would be shown");
    wish(&mut world, small, alice, 320, true);
    wish(&mut world, large, alice, 1280, true);
    wish(&mut world, blind, alice, 1280, false);
    world.run_for(secs(5));

    let view = camera(&mut world, "small");
    assert_eq!((size(view.forwarded.as_ref()), size(view.wanted.as_ref())), (Some((320, 180)), Some((320, 180))), "{view:?}");
    assert_eq!((view.forwarded.as_ref(), view.reason), (view.decided.as_ref(), Some(LayerReason::Wished)));
    let forwarded = view.forwarded.unwrap();
    assert_eq!((forwarded.encoding, forwarded.rid.as_deref(), forwarded.spatial), (0, Some("q"), 0));
    assert!((120_000..220_000).contains(&forwarded.bitrate) && (27..=33).contains(&forwarded.fps), "{forwarded:?}");
    assert!((2_000..=5_200).contains(&view.unchanged_ms.unwrap()), "{:?}", view.unchanged_ms);
    assert_eq!((view.wish.unwrap().width, view.wish.unwrap().visible), (320, true));

    let view = camera(&mut world, "large");
    assert_eq!((size(view.forwarded.as_ref()), view.reason), (Some((1280, 720)), Some(LayerReason::Best)), "{view:?}");
    let view = camera(&mut world, "blind");
    assert_eq!((view.forwarded, view.decided, view.wanted, view.reason), (None, None, None, Some(LayerReason::Hidden)));
    assert!(!view.wish.unwrap().visible);

    // A change is told with its time.
    wish(&mut world, small, alice, 1280, true);
    world.run_for(ms(700));
    let view = camera(&mut world, "small");
    assert_eq!((size(view.forwarded.as_ref()), view.reason), (Some((1280, 720)), Some(LayerReason::Best)), "{view:?}");
    assert!(view.unchanged_ms.unwrap() <= 750, "{:?}", view.unchanged_ms);
    wish(&mut world, small, alice, 320, true);

    let publisher = somebody(&mut world, "alice");
    assert_eq!((publisher.session, publisher.signalling, publisher.waiting), (SessionKind::Websocket, true, 0));
    let [publication] = &publisher.publications[..] else { panic!("{publisher:?}") };
    let rids: Vec<_> = publication.encodings.iter().map(|encoding| encoding.rid.as_deref().unwrap()).collect();
    assert_eq!(rids, ["q", "h", "f"]);
    for encoding in &publication.encodings {
        let best = encoding.rungs.last().expect("rungs");
        assert!(best.bitrate > 0 && best.width > 0, "{encoding:?}");
    }
    // What nobody shows has been turned off.
    world.run_for(secs(2));
    let publisher = somebody(&mut world, "alice");
    let asked: Vec<_> = publisher.publications[0].encodings.iter().map(|encoding| encoding.spatial_layers_asked_for != Some(0)).collect();
    assert_eq!(asked, [true, false, true]);

    let path = somebody(&mut world, "large").path.expect("a transport");
    assert!(path.connected && path.available_bps.unwrap() > 1_000_000 && path.loss == Some(0.0), "{path:?}");
    assert!((40..=150).contains(&path.round_trip_ms.unwrap()), "{path:?}");
}

#[test]
fn a_narrow_path_is_the_reason_and_shows_what_would_be_sent() {
    let mut world = World::seeded(901);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    wish(&mut world, bob, alice, 1280, true);
    world.run_for(secs(3));
    let mid = world[bob].slots[0].mid;
    for _ in 0..6 {
        // What a receiver says binds, and a path that is asked at once has no time to be measured.
        world.send_remb(bob, mid, 400_000);
        world.run_for(secs(1));
    }
    let view = somebody_on(&mut world, "bob").subscriptions.remove(0);
    assert_eq!(size(view.wanted.as_ref()), Some((1280, 720)), "{view:?}");
    assert!(view.forwarded.as_ref().is_some_and(|layer| layer.bitrate < 600_000), "{view:?}");
    assert_eq!(view.reason, Some(LayerReason::Bandwidth), "{view:?}");
    let path = somebody_on(&mut world, "bob").path.unwrap();
    assert!(path.available_bps.unwrap() <= 400_000, "{path:?}");
}

fn somebody_on(world: &mut World, name: &str) -> ParticipantView {
    let now = world.instant();
    let found = world.edge.shard_mut(0).inspect(now, ROOM, Some(name), &page(10)).expect("the room");
    found.items.into_iter().next().expect("somebody")
}

#[test]
fn audio_has_its_reasons_too() {
    let mut world = World::sharded(902, 1, |config| config.audio_top_k = 1);
    world.joined(Joining::new("alice").publishing(SourcePlan { level: -10, ..SourcePlan::microphone() }));
    world.joined(Joining::new("ben").publishing(SourcePlan { level: -40, ..SourcePlan::microphone() }));
    world.joined(Joining::new("carol").slots(2, 0));
    world.run_for(secs(3));
    let carol = somebody_on(&mut world, "carol");
    let reason = |of: &str| carol.subscriptions.iter().find(|view| view.participant == of).and_then(|view| view.reason);
    assert_eq!((reason("alice"), reason("ben")), (Some(LayerReason::Best), Some(LayerReason::NotAmongLoudest)));
    assert!(somebody_on(&mut world, "ben").publications[0].held_back);
}

#[test]
fn pages_tell_everybody_once_and_end() {
    let mut world = World::seeded(903);
    for number in 0..7 {
        world.joined(Joining::new("person").numbered(number));
    }
    let now = world.instant();
    let mut query = page(3);
    let (mut told, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let part = world.edge.shard_mut(0).inspect(now, ROOM, None, &query).expect("the room");
        sizes.push(part.items.len());
        told.extend(part.items.iter().map(|view| view.id.clone()));
        query.after = told.last().map(|id| id.0.clone());
        if !part.more {
            break;
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert!(told.is_sorted() && told.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(told.len(), 7);
    assert!(world.edge.shard_mut(0).inspect(now, "elsewhere", None, &page(3)).is_none());
    let rooms = world.edge.shard_mut(0).rooms(&page(10));
    let [room] = &rooms.items[..] else { panic!("{rooms:?}") };
    assert_eq!((room.room.as_str(), room.participants, room.publications, rooms.more), (ROOM, 7, 0, false));
}

/// A page ends when it has become work, however few people it tells of.
#[test]
fn a_page_is_bounded_in_work() {
    let mut world = World::seeded(904);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::microphone()));
    for _ in 1..12 {
        world.grow(alice, vec![SourcePlan::microphone()], 0, 0);
    }
    for number in 0..60 {
        world.joined(Joining::new("person").numbered(number).slots(12, 0));
    }
    world.run_for(secs(1));
    let now = world.instant();
    let part = world.edge.shard_mut(0).inspect(now, ROOM, None, &page(1_000)).expect("the room");
    let subscriptions: usize = part.items.iter().map(|view| view.subscriptions.len()).sum();
    assert!(part.more && (500..512).contains(&subscriptions), "{subscriptions} of 720");
}
