//! Calls that were recorded once, in `tests/traces`: this version must decide the same, bit for bit. Anything that changes a decision shows up
//! here, wanted or not.
//!
//! When it is wanted: `NEARCAST_BLESS_TRACES=1 cargo test -p client-core --test session traces`, and look at the differences by
//! `cargo run -p client-core --example replay -- client-core/tests/traces/NAME.json`, before and after.

use crate::world::{World, camera, millis, participant, secs};
use client_core::trace::{Replay, Trace, What};
use client_core::{Input, RequestId, TransportState};
use nearcast_protocol::{
    ClientMessage, EncodingDemand, ErrorCode, ErrorInfo, LayerReason, LayerState, LeaveReason, Priority, ServerMessage, SlotBinding,
    Speaker, Wish,
};
use std::path::PathBuf;

#[path = "../../examples/replay/file.rs"]
mod file;

/// A call that somebody made up, and its name.
type Script = (&'static str, fn() -> World);

const SCRIPTS: [Script; 10] = [
    ("join_and_leave", join_and_leave),
    ("publish_mute_unpublish", publish_mute_unpublish),
    ("big_room", big_room),
    ("resume_after_a_lost_socket", resume_after_a_lost_socket),
    ("refused_token", refused_token),
    ("malformed_message", malformed_message),
    ("layers_and_wishes", layers_and_wishes),
    ("data_messages", data_messages),
    ("give_up_after_an_outage", give_up_after_an_outage),
    ("overloaded_edge_after_a_restart", overloaded_edge_after_a_restart),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/traces")
}

fn path(name: &str) -> PathBuf {
    folder().join(name).with_extension("json")
}

#[test]
fn every_committed_trace_replays_bit_for_bit() {
    if std::env::var_os("NEARCAST_BLESS_TRACES").is_some() {
        for (name, script) in SCRIPTS {
            std::fs::write(path(name), json(&script().session.trace())).unwrap();
        }
    }
    for (name, _) in SCRIPTS {
        let file = file::read(&std::fs::read_to_string(path(name)).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!file.sdk.is_empty() && !file.exported_at.is_empty() && !file.user_agent.is_empty(), "{name} says where it comes from");
        let trace = &file.trace;
        match trace.replay().unwrap() {
            Replay::Identical => assert_eq!(trace.replayable(), trace.entries().len(), "{name} is whole"),
            Replay::Differs { place, replayed } => {
                let words = |entry: Option<&client_core::trace::Entry>| entry.map_or("nothing more".to_owned(), ToString::to_string);
                let (recorded, now) = (words(trace.entries().get(place)), words(replayed.as_ref()));
                panic!("{name} differs at entry {place}:\nrecorded {recorded}\nnow      {now}\nIf that is wanted: see {}", file!());
            }
        }
    }
}

#[test]
fn no_other_traces_lie_around() {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut found: Vec<_> = files.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let mut known: Vec<_> = SCRIPTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn a_decision_that_changed_is_found() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    world.run_for(secs(1));
    let bytes = world.session.trace();
    let reason = b"socket-closed";
    let at = bytes.windows(reason.len()).position(|window| window == reason).unwrap();
    let mut forged = bytes.clone();
    forged[at] ^= 1;
    assert_eq!(Trace::read(&bytes).unwrap().replay().unwrap(), Replay::Identical);
    let forged = Trace::read(&forged).unwrap();
    let Replay::Differs { place, replayed } = forged.replay().unwrap() else { panic!("not found") };
    assert_eq!(forged.entries()[place].to_string(), "Step taken=[resuming rocket-closed - 0]");
    assert_eq!(replayed.unwrap().to_string(), "Step taken=[resuming socket-closed - 0]");
}

#[test]
fn readings_of_statistics_come_back_bit_for_bit() {
    let mut world = World::joined(1, vec![participant("ada", vec![camera("cam")])]);
    let readings: Vec<Vec<f64>> =
        (0..5).map(|second| vec![f64::NAN, f64::from(second) * 1377.25, -0.0, 1.7e12 + f64::from(second)]).collect();
    for reading in &readings {
        world.run_for(secs(1));
        world.input(Input::Stats(reading.clone()));
    }
    let trace = Trace::read(&world.session.trace()).unwrap();
    let bits = |reading: &Vec<f64>| reading.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    // The world itself answers with readings that are empty.
    let restored = trace.entries().iter().filter_map(|entry| match &entry.what {
        What::Input(input) => match input.as_ref() {
            Input::Stats(reading) if !reading.is_empty() => Some(bits(reading)),
            _ => None,
        },
        What::Timeout | What::Decision => None,
    });
    assert_eq!(restored.collect::<Vec<_>>(), readings.iter().map(bits).collect::<Vec<_>>());
    assert_eq!(trace.replay().unwrap(), Replay::Identical);
}

fn json(core: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in core.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            text.push(if place > three.len() { '=' } else { char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]) });
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{{\n  \"kind\": \"nearcast-trace\",\n  \"sdk\": \"{version}\",\n  \"userAgent\": \"client-core/tests/session\",\n  \
         \"exportedAt\": \"2026-01-01T00:00:00.000Z\",\n  \"core\": \"{text}\"\n}}\n"
    )
}

