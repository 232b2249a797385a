//! Clients on two edges that are linked: they see, hear and write to each other as on one, and each packet crosses the link once.

use crate::edge::Edge;
use crate::lossy_link::LossyLink;
use crate::media::{BLUE, Clips, RED, shows, sounds};
use crate::{PATIENCE, connected, folder, options, receives};
use nearcast_native::{Client, Message, Notice, Received};
use nearcast_protocol::client::Source;

/// As in the call on one edge.
const FRAMES: u64 = 120;
const PACKETS: u64 = 200;

fn pair() -> (Edge, Edge) {
    let first = Edge::linked_to(&[]);
    let second = Edge::linked_to(&[first.relay.unwrap()]);
    first.wait_for_links(1);
    second.wait_for_links(1);
    (first, second)
}

fn media(edge: &Edge, what: &str) -> u64 {
    let relayed = edge.relayed();
    relayed[what].as_u64().unwrap_or_else(|| panic!("no {what} in {relayed}"))
}

/// Nothing is missing of what came from somebody.
fn came_whole(received: &Received, from: &str) {
    let (picture, sound) = (received.of(from, Source::Camera).unwrap(), received.of(from, Source::Microphone).unwrap());
    assert_eq!((picture.lost, picture.publications), (0, 1), "{picture:?}");
    assert_eq!((sound.lost, sound.publications), (0, 1), "{sound:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_on_two_edges_see_hear_and_write_to_each_other() {
    let folder = folder("two-edges");
    let (red, blue) = (Clips::make(&folder, RED), Clips::make(&folder, BLUE));
    let (first, second) = pair();
    let mut ana = Client::join(options(&first, &folder, "ana", Some(&red))).await.unwrap();
    connected(&mut ana).await;
    let mut ben = Client::join(options(&second, &folder, "ben", Some(&blue))).await.unwrap();
    connected(&mut ben).await;
    for client in [&mut ana, &mut ben] {
        client.wait("a channel", PATIENCE, |notice| matches!(notice, Notice::ChannelOpen { reliable: true, .. })).await.unwrap();
    }
    receives(&mut ana, "ben", FRAMES, PACKETS).await;
    receives(&mut ben, "ana", FRAMES, PACKETS).await;
    for (reliable, text) in [(true, "surely"), (false, "perhaps")] {
        ana.send(Message { text: text.to_owned(), to: None, topic: None }, reliable).await.unwrap();
        let is_it = |notice: &Notice| matches!(notice, Notice::Data { text: Some(came), .. } if came == text);
        ben.wait(text, PATIENCE, is_it).await.unwrap();
    }
    let ben_report = ben.stop().await.unwrap();
    ana.wait("that ben left", PATIENCE, |notice| matches!(notice, Notice::ParticipantLeft { identity } if identity == "ben"))
        .await
        .unwrap();
    let ana_report = ana.stop().await.unwrap();
    assert_eq!((first.count("participants"), second.count("participants")), (0, 0), "nobody is left");
    assert_eq!((first.count("participants_elsewhere"), second.count("participants_elsewhere")), (0, 0), "and no ghost");
    for (report, from, look, other) in [(&ana_report, "ben", BLUE, RED), (&ben_report, "ana", RED, BLUE)] {
        came_whole(&report.received, from);
        let picture = report.received.of(from, Source::Camera).unwrap();
        let frames = shows(picture, look);
        assert!(frames as u64 >= FRAMES, "{frames} frames decoded of {picture:?}");
        let margin = sounds(report.received.of(from, Source::Microphone).unwrap(), look, other);
        println!("of {from}: {frames} frames, tone {margin:.0} dB above anything else");
    }
}

/// Whoever many watch on the other edge, a packet crosses once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_copy_crosses_for_three_viewers() {
    let folder = folder("three-viewers");
    let red = Clips::make(&folder, RED);
    let (first, second) = pair();
    let mut viewers = Vec::new();
    for name in ["ben", "cem", "dan"] {
        viewers.push(Client::join(options(&second, &folder, name, None)).await.unwrap());
    }
    for viewer in &mut viewers {
        connected(viewer).await;
    }
    let mut ana = Client::join(options(&first, &folder, "ana", Some(&red))).await.unwrap();
    connected(&mut ana).await;
    for viewer in &mut viewers {
        receives(viewer, "ana", FRAMES, PACKETS).await;
    }
    let (crossed, forwarded) = (media(&first, "sent"), second.count("packets_forwarded"));
    for viewer in viewers {
        came_whole(&viewer.stop().await.unwrap().received, "ana");
    }
    println!("{crossed} crossed, {forwarded} were forwarded");
    assert!(crossed > 0 && forwarded > crossed * 5 / 2, "{crossed} crossed for {forwarded} forwarded to three");
    ana.stop().await.unwrap();
}

/// Every fiftieth datagram between the edges is lost, and nobody but the edges notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_link_loses_it_repairs_itself() {
    let folder = folder("lossy-edges");
    let red = Clips::make(&folder, RED);
    let first = Edge::linked_to(&[]);
    let link = LossyLink::between_edges(first.relay.unwrap(), 50).await;
    let second = Edge::linked_to(&[link.address]);
    second.wait_for_links(1);
    let mut ana = Client::join(options(&first, &folder, "ana", Some(&red))).await.unwrap();
    connected(&mut ana).await;
    let mut ben = Client::join(options(&second, &folder, "ben", None)).await.unwrap();
    connected(&mut ben).await;
    receives(&mut ben, "ana", 2 * FRAMES, 2 * PACKETS).await;
    let (lost, missed, recovered) = (link.lost(), media(&second, "missed"), media(&second, "recovered"));
    came_whole(&ben.stop().await.unwrap().received, "ana");
    let report = ana.stop().await.unwrap();
    let camera = report.published.iter().find(|published| published.source == Source::Camera).unwrap();
    println!("{lost} lost, {missed} missed, {recovered} recovered; {} key frames asked", camera.key_frames_asked);
    assert!(missed > 5 && media(&second, "lost") == 0, "{lost} lost, {missed} missed, {recovered} recovered");
    assert!(camera.key_frames_asked <= 3, "a storm: {camera:?}");
}
