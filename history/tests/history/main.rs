//! The history on real databases: files in a folder of the test's own, and a PostgreSQL server. File names are promises; [`world`] is what they share.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can't go on has found its fault"
)]

mod postgres_server;
mod rows_are_kept_in_both_databases;
mod servers_come_and_go;
mod world;
