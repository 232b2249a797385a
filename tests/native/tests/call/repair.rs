//! Every twentieth media packet is lost on each of the two links: NACK and RTX, up and down, make up for all of it.

use crate::edge::Edge;
use crate::lossy_link::LossyLink;
use crate::media::{Clips, RED, shows};
use crate::{connected, folder, options, receives};
use nearcast_native::{Client, JoinOptions};
use nearcast_protocol::client::Source;

/// 5 % on each link.
const EVERY: u64 = 20;
/// Three seconds.
const FRAMES: u64 = 90;
/// What the edge promises (sfu-core/src/forwarder/history.rs).
const RESENDS: u64 = 10;
/// NACKs for each packet that came of them, at most. One or two are usual; a machine that is busy with compilers answers late.
const REPEATS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_packets_are_repaired_on_both_links() {
    let folder = folder("repair");
    let clips = Clips::make(&folder, RED);
    let edge = Edge::start();
    let (up, down) = (LossyLink::to(edge.udp, EVERY).await, LossyLink::to(edge.udp, EVERY).await);
    let through = |link: &LossyLink, options: JoinOptions| JoinOptions { redirect: Some(link.address), ..options };
    let mut ana = Client::join(through(&up, options(&edge, &folder, "ana", Some(&clips)))).await.unwrap();
    connected(&mut ana).await;
    let mut ben = Client::join(through(&down, options(&edge, &folder, "ben", None))).await.unwrap();
    connected(&mut ben).await;
    receives(&mut ben, "ana", FRAMES, 1).await;
    let (got, sent) = (ben.stop().await.unwrap(), ana.stop().await.unwrap());

    let picture = got.received.of("ana", Source::Camera).unwrap();
    println!(
        "lost on the links: {} up, {} down; resent by the publisher {}, late at the receiver {}, twice {}, for good {}, under repair at the end {}; \
         edge: {} NACKs sent, {} received, {} packets resent, {} refused for being too many",
        up.lost(),
        down.lost(),
        sent.rtcp.resent,
        picture.late,
        picture.duplicates,
        picture.lost,
        picture.unfinished,
        edge.count("nacks_sent"),
        edge.count("nacks_received"),
        edge.count("packets_resent"),
        edge.count("resends_over_budget"),
    );
    let frames = shows(picture, RED);
    assert!(up.lost() > 0 && down.lost() > 0, "the links lose nothing");
    assert_eq!(picture.lost, 0, "lost for good: {picture:?}");
    assert!(picture.late > 0 && sent.rtcp.resent > 0, "nothing was repaired: {picture:?}, {:?}", sent.rtcp);
    assert!(frames as u64 >= FRAMES, "{frames} frames of {picture:?}");
    // This client names a packet again and again though the resend came: the edge resends each ten times and no more.
    let most = RESENDS * down.lost();
    assert!(edge.count("packets_resent") <= most, "{} packets resent, at most {most} expected", edge.count("packets_resent"));
    // Sound was negotiated without NACK, so its publisher keeps nothing to resend: asking for it would be in vain.
    let (asked, answered) = (edge.count("nacks_sent"), sent.rtcp.resent);
    assert!(asked <= REPEATS * answered, "{asked} NACKs for {answered} packets");
}
