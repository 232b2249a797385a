use super::*;
use crate::media::Codec;
use crate::trace::{Selection, Trace};

const CAMERA: Selection = Selection { file: "chromium-vp8-simulcast-720p.csv", codec: Codec::Vp8, video: &["f"], audio: true };

fn camera(seconds: u64) -> Trace {
    Trace::load(&CAMERA).unwrap().first(Duration::from_secs(seconds))
}

#[test]
fn runs_of_the_floor_are_as_long_as_asked() {
    let trace = camera(18);
    for asked in [1.0, 1.4, 1.9, 2.5, 3.0] {
        let (datagrams, runs) = Plan::new(&trace, asked).counts();
        assert!(datagrams + 30 > trace.packets.len(), "a frame at the end may be cut off, no more");
        let length = datagrams as f64 / runs as f64;
        assert!((length / asked - 1.0).abs() < 0.02, "asked for {asked}, got {length}");
    }
}

#[test]
fn no_run_is_longer_than_its_frame() {
    let plan = Plan::new(&camera(18), 1000.0);
    let (datagrams, runs) = plan.counts();
    assert_eq!(runs, plan.bursts.len(), "a frame is one run, an audio packet too");
    assert!(datagrams > runs * 2);
    let fits = |run: &Run| run.segment * run.segments <= usize::from(u16::MAX) - 28;
    assert!(plan.bursts.iter().flat_map(|burst| &burst.runs).all(fits), "one IP packet");
}

#[test]
fn sizes_are_those_of_forwarded_packets() {
    let trace = camera(6);
    let forwarded: usize = trace.packets.iter().map(|packet| packet.payload + HEADER + TAG).sum();
    let planned: usize = Plan::new(&trace, 2.0).bursts.iter().flat_map(|burst| &burst.runs).map(|run| run.segment * run.segments).sum();
    assert!((planned as f64 / forwarded as f64 - 1.0).abs() < 0.01, "{planned} of {forwarded}");
}

#[test]
fn several_publishers_send_their_own_share() {
    let one = Plan::new(&camera(1), 2.0);
    let three = one.clone().times(3);
    assert_eq!(three.counts().0, one.counts().0 * 3);
    assert!(three.bursts.is_sorted_by_key(|burst| burst.at));
}

#[test]
fn everything_sealed_arrives() {
    let plan = Plan::new(&camera(1).first(Duration::from_millis(200)), 2.0);
    let (datagrams, runs) = plan.counts();
    for runs_per_call in [1.0, 2.0, 100.0] {
        let sink = Sink::start(Destinations { count: 3, runs: true }, 0).unwrap();
        let mut sender = Sender::new(Cipher::Aes256Gcm, sink.addresses(), runs_per_call).unwrap();
        let measure = sender.send_all(&plan).unwrap();
        assert_eq!((measure.datagrams, measure.runs, measure.unsent), (datagrams as u64 * 3, runs as u64 * 3, 0));
        assert!(measure.cpu > Duration::ZERO);
        assert_eq!(measure.delays.count(), measure.datagrams);
        assert_eq!(sink.finish(), measure.datagrams);
    }
}

#[test]
fn sealing_changes_everything_but_the_header() {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[1; 16]).unwrap());
    let mut datagram = [7; 100];
    seal(&key, 1, &mut datagram).unwrap();
    assert_eq!(datagram[..HEADER], [7; HEADER]);
    assert_ne!(datagram[HEADER..40], [7; 28]);
    assert!(seal(&key, 2, &mut [0; HEADER + TAG - 1]).is_none());
}
