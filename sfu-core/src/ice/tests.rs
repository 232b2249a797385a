use super::*;
use crate::remote::Via;

fn credentials(ufrag: &str, pwd: &str) -> IceCredentials {
    IceCredentials { ufrag: ufrag.into(), pwd: pwd.into() }
}

fn agent() -> IceLite {
    IceLite::new(credentials("edge", "edge-password-of-22-chars"), "browser".into())
}

fn check(username: &str, password: &str, nominate: bool) -> Vec<u8> {
    let mut buffer = vec![0; 500];
    let request = StunMessage::binding_request(username, TransId::new(), true, 7, 100, nominate);
    let length = request.to_bytes(Some(password.as_bytes()), &mut buffer, hmac_sha1).unwrap();
    buffer.truncate(length);
    buffer
}

fn address(port: u16) -> Remote {
    SocketAddr::from(([192, 0, 2, 1], port)).into()
}

fn handle(agent: &mut IceLite, from: Remote, datagram: &[u8]) -> Option<Check> {
    let mut response = [0; 500];
    let message = StunMessage::parse(datagram).unwrap();
    let (check, length) = agent.handle_check(Instant::now(), from, &message, &mut response)?;
    let reply = StunMessage::parse(&response[..length]).unwrap();
    assert_eq!(reply.mapped_address(), Some(from.address));
    assert!(length <= datagram.len() + 20, "an answer is no amplification");
    Some(check)
}

#[test]
fn unauthenticated_checks_change_nothing() {
    let mut agent = agent();
    assert_eq!(handle(&mut agent, address(1), &check("edge:browser", "guessed-password-of-22-chars", true)), None);
    assert_eq!(handle(&mut agent, address(1), &check("edge:other", "guessed-password-of-22-chars", true)), None);
    assert_eq!(handle(&mut agent, address(1), &check("other:browser", "edge-password-of-22-chars", true)), None);
    assert_eq!((agent.nominated(), agent.last_check()), (None, None));
}

#[test]
fn the_last_nomination_wins() {
    let mut agent = agent();
    let nominate = check("edge:browser", "edge-password-of-22-chars", true);
    assert_eq!(handle(&mut agent, address(1), &check("edge:browser", "edge-password-of-22-chars", false)), Some(Check::Valid));
    assert_eq!(agent.nominated(), None);
    assert_eq!(handle(&mut agent, address(1), &nominate), Some(Check::Nominated));
    assert_eq!(handle(&mut agent, address(2), &nominate), Some(Check::Nominated));
    assert_eq!(agent.nominated(), Some(address(2)));
}

#[test]
fn old_credentials_work_until_the_new_ones_are_used() {
    let mut agent = agent();
    let old = check("edge:browser", "edge-password-of-22-chars", true);
    assert_eq!(handle(&mut agent, address(1), &old), Some(Check::Nominated));
    agent.restart(credentials("edge2", "second-password-22-characters"), "browser2".into());
    assert_eq!(handle(&mut agent, address(1), &old), Some(Check::Valid), "keeps the old path alive, can't move it");
    assert_eq!(handle(&mut agent, address(2), &check("edge2:browser2", "second-password-22-characters", true)), Some(Check::Nominated));
    assert_eq!(handle(&mut agent, address(1), &old), None);
    assert_eq!(agent.nominated(), Some(address(2)));
}

#[test]
fn who_begins_anew_without_telling_is_known_by_the_password() {
    let mut agent = agent();
    let named = |name: &str| check(&format!("edge:{name}"), "edge-password-of-22-chars", true);
    handle(&mut agent, address(1), &named("browser"));
    assert_eq!(handle(&mut agent, address(2), &named("again")), Some(Check::Nominated));
    assert_eq!(agent.remote_ufrag(), "again", "an offer with that name is no restart");
    assert_eq!(handle(&mut agent, address(1), &named("browser")), Some(Check::Valid), "a late check doesn't move media back");
    assert_eq!(agent.nominated(), Some(address(2)));
    assert_eq!(handle(&mut agent, address(3), &named("and-again")), Some(Check::Nominated));
    // A restart that was told of has the last word.
    agent.restart(credentials("edge2", "second-password-22-characters"), "told".into());
    assert_eq!(handle(&mut agent, address(4), &check("edge2:told", "second-password-22-characters", true)), Some(Check::Nominated));
    assert_eq!(handle(&mut agent, address(3), &named("and-again")), None);
}

#[test]
fn a_nomination_may_move_between_udp_and_tcp() {
    let mut agent = agent();
    let nominate = check("edge:browser", "edge-password-of-22-chars", true);
    // The same address and port by both: two ways all the same.
    let over = |via| Remote { via, ..address(1) };
    for via in [Via::Udp, Via::Tcp(1), Via::Tcp(2), Via::Udp] {
        assert_eq!(handle(&mut agent, over(via), &nominate), Some(Check::Nominated));
        assert_eq!(agent.nominated(), Some(over(via)));
    }
}
