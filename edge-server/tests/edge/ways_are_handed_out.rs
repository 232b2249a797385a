//! What a client may need when the direct way fails: other edges, STUN, TURN with credentials that don't run out.

use crate::world::{Client, flags, start};
use nearcast_protocol::ServerMessage;

#[tokio::test]
async fn other_edges_and_servers_come_with_the_join() {
    let mut flags = flags();
    flags.edges = vec!["https://two.example".to_owned(), "https://three.example/edge".to_owned()];
    flags.stun_servers = vec!["stun:stun.example:3478".to_owned()];
    let edge = start(&flags).await;
    let (_client, joined) = Client::joined(&edge, "lobby", "alice").await;
    assert_eq!(joined.edges, ["https://two.example", "https://three.example/edge"]);
    assert_eq!(joined.ice_servers.len(), 1);
    assert_eq!(joined.ice_servers[0].urls, ["stun:stun.example:3478"]);
}

#[tokio::test]
async fn fresh_credentials_come_before_the_old_ones_expire() {
    let mut flags = flags();
    flags.turn_servers = vec!["turn:turn.example:3478".to_owned()];
    flags.turn_secret = Some("north".to_owned());
    flags.turn_lifetime = Some("2s".to_owned());
    let edge = start(&flags).await;
    let (mut client, joined) = Client::joined(&edge, "lobby", "alice").await;
    let expiry = |servers: &[nearcast_protocol::IceServer]| {
        let username = servers[0].username.clone().unwrap();
        let (expiry, identity) = username.split_once(':').unwrap();
        assert_eq!((identity, servers[0].lifetime_s), ("alice", Some(2)));
        expiry.parse::<u64>().unwrap()
    };
    let mut known = expiry(&joined.ice_servers);
    for _ in 0..2 {
        let fresh = client
            .wait_for(|message| match message {
                ServerMessage::IceServers { servers } => Some(servers.clone()),
                _ => None,
            })
            .await;
        assert!(expiry(&fresh) > known);
        known = expiry(&fresh);
    }
}
