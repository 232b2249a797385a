//! The edge from outside: real sockets on ephemeral ports. File names are promises; [`world`] is what they share.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that can't go on has found its fault")]

mod connections_have_bounds;
mod drains_end_http_sessions;
mod dtls_client;
mod edges_are_linked;
mod edges_share_rooms;
mod full_edges_take_nobody_new;
mod history_is_kept;
mod hostile_clients_are_refused;
mod http_answers;
mod http_sessions_publish_and_play;
mod media_comes_by_tcp;
mod media_reaches_its_shard;
mod moderators_keep_order;
mod one_port_takes_everything;
mod packets_meet_no_lock;
mod participants_move;
mod people_join_and_leave;
#[path = "../../../history/tests/history/postgres_server.rs"]
mod postgres_server;
mod proxy;
mod redis_server;
mod rooms_are_looked_into;
mod sessions_resume;
mod the_process_behaves;
mod tokens_open_one_room;
mod turn_relays_to_the_edge_and_nowhere_else;
mod ways_are_handed_out;
mod world;
