//! A room on three real edges, in small: everybody knows everybody and hears every packet, and each link carries one copy. About seven seconds.
//!
//! Needs the release build of the edge, as `churn.rs` does.

use nearcast_load::big_room::{self, Plan};
use nearcast_load::progress::Progress;
use nearcast_load::rush;
use nearcast_load::server::find_edge;
use std::time::Duration;

#[test]
fn sixty_on_three_edges_hear_every_packet_and_each_link_carries_one_copy() {
    let people = rush::Plan { joins: 59, room: 59, within: Duration::from_secs(2) };
    let plan = Plan { people, speech: Duration::from_secs(3), frames: 6 };
    let report = big_room::run(&find_edge(None), plan, Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    println!("{report}");
    assert_eq!((report.joins.joined, report.joins.later, report.joins.failed), (59, 0, 0));
    assert!(report.edges.iter().all(|edge| edge.participants + edge.elsewhere == 60), "{report}");
    // A machine that stands still for a fifth of a second loses sound in front of a link.
    assert!(report.published > 20 && report.share() > 0.9 && report.share() <= 1.0, "{report}");
    // What is repaired between the edges isn't counted twice.
    let crossed: Vec<_> = report.edges.iter().map(|edge| edge.crossed).collect();
    assert!(crossed[0] <= report.published * 2 && crossed[1..] == [0, 0], "{report}");
}
