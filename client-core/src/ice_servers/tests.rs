//! What failed is left out for a while, and never all of it.

use super::*;
use alloc::format;

fn at(seconds: u64) -> MonoTime {
    MonoTime::from_micros(seconds * 1_000_000)
}

fn server(first: usize, addresses: usize) -> IceServer {
    let urls = (first..first + addresses).map(|number| format!("turn:{number}.example")).collect();
    IceServer { urls, username: None, credential: None, lifetime_s: None }
}

/// Four addresses of three servers.
fn four() -> IceServers {
    let mut servers = IceServers::default();
    servers.named(&[server(0, 1), server(1, 2), server(3, 1)]);
    servers
}

#[test]
fn an_address_that_failed_is_left_out_for_five_minutes() {
    let mut servers = four();
    assert_eq!(servers.failed(at(0)), 0);
    servers.tried(at(10), 1, false);
    assert_eq!(servers.failed(at(11)), 0b10, "its server's other address stays");
    servers.tried(at(12), 2, false);
    assert_eq!(servers.failed(at(13)), 0b110);
    assert_eq!(servers.failed(at(311)), 0b100);
    assert_eq!(servers.failed(at(313)), 0);
}

#[test]
fn one_that_works_on_some_network_is_not_failed_by_another() {
    let mut servers = four();
    servers.tried(at(10), 3, true);
    servers.tried(at(12), 3, false);
    assert_eq!(servers.failed(at(13)), 0);
    servers.tried(at(60), 3, false);
    assert_eq!(servers.failed(at(61)), 0b1000, "a minute later that is news");
    servers.tried(at(62), 3, true);
    assert_eq!(servers.failed(at(63)), 0);
}

#[test]
fn with_none_left_all_are_tried_and_another_network_begins_anew() {
    let mut servers = four();
    (0..4).for_each(|address| servers.tried(at(10), address, false));
    assert_eq!(servers.failed(at(11)), 0);
    servers.tried(at(12), 0, true);
    servers.named(&[server(0, 4)]);
    assert_eq!(servers.failed(at(13)), 0b1110, "what is known stays when they are named again, with fresh credentials");
    servers.forget();
    assert_eq!(servers.failed(at(13)), 0);
    servers.tried(at(14), 1, false);
    servers.named(&[server(4, 5)]);
    assert_eq!(servers.failed(at(15)), 0, "others");
}

#[test]
fn what_failed_is_known_in_whatever_order_they_are_named() {
    let mut servers = four();
    servers.tried(at(10), 1, false);
    servers.named(&[server(3, 1), server(0, 2)]);
    assert_eq!(servers.failed(at(11)), 0b100);
    servers.tried(at(12), 0, false);
    servers.named(&[server(0, 4)]);
    assert_eq!(servers.failed(at(13)), 0b1010);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut servers = IceServers::default();
    servers.named(&(0..30).map(|number| server(30 * number, 30)).collect::<Vec<_>>());
    (0..=1000).chain([u32::MAX]).for_each(|address| servers.tried(at(1), address, false));
    servers.tried(at(2), 0, true);
    assert_eq!(servers.failed(at(3)), (1 << MAX_ADDRESSES) - 2);
}
