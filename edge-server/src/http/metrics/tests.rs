//! What Prometheus reads.

use super::*;
use serde_json::json;

#[test]
fn every_number_is_told_once() {
    let stats = json!({
        "uptime_s": 7,
        "signalling": {"open": 3, "joined": 5, "joins_refused": 2, "bad_messages": 1},
        "total": {
            "timing": {"setup": {"count": 4, "sum_us": 12_500_000, "within": [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]}},
            "core": {"quality_poor": 30, "dtls_failed": 1, "rooms": 2, "bytes_in": 10, "bytes_out": 20, "dropped_stun": 4, "dropped_srtp": 6, "nacks_sent": 8},
            "thread": {"turns": 9},
            "send": {"calls": 11},
            "tcp": {"tcp_connections": 1, "tcp_accepted": 12},
        },
        "join_refusals": {"token-expired": 2},
        "turn": null,
        "admission": {"cpu": 0.25, "busy": true, "refused": 13},
    });
    let text = describe(stats).unwrap();
    for line in [
        "# TYPE nearcast_rooms gauge",
        "nearcast_rooms 2.0",
        "nearcast_websockets 3.0",
        "nearcast_uptime_seconds 7",
        "# TYPE nearcast_joins counter",
        "nearcast_joins_total{result=\"joined\"} 5",
        "nearcast_joins_total{result=\"refused\"} 2",
        "nearcast_join_refusals_total{reason=\"token-expired\"} 2",
        "nearcast_quality_seconds_total{level=\"poor\"} 30",
        "nearcast_connections_failed_total{reason=\"handshake\"} 1",
        "# TYPE nearcast_connection_setup_seconds histogram",
        "nearcast_connection_setup_seconds_bucket{le=\"0.0001\"} 1",
        "nearcast_connection_setup_seconds_bucket{le=\"0.1\"} 3",
        "nearcast_connection_setup_seconds_bucket{le=\"+Inf\"} 4",
        "nearcast_connection_setup_seconds_sum 12.5",
        "nearcast_media_bytes_total{direction=\"out\"} 20",
        "nearcast_packets_dropped_total{reason=\"stun\"} 4",
        "nearcast_packets_dropped_total{reason=\"srtp\"} 6",
        "nearcast_core_nacks_sent_total 8",
        "nearcast_thread_turns_total 9",
        "nearcast_send_calls_total 11",
        "nearcast_tcp_accepted_total 12",
        "# TYPE nearcast_tcp_connections gauge",
        "nearcast_cpu_share 0.25",
        "nearcast_admission_busy 1.0",
        "nearcast_admission_refused_total 13",
        "nearcast_signalling_bad_messages_total 1",
    ] {
        assert_eq!(text.lines().filter(|known| *known == line).count(), 1, "{line}: {text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn a_thread_that_does_not_answer_leaves_the_rest() {
    let text = describe(json!({"uptime_s": 1, "signalling": {"joined": 1}, "total": null})).unwrap();
    assert!(text.contains("nearcast_joins_total{result=\"joined\"} 1") && !text.contains("nearcast_rooms"), "{text}");
}
