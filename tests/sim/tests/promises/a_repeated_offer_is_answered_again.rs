//! An offer whose answer was lost with the WebSocket is sent again after the resume: it must not publish twice, nor be refused.

use nearcast_protocol::ServerMessage;
use nearcast_sim::{Joining, World, ms, secs};
use str0m::media::{Direction, MediaKind};

#[test]
fn a_track_published_already_keeps_its_publication() {
    let mut world = World::seeded(170);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let publication = world[alice].publication(0);

    let reply = world.offer(alice, &[0], |changes| {
        changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
    });
    let ServerMessage::Answer { answer, .. } = reply else { panic!("not an answer: {reply:?}") };
    let [published] = &answer.published[..] else { panic!("one entry for one intent: {:?}", answer.published) };
    assert_eq!((published.publication.as_ref(), &published.error), (Some(&publication), &None));
    assert_eq!(world.stats().publications, 1);

    let before = world[bob].packets_of(alice, 0).len();
    world.run_for(ms(500));
    assert!(world[bob].packets_of(alice, 0).len() > before, "media goes on");
}