fn join_and_leave() -> World {
    let mut world = World::joined(1, vec![participant("ada", vec![camera("cam")]), participant("bob", vec![])]);
    world.input(Input::Transport(TransportState::Connected));
    bind(&mut world, "0", Some("cam"));
    quiet(&mut world, 12);
    world.receive(&ServerMessage::ParticipantLeft { participant: "bob".into(), reason: LeaveReason::Left });
    world.input(Input::Leave);
    world
}

fn publish_mute_unpublish() -> World {
    let mut world = World::joined(2, vec![]);
    world.publish(1);
    world.answer_offer();
    world.input(Input::Mute { request: RequestId(2), publication: "pub-9".into(), muted: true });
    answer_done(&mut world);
    world.input(Input::Unpublish { request: RequestId(3), publication: "pub-9".into() });
    answer_done(&mut world);
    world.publish(4);
    let id = world.take_request().id;
    world.receive(&ServerMessage::failed(id, ErrorCode::LimitReached, "no more than one camera"));
    world.input(Input::Leave);
    world
}

fn big_room() -> World {
    let mut world = World::joined(3, vec![]);
    for wanted in 1..=40_u16 {
        let (who, what) = (format!("guest-{wanted}"), format!("cam-{wanted}"));
        world.receive(&ServerMessage::ParticipantJoined { participant: participant(&who, vec![camera(&what)]) });
        world.receive(&ServerMessage::SlotsWanted { audio: 4, video: wanted });
        if !world.inbox.is_empty() {
            world.answer_offer();
        }
        bind(&mut world, &wanted.to_string(), Some(&what));
        let speakers = vec![Speaker { participant: who.as_str().into(), level: 90 }];
        world.receive(&ServerMessage::Speakers { speakers });
        world.run_for(millis(100));
        answer_pings(&mut world);
    }
    bind(&mut world, "1", Some("cam-40"));
    bind(&mut world, "2", None);
    world
}

fn resume_after_a_lost_socket() -> World {
    let mut world = World::joined(4, vec![participant("ada", vec![camera("cam")]), participant("bob", vec![])]);
    world.input(Input::Transport(TransportState::Connected));
    world.publish(1);
    world.lose_socket();
    world.input(Input::Subscribe { request: RequestId(2), publication: "cam".into() });
    world.run_for(millis(0));
    world.lose_socket();
    world.run_for(millis(400));
    world.open();
    world.token();
    let id = world.take_request().id;
    world.reply_joined(id, vec![participant("ada", vec![]), participant("eve", vec![camera("eve-cam")])], true);
    let subscribe = world.inbox.remove(0);
    assert!(matches!(subscribe.message, ClientMessage::Subscribe { .. }));
    world.receive(&ServerMessage::failed(subscribe.id, ErrorCode::PublicationUnknown, "gone"));
    world.answer_offer();
    world
}

fn refused_token() -> World {
    let mut world = World::seeded(5);
    world.input(Input::Start);
    world.run_for(millis(30));
    world.token();
    world.publish(1);
    world.run_for(millis(40));
    world.open();
    let join = world.take_request();
    world.receive(&ServerMessage::failed(join.id, ErrorCode::TokenExpired, "expired at noon"));
    world
}

