//! Two edges in another region than the publisher's: one copy of what is published comes there, and one edge passes it on to the other.

use crate::edge::Edge;
use crate::media::{Clips, RED};
use crate::{PATIENCE, connected, folder, options, receives};
use nearcast_native::Client;
use nearcast_protocol::client::Source;
use std::time::{Duration, Instant};

const FRAMES: u64 = 60;
const PACKETS: u64 = 100;

fn sent(edge: &Edge) -> u64 {
    edge.relayed()["sent"].as_u64().unwrap()
}

/// Waits until something holds, asking now and then.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_far_edges_get_one_copy_together() {
    let folder = folder("far-edges");
    let red = Clips::make(&folder, RED);
    let home = Edge::linked_in("eu", &[]);
    let near = home.relay.unwrap();
    let first = Edge::linked_in("us", &[near]);
    let second = Edge::linked_in("us", &[near, first.relay.unwrap()]);
    [&home, &first, &second].into_iter().for_each(|edge| edge.wait_for_links(2));
    let mut ana = Client::join(options(&home, &folder, "ana", Some(&red))).await.unwrap();
    connected(&mut ana).await;
    let mut viewers = Vec::new();
    for (edge, name) in [(&first, "ben"), (&second, "cem")] {
        let mut viewer = Client::join(options(edge, &folder, name, None)).await.unwrap();
        connected(&mut viewer).await;
        viewers.push(viewer);
    }
    let far = [&first, &second];
    until("camera and microphone come over the other edge", || far.map(|edge| edge.count("adoptions")).iter().sum::<u64>() == 2).await;
    let passed_on = || far.map(|edge| edge.count("passed_on")).iter().sum::<u64>();
    let began = (sent(&home), passed_on());
    for viewer in &mut viewers {
        receives(viewer, "ana", FRAMES, PACKETS).await;
    }
    until("a hundred packets are passed on", || passed_on() >= began.1 + 100).await;
    let (crossed, passed_on) = (sent(&home) - began.0, passed_on() - began.1);
    println!("{crossed} crossed from the home, {passed_on} were passed on");
    assert!(crossed < passed_on + passed_on / 2, "{crossed} crossed for {passed_on} passed on");
    // The last one at an edge that passes it on goes last: the other would have it from the home for the moment that is left.
    if first.count("children") > 0 {
        viewers.reverse();
    }
    for viewer in viewers {
        let received = viewer.stop().await.unwrap().received;
        for source in [Source::Camera, Source::Microphone] {
            let came = received.of("ana", source).unwrap();
            assert_eq!((came.lost, came.publications), (0, 1), "{came:?}");
        }
    }
    ana.stop().await.unwrap();
    for edge in [&home, &first, &second] {
        assert_eq!((edge.count("branches"), edge.count("children"), edge.count("participants_elsewhere")), (0, 0, 0));
    }
}
