//! 500 participants come and go, in four ways, over real sockets: afterwards every table of the edge is empty and its memory flat.
//!
//! Needs the release build of the edge, which `make build` (and the stage before this in `make test`) makes.

use nearcast_load::churn;
use nearcast_load::progress::Progress;
use nearcast_load::server::find_edge;

#[test]
fn nothing_of_a_participant_stays() {
    let report = churn::run(&find_edge(None), 500, Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    println!("{report}");
    assert_eq!(report.samples.iter().map(|sample| sample.cycles).collect::<Vec<_>>(), [100, 200, 300, 400, 500]);
}
