//! Two native clients see, hear and write to each other, and nobody else.

use crate::edge::Edge;
use crate::media::{BLUE, Clips, RED, shows, sounds};
use crate::{PATIENCE, connected, folder, options, receives};
use nearcast_native::{Client, Message, Notice, Report};
use nearcast_protocol::client::Source;

/// Four seconds of video, and the sound of that time: sender reports come once a second, each a second after the other at worst.
const FRAMES: u64 = 120;
const PACKETS: u64 = 200;

/// Waits for messages, in whatever order: what is lossy may overtake what is not.
async fn hears(client: &mut Client, wanted: &[(&str, bool)]) {
    let mut missing = wanted.to_vec();
    let what = format!("the messages {wanted:?}");
    let is_last = |notice: &Notice| {
        if let Notice::Data { text: Some(text), reliable, .. } = notice {
            missing.retain(|message| *message != (text.as_str(), *reliable));
        }
        missing.is_empty()
    };
    client.wait(&what, PATIENCE, is_last).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_see_hear_and_write_to_each_other() {
    let folder = folder("two-clients");
    let (red, blue) = (Clips::make(&folder, RED), Clips::make(&folder, BLUE));
    let edge = Edge::start();
    let mut ana = Client::join(options(&edge, &folder, "ana", Some(&red))).await.unwrap();
    connected(&mut ana).await;
    let mut ben = Client::join(options(&edge, &folder, "ben", Some(&blue))).await.unwrap();
    connected(&mut ben).await;
    for client in [&mut ana, &mut ben] {
        client.wait("a channel", PATIENCE, |notice| matches!(notice, Notice::ChannelOpen { reliable: true, .. })).await.unwrap();
    }

    receives(&mut ana, "ben", FRAMES, PACKETS).await;
    receives(&mut ben, "ana", FRAMES, PACKETS).await;
    let message = |text: &str, to: Option<&str>| Message { text: text.to_owned(), to: to.map(ToOwned::to_owned), topic: None };
    ana.send(message("to all", None), true).await.unwrap();
    ana.send(message("to all, perhaps", None), false).await.unwrap();
    hears(&mut ben, &[("to all", true), ("to all, perhaps", false)]).await;
    let ana_id = ana.participant().to_owned();
    ben.send(message("to ana", Some(&ana_id)), true).await.unwrap();
    hears(&mut ana, &[("to ana", true)]).await;

    let ben_report = ben.stop().await.unwrap();
    ana.wait("that ben left", PATIENCE, |notice| matches!(notice, Notice::ParticipantLeft { identity } if identity == "ben"))
        .await
        .unwrap();
    let ana_report = ana.stop().await.unwrap();
    assert_eq!(edge.count("participants"), 0, "nobody is left");
    // The edge probes a path with packets that were sent already, on the repair stream.
    let probes = edge.count("probe_packets");

    for (report, from, look, other) in [(&ana_report, "ben", BLUE, RED), (&ben_report, "ana", RED, BLUE)] {
        let picture = report.received.of(from, Source::Camera).unwrap();
        let sound = report.received.of(from, Source::Microphone).unwrap();
        assert_eq!(report.received.0.len(), 2, "one slot each, and no third: {report:?}");
        assert_eq!((picture.lost, picture.publications), (0, 1), "{picture:?}");
        assert!(picture.duplicates <= probes, "{probes} probes, {picture:?}");
        assert_eq!((sound.lost, sound.duplicates, sound.publications), (0, 0, 1), "{sound:?}");
        let frames = shows(picture, look);
        assert!(frames as u64 >= FRAMES, "{frames} frames decoded of {picture:?}");
        let margin = sounds(sound, look, other);
        println!("of {from}: {frames} frames, tone {margin:.0} dB above anything else; {:?}", report.timings);
    }
    transport_is_as_promised(&ana_report);
    transport_is_as_promised(&ben_report);
}

/// AES-GCM was picked though offered along with HMAC-SHA1, and both halves of RTCP flow.
fn transport_is_as_promised(report: &Report) {
    assert!(report.transport.srtp_cipher.contains("GCM"), "{:?}", report.transport);
    for kind in ["sender_report", "receiver_report", "twcc"] {
        assert!(report.rtcp.received.contains_key(kind), "no {kind} came: {:?}", report.rtcp);
    }
    assert_eq!(report.closed, None);
    for published in &report.published {
        assert!(published.frames > 0, "{published:?}");
    }
}
