use super::*;
use stun_types::message::MessageWriteExt;

/// Answers each request as `answer` says, until the test ends.
async fn server(answer: impl Fn(usize, &Message<'_>, SocketAddr) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        for number in 0.. {
            let (size, from) = socket.recv_from(&mut buffer).await.unwrap();
            let request = Message::from_bytes(&buffer[..size]).unwrap();
            assert_eq!((request.method(), request.has_class(MessageClass::Request)), (BINDING, true));
            socket.send_to(&answer(number, &request, from), from).await.unwrap();
        }
    });
    address
}

fn success(request: &Message<'_>, seen_from: SocketAddr) -> Vec<u8> {
    let mapped = XorMappedAddress::new(seen_from, request.transaction_id());
    let mut answer = Message::builder_success(request, MessageWriteVec::new());
    answer.add_attribute(&mapped).unwrap();
    answer.finish()
}

#[tokio::test]
async fn a_server_tells_where_it_sees_us() {
    let seen: SocketAddr = "203.0.113.7:4000".parse().unwrap();
    let server = server(move |_, request, _| success(request, seen)).await;
    let answer = ask(server, 1).await.unwrap();
    assert_eq!(answer.seen_from, seen);
    assert!(answer.round_trip > Duration::ZERO);
    assert_eq!(discover("127.0.0.1", server.port()).await.unwrap(), [seen.ip()]);
}

#[tokio::test]
async fn only_the_answer_to_the_request_counts_and_a_lost_one_is_asked_for_again() {
    let server = server(|number, request, from| match number {
        0 => success(&Message::from_bytes(&Message::builder_request(BINDING, MessageWriteVec::new()).finish()).unwrap(), from),
        1 => b"noise".to_vec(),
        _ => success(request, from),
    })
    .await;
    assert!(ask(server, 3).await.unwrap().seen_from.ip().is_loopback());
}

#[tokio::test]
async fn where_nobody_listens_the_error_says_so() {
    // Bound and let go: nobody has the port now.
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    ask(nobody, 2).await.unwrap_err();
    assert!(discover("127.0.0.1", nobody.port()).await.is_err());
}