fn malformed_message() -> World {
    let mut world = World::joined(6, vec![participant("ada", vec![])]);
    let socket = world.socket.unwrap();
    // A kind that a newer edge may have, then noise.
    world.input(Input::SocketMessage(socket, vec![0x82, 0x18, 0x63, 0x81, 0x61, b'x']));
    world.input(Input::SocketMessage(socket, vec![0xff, 0xff]));
    world.resume(vec![participant("ada", vec![])]);
    world
}

fn layers_and_wishes() -> World {
    let mut world = World::joined(7, vec![participant("ada", vec![camera("cam")])]);
    world.publish(1);
    world.answer_offer();
    bind(&mut world, "0", Some("cam"));
    let layer = |width, height, bitrate, reason| LayerState {
        publication: "cam".into(),
        width,
        height,
        fps: 30,
        bitrate,
        paused: width == 0,
        reason,
    };
    for (width, visible) in [(320, true), (640, true), (640, false)] {
        let priority = Priority::Speaker;
        world.input(Input::Wish(Wish { publication: "cam".into(), width, height: width * 9 / 16, visible, max_fps: 30, priority }));
        world.run_for(millis(60));
    }
    for (width, reason) in [(320, LayerReason::Wished), (0, LayerReason::Hidden), (160, LayerReason::Bandwidth)] {
        let layers = vec![layer(width, width / 2, u32::from(width) * 1000, reason)];
        world.receive(&ServerMessage::Layers { estimate: 700_000, layers });
    }
    for active in [false, true] {
        let encodings = vec![EncodingDemand { rid: "f".into(), active, spatial_layers: 0 }];
        world.receive(&ServerMessage::Encodings { publication: "pub-9".into(), encodings });
    }
    world
}

fn data_messages() -> World {
    use nearcast_protocol::DataFrame;
    use nearcast_protocol::wire::Cbor;
    let mut world = World::joined(8, vec![participant("ada", vec![])]);
    for (text, payload) in [(true, b"hello".to_vec()), (false, vec![1, 2, 3]), (true, vec![])] {
        let frame = DataFrame { from: Some("ada".into()), topic: Some("chat".into()), payload, text, ..DataFrame::default() };
        world.input(Input::Data { frame: frame.to_cbor(), reliable: text });
    }
    world.input(Input::Data { frame: vec![0x17], reliable: false });
    world
}

fn give_up_after_an_outage() -> World {
    let mut world = World::joined(9, vec![]);
    world.input(Input::Transport(TransportState::Connected));
    world.input(Input::Mute { request: RequestId(1), publication: "pub-9".into(), muted: true });
    world.lose_socket();
    while !world.is_closed() {
        world.run_for(millis(50));
        if world.socket.is_some() {
            world.lose_socket();
        }
    }
    world
}

fn overloaded_edge_after_a_restart() -> World {
    let mut world = World::joined(10, vec![]);
    world.input(Input::Transport(TransportState::Connected));
    for round in 0..6 {
        if world.socket.is_some() {
            world.lose_socket();
        }
        while world.socket.is_none() {
            world.run_for(millis(10));
        }
        world.open();
        if round == 2 {
            world.input(Input::Token(None));
            continue;
        }
        world.token();
        let id = world.take_request().id;
        let error = ErrorInfo { retry_after_ms: Some(500), ..ErrorInfo::new(ErrorCode::Overloaded, "try later") };
        world.receive(&ServerMessage::Failed { id, error });
    }
    world.input(Input::NetworkAvailable);
    world.open();
    world.token();
    let id = world.take_request().id;
    world.reply_joined(id, vec![participant("ada", vec![])], true);
    world
}

fn bind(world: &mut World, mid: &str, publication: Option<&str>) {
    world.receive(&ServerMessage::Slot { binding: SlotBinding { mid: mid.into(), publication: publication.map(Into::into) } });
}

fn answer_done(world: &mut World) {
    let id = world.take_request().id;
    world.receive(&ServerMessage::Done { id });
}

/// Nothing happens for so many seconds, but pings.
fn quiet(world: &mut World, seconds: u64) {
    for _ in 0..seconds {
        world.run_for(secs(1));
        answer_pings(world);
    }
}

/// Where nothing else waits for an answer.
fn answer_pings(world: &mut World) {
    for ping in std::mem::take(&mut world.inbox) {
        world.receive(&ServerMessage::Pong { id: ping.id });
    }
}
