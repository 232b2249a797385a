//! Shards and their threads, without HTTP.

use super::*;
use crate::config::Flags;
use link::Outgoing;
use nearcast_protocol::{ErrorCode, Join, Permissions, ServerMessage};
use sfu_core::{Admission, Command, ConnectionId, ModePolicy};
use tokio::sync::Notify;

const PATIENCE: Duration = Duration::from_secs(10);

fn start(shards: u8) -> (Media, mpsc::Receiver<String>) {
    let flags =
        Flags { dev: Some("true".to_owned()), udp: Some("127.0.0.1:0".to_owned()), shards: Some(shards.to_string()), ..Flags::default() };
    let (sender, fatal) = mpsc::channel(1);
    (Media::start(&Config::load(&flags, []).unwrap(), None, &sender, None).unwrap().0, fatal)
}

/// A room name that lives on that shard.
fn room_on(media: &Media, shard: usize) -> String {
    let count = media.shard_count() as u64;
    (0..1000).map(|number| format!("room-{number}")).find(|name| stable_hash(name.as_bytes()) % count == shard as u64).unwrap()
}

async fn join(media: &Media, room: &str, connection: u64) -> mpsc::Receiver<Box<ServerMessage>> {
    let (queue, mut messages) = mpsc::channel(64);
    let connection = ConnectionId(connection);
    let admission = Admission {
        room: room.to_owned(),
        identity: format!("somebody-{}", connection.0),
        name: "Somebody".to_owned(),
        role: None,
        permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
        mode: ModePolicy::default(),
        max_participants: None,
        forwarding: None,
    };
    let command = Command::Join { connection, request: 1, admission, continuation: None, join: Join::default() };
    let outgoing = Outgoing { queue, overflow: Arc::new(Notify::new()) };
    assert!(media.shard_for(room, None).unwrap().send(Input::Join { connection, outgoing, command }).await);
    assert!(matches!(next(&mut messages).await, Some(ServerMessage::Joined(_))));
    messages
}

async fn next(messages: &mut mpsc::Receiver<Box<ServerMessage>>) -> Option<ServerMessage> {
    tokio::time::timeout(PATIENCE, messages.recv()).await.unwrap().map(|message| *message)
}

fn closed_with(message: Option<ServerMessage>) -> ErrorCode {
    match message {
        Some(ServerMessage::Closed { error }) => error.code,
        other => panic!("not closed: {other:?}"),
    }
}

#[test]
fn a_room_always_lives_on_the_same_shard() {
    // Written down, since another edge and the next version must agree.
    assert_eq!(stable_hash(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(stable_hash(b"lobby"), 0x1cca_e3b6_ef72_f533);
}

#[tokio::test]
async fn rooms_spread_over_shards_and_every_shard_answers() {
    let (media, _fatal) = start(2);
    let _messages = [join(&media, &room_on(&media, 0), 1).await, join(&media, &room_on(&media, 1), 2).await];
    for report in media.reports(PATIENCE).await {
        let report = report.unwrap();
        assert_eq!((report.core.participants, report.thread.connections), (1, 1));
    }
    media.stop(PATIENCE).await;
}

#[tokio::test]
async fn a_stop_tells_everybody() {
    let (media, _fatal) = start(2);
    let mut everybody = [join(&media, &room_on(&media, 0), 1).await, join(&media, &room_on(&media, 1), 2).await];
    media.stop(PATIENCE).await;
    for messages in &mut everybody {
        assert_eq!(closed_with(next(messages).await), ErrorCode::ShuttingDown);
        assert_eq!(next(messages).await, None);
    }
    assert!(media.reports(PATIENCE).await.iter().all(Option::is_none));
}

#[tokio::test]
async fn a_panic_costs_one_shard_its_rooms_and_nobody_else() {
    let (media, mut fatal) = start(2);
    let (broken, healthy) = (room_on(&media, 0), room_on(&media, 1));
    let mut unlucky = join(&media, &broken, 1).await;
    let _lucky = join(&media, &healthy, 2).await;
    assert!(media.shard_for(&broken, None).unwrap().send(Input::Panic).await);
    assert_eq!(closed_with(next(&mut unlucky).await), ErrorCode::Internal);
    assert_eq!(next(&mut unlucky).await, None);
    let _again = join(&media, &broken, 3).await;
    let reports = media.reports(PATIENCE).await;
    let counts: Vec<_> = reports.iter().flatten().map(|report| (report.thread.restarts, report.core.participants)).collect();
    assert_eq!(counts, [(1, 1), (0, 1)]);
    assert!(fatal.try_recv().is_err());
    media.stop(PATIENCE).await;
}

#[tokio::test]
async fn panic_after_panic_ends_the_process() {
    let (media, mut fatal) = start(1);
    for _ in 0..=thread::RESTARTS {
        assert!(media.shard_for("any", None).unwrap().send(Input::Panic).await);
    }
    let why = tokio::time::timeout(PATIENCE, fatal.recv()).await.unwrap().unwrap();
    assert!(why.contains("shard 0 panicked 4 times"), "{why}");
    media.stop(PATIENCE).await;
}

#[tokio::test]
async fn a_queue_that_is_not_read_is_given_up() {
    let (media, _fatal) = start(1);
    let (queue, mut messages) = mpsc::channel(1);
    let overflow = Arc::new(Notify::new());
    let slow = ConnectionId(1);
    let admission = Admission {
        room: "lobby".to_owned(),
        identity: "slow".to_owned(),
        name: "Slow".to_owned(),
        role: None,
        permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
        mode: ModePolicy::default(),
        max_participants: None,
        forwarding: None,
    };
    let command = Command::Join { connection: slow, request: 1, admission, continuation: None, join: Join::default() };
    let outgoing = Outgoing { queue, overflow: Arc::clone(&overflow) };
    media.shard_for("lobby", None).unwrap().send(Input::Join { connection: slow, outgoing, command }).await;
    // `joined` fills the queue; that somebody else joined doesn't fit any more.
    let _other = join(&media, "lobby", 2).await;
    tokio::time::timeout(PATIENCE, overflow.notified()).await.unwrap();
    assert!(matches!(next(&mut messages).await, Some(ServerMessage::Joined(_))));
    assert_eq!(next(&mut messages).await, None);
    assert_eq!(media.reports(PATIENCE).await[0].unwrap().thread.slow_readers, 1);
    media.stop(PATIENCE).await;
}
