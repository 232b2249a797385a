//! The bench measures what it says: with few participants and a short window, every figure is there and is possible.
//!
//! Needs the release build of the edge, as `churn.rs` does. Says nothing about how fast the edge is.

use nearcast_load::scenario::ALL;
use serde_json::Value;
use std::process::Command;

#[test]
fn a_quick_bench_forwards_everything_and_fills_every_column() {
    let json = std::env::temp_dir().join(format!("nearcast-load-quick-{}.json", std::process::id()));
    let mut bench = Command::new(env!("CARGO_BIN_EXE_nearcast-load"));
    let bench = bench.args(["bench", "--quick", "--server", "nearcast", "--json"]).arg(&json).output().unwrap();
    let (table, errors) = (String::from_utf8_lossy(&bench.stdout), String::from_utf8_lossy(&bench.stderr));
    assert!(bench.status.success(), "{errors}");
    assert!(table.contains("1→200"), "{table}");
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    std::fs::remove_file(&json).unwrap();
    assert_eq!(rows.len(), ALL.len());
    let (mut asked, mut answered) = (0.0, Vec::new());
    for (row, scenario) in rows.iter().zip(ALL) {
        let figure = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("{name} is missing: {row}"));
        assert_eq!(figure("loss"), 0.0, "{row}");
        assert!(figure("us_per_packet") > figure("floor_us") * 0.5 && figure("floor_us") > 0.1, "{row}");
        assert!(figure("p50_us") <= figure("p99_us") && figure("p99_us") <= figure("p999_us") && figure("p50_us") > 0.0, "{row}");
        if !scenario.media.video.is_empty() {
            asked += figure("resends_asked");
            answered.extend((figure("resends_asked") > 0.0).then(|| figure("resends_answered")));
        }
    }
    assert!(asked > 0.0, "feedback is heard");
    // A row asks for two or three packets in its second, or for none where a machine stands still, and one answer may come after its end.
    let mean = answered.iter().sum::<f64>() / answered.len() as f64;
    assert!(mean > 0.7, "what is asked again is sent again: {answered:?}");
    // Four subscribers and 247 packets a second each. How many of them fall into a second depends on its two ends.
    let first = rows[0]["packets_per_second"].as_f64().unwrap();
    assert!((500.0..1500.0).contains(&first), "{first}");
}
