use super::*;
use is::stun::TransId;

fn check(username: &str, password: &str) -> Vec<u8> {
    let mut buffer = vec![0; 500];
    let request = StunMessage::binding_request(username, TransId::new(), true, 7, 100, true);
    let length = request.to_bytes(Some(password.as_bytes()), &mut buffer, hmac_sha1).unwrap();
    buffer.truncate(length);
    buffer
}

fn answered(distance: &mut Distance, now: Instant, from: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
    let mut response = [0; 500];
    let length = distance.answer(now, from, &StunMessage::parse(datagram).unwrap(), datagram.len(), &mut response)?;
    Some(response[..length].to_vec())
}

#[test]
fn no_answer_is_longer_than_its_request() {
    let measuring = check("00measure:b", PWD);
    for from in ["192.0.2.1:5000", "[2001:db8::1]:5000"].map(|address| address.parse::<SocketAddr>().unwrap()) {
        let answer = answered(&mut Distance::default(), Instant::now(), from, &measuring).unwrap();
        let message = StunMessage::parse(&answer).unwrap();
        assert_eq!(message.mapped_address(), Some(from));
        assert!(message.verify(PWD.as_bytes(), hmac_sha1));
        assert!(answer.len() <= measuring.len(), "{} of {}", answer.len(), measuring.len());
        // Whoever sends less than it would get has no answer.
        let mut response = [0; 500];
        let message = StunMessage::parse(&measuring).unwrap();
        assert_eq!(Distance::default().answer(Instant::now(), from, &message, answer.len() - 1, &mut response), None);
    }
}

#[test]
fn so_many_are_answered_in_a_second() {
    let (mut distance, now, from) = (Distance::default(), Instant::now(), "192.0.2.1:5000".parse().unwrap());
    let measuring = check("00measure:b", PWD);
    let count = |distance: &mut Distance, now| (0..A_SECOND + 100).filter(|_| answered(distance, now, from, &measuring).is_some()).count();
    assert_eq!(count(&mut distance, now), A_SECOND as usize);
    assert_eq!(answered(&mut distance, now + Duration::from_millis(999), from, &measuring), None);
    assert_eq!(count(&mut distance, now + Duration::from_secs(1)), A_SECOND as usize);
}

#[test]
fn what_is_not_authentic_takes_nobodys_place() {
    let (mut distance, now, from) = (Distance::default(), Instant::now(), "192.0.2.1:5000".parse().unwrap());
    for forged in [check("00measure:b", "another-password-of-22-chars"), check("00other:b", PWD)] {
        assert_eq!(answered(&mut distance, now, from, &forged), None);
    }
    assert_eq!(distance.answered, 0);
}
