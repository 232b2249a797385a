use super::*;
use crate::process::CpuTime;

const CORES: Cores = Cores { server: 0, clients: 1, publishers: 1 };

fn window(us: u64) -> Window {
    let cpu = CpuTime { ran: Duration::from_micros(us * 1000), ..CpuTime::default() };
    Window { length: Duration::from_secs(1), cpu, sent: 1000, runs: 500, arrived: 1000, received: 999, expected: 1000, ..Window::default() }
}

fn floor(us: u64) -> FloorMeasure {
    FloorMeasure { datagrams: 1000, runs: 400, cpu: Duration::from_micros(us * 1000), ..FloorMeasure::default() }
}

fn row(windows: &[Window], floors: &[FloorMeasure], cores: Cores) -> Row {
    let mut row = Row::default();
    row.summarise(windows, floors, cores);
    row
}

#[test]
fn figures_are_medians_over_the_windows() {
    let row = row(&[window(9), window(3), window(4)], &[floor(2), floor(8), floor(1)], CORES);
    assert_eq!((row.us_per_packet, row.floor_us, row.ratio, row.pps_per_core), (4.0, 2.0, 2.0, 250_000.0));
    assert_eq!((row.datagrams_per_run, row.floor_datagrams_per_run), (2.0, 2.5));
    assert!((row.loss - 0.001).abs() < 1e-9);
    assert_eq!(row.note, "");
    assert_eq!(median(&[4.0, 1.0]), 2.5);
}

#[test]
fn what_spoils_a_figure_is_said() {
    let cases: [(Window, &str); 7] = [
        (
            Window { clients: vec![Duration::from_millis(500), Duration::from_millis(460)], ..window(1) },
            "the load's core was saturated (96 %)",
        ),
        (window(990), "the server's core was saturated (99 %)"),
        (Window { cpu: CpuTime { waited: Duration::from_millis(60), ..window(1).cpu }, ..window(1) }, "for 6 % of a window"),
        (Window { others: Duration::from_millis(1500), ..window(1) }, "other processes used 1.5 cores"),
        (Window { arrived: 980, ..window(1) }, "differ by 2.0 %"),
        (Window { overflows: 7, ..window(1) }, "7 datagrams dropped"),
        (Window { nacks: 3, ..window(1) }, "3 packets were asked of publishers again"),
    ];
    for (window, expected) in cases {
        let note = row(&[window], &[floor(1)], CORES).note;
        assert!(note.contains(expected), "{note:?} has no {expected:?}");
    }
    let apart = Cores { publishers: 2, ..CORES };
    let busy = Window { clients: vec![Duration::from_millis(500), Duration::from_millis(460)], ..window(1) };
    assert_eq!(row(&[busy], &[floor(1)], apart).note, "", "two cores share the work");
}

#[test]
fn a_missed_target_is_named() {
    let mut row = row(&[window(4)], &[floor(2)], CORES);
    row.judge(&Targets::default(), None);
    assert!(row.targets.is_empty() && row.note.is_empty());
    let targets = Targets { ratio: Some(1.6), us_per_packet: Some(5.0), times_cheaper: Some(20.0), least_cpu: 0.2, ..Targets::default() };
    row.judge(&targets, Some(&Row { us_per_packet: 40.0, ..Row::default() }));
    let missed: Vec<_> = row.missed().collect();
    assert_eq!(
        missed,
        [" with : 2.00 × the floor (at most 1.60)", " with : 10.00 times cheaper a packet than the other server (at least 20.00)"]
    );
    assert_eq!(row.targets.iter().filter(|verdict| verdict.met).count(), 1);
    assert!(row.note.contains("less than the 20 %"), "{}", row.note);
}

#[test]
fn rows_have_the_columns_that_others_read() {
    let file = std::env::temp_dir().join(format!("nearcast-load-rows-{}.json", std::process::id()));
    write_rows(&[row(&[window(4)], &[floor(2)], CORES)], &file).unwrap();
    let read: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    std::fs::remove_file(&file).unwrap();
    let names = "scenario server us_per_packet floor_us ratio pps_per_core rss_kb_per_subscriber loss p50_us p99_us p999_us setup_ms_per_peer \
                 cpu_percent datagrams_per_run targets";
    for name in names.split(' ') {
        assert!(read[0].get(name).is_some(), "{name} is missing");
    }
}
