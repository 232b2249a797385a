use super::*;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

const LONGEST: usize = 1000;
const MASK: [u8; 4] = [1, 2, 3, 4];

fn pair() -> (Socket<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(1 << 20);
    (Socket::new(ours, LONGEST), theirs)
}

/// A client's frame.
fn frame(opcode: OpCode, is_final: bool, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { is_final, opcode, mask: Some(MASK), ..FrameHeader::default() };
    let mut bytes = Vec::new();
    header.format(payload.len() as u64, &mut bytes).unwrap();
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn text(payload: &str, is_final: bool) -> Vec<u8> {
    frame(OpCode::Data(Data::Text), is_final, payload.as_bytes())
}

fn more(payload: &[u8], is_final: bool) -> Vec<u8> {
    frame(OpCode::Data(Data::Continue), is_final, payload)
}

fn ping(payload: &[u8]) -> Vec<u8> {
    frame(OpCode::Control(Control::Ping), true, payload)
}

/// What comes of these bytes and the end of the connection behind them.
async fn heard(bytes: &[u8]) -> Vec<Result<Message, String>> {
    let (mut socket, mut client) = pair();
    client.write_all(bytes).await.unwrap();
    drop(client);
    let mut heard = Vec::new();
    while let Some(message) = socket.recv().await {
        let broken = message.is_err();
        heard.push(message.map_err(|error| error.to_string()));
        if broken {
            break;
        }
    }
    heard
}

#[tokio::test]
async fn messages_come_whole_however_they_were_cut() {
    let sent = [text("one", true), text("tw", false), ping(b"?"), more(b"o", true), frame(OpCode::Data(Data::Binary), true, &[0; 700])];
    let expected =
        [Message::Text("one".to_owned()), Message::Ping(b"?".to_vec()), Message::Text("two".to_owned()), Message::Binary(vec![0; 700])];
    assert_eq!(heard(&sent.concat()).await, expected.clone().map(Ok));
    // And byte by byte.
    let (mut socket, mut client) = pair();
    let mut came = Vec::new();
    for byte in sent.concat() {
        client.write_all(&[byte]).await.unwrap();
        socket.read().await.unwrap();
        came.extend(socket.take().unwrap());
    }
    assert_eq!(came, expected);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_by_its_header() {
    let refused = || vec![Err("a message of more than 1000 bytes".to_owned())];
    // 8 bytes of header that promise a gigabyte.
    let header = FrameHeader { opcode: OpCode::Data(Data::Binary), mask: Some(MASK), ..FrameHeader::default() };
    let mut promise = Vec::new();
    header.format(1 << 30, &mut promise).unwrap();
    assert_eq!(heard(&promise).await, refused());
    assert_eq!(heard(&text(&"x".repeat(1001), true)).await, refused());
    assert_eq!(heard(&[text(&"x".repeat(600), false), more(&[b'x'; 401], true)].concat()).await, refused());
    assert_eq!(heard(&[text(&"x".repeat(600), false), more(&[b'x'; 400], true)].concat()).await, [Ok(Message::Text("x".repeat(1000)))]);
}

#[tokio::test]
async fn nothing_is_lost_when_reading_is_given_up() {
    let (mut socket, mut client) = pair();
    let message = [text("he", false), more(b"llo", true)].concat();
    for byte in message.get(..message.len() - 1).unwrap() {
        client.write_all(&[*byte]).await.unwrap();
        tokio::select! {
            biased;
            heard = socket.recv() => panic!("{heard:?}"),
            () = std::future::ready(()) => (),
        }
    }
    client.write_all(message.get(message.len() - 1..).unwrap()).await.unwrap();
    assert_eq!(socket.recv().await.unwrap().unwrap(), Message::Text("hello".to_owned()));
}

#[tokio::test]
async fn what_is_held_goes_before_the_next_message() {
    let (mut socket, mut client) = pair();
    let says = |text: &str| Message::Text(text.to_owned());
    let frames = |texts: &[&str]| texts.iter().flat_map(|text| frame_of(says(text)).unwrap()).collect::<Vec<_>>();
    assert!(socket.hold(says("one")).unwrap() && socket.hold(says("two")).unwrap() && socket.holds());
    socket.send(says("three")).await.unwrap();
    assert!(!socket.holds() && socket.held.capacity() == 0);
    assert!(socket.hold(says("four")).unwrap());
    socket.send_held().await.unwrap();
    assert!(!socket.hold(says(&"x".repeat(MOST_HELD))).unwrap(), "so much is not held");
    let expected = frames(&["one", "two", "three", "four"]);
    let mut sent = vec![0; expected.len()];
    client.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn nothing_is_kept_between_messages() {
    let (mut socket, mut client) = pair();
    client.write_all(&[text(&"x".repeat(900), false), more(b"y", true)].concat()).await.unwrap();
    socket.recv().await.unwrap().unwrap();
    socket.send(Message::Text("z".repeat(100_000))).await.unwrap();
    assert_eq!((socket.received.capacity(), socket.parts.is_none()), (0, true));
}

#[tokio::test]
async fn what_no_client_sends_ends_the_connection() {
    let unmasked = [0x81, 1, b'x'];
    let compressed = {
        let mut bytes = text("x", true);
        bytes[0] |= 0x40;
        bytes
    };
    let unknown = {
        let mut bytes = text("x", true);
        bytes[0] |= 0x03;
        bytes
    };
    let close = |payload: &[u8]| frame(OpCode::Control(Control::Close), true, payload);
    let cases: [(&[u8], &str); 10] = [
        (&unmasked, "without a mask"),
        (&compressed, "wasn't agreed on"),
        (&unknown, "of no known kind"),
        (&ping(&[0; 126]), "too long"),
        (&frame(OpCode::Control(Control::Ping), false, b""), "in parts"),
        (&more(b"x", true), "a part of no message"),
        (&[text("x", false), text("y", true)].concat(), "inside another"),
        (&frame(OpCode::Data(Data::Text), true, &[0xff]), "isn't UTF-8"),
        (&close(&[3]), "half a close code"),
        (&close(&[3, 232, 0xff]), "isn't UTF-8"),
    ];
    for (bytes, why) in cases {
        let heard = heard(bytes).await;
        assert!(matches!(heard.as_slice(), [Err(error)] if error.contains(why)), "{why}: {heard:?}");
    }
}

#[tokio::test]
async fn what_is_sent_is_what_the_library_reads() {
    let (mut socket, client) = pair();
    let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
    let mut client = tokio_tungstenite::WebSocketStream::from_raw_socket(client, role, None).await;
    let closing = Some(Closing { code: 4001, reason: "gone".to_owned() });
    let long = "x".repeat(70_000);
    for message in [Message::Text(String::new()), Message::Text(long.clone()), Message::Binary(vec![7; 200]), Message::Close(closing)] {
        socket.send(message).await.unwrap();
    }
    use futures_util::StreamExt;
    use tokio_tungstenite::tungstenite::Message as Theirs;
    let mut read = Vec::new();
    for _ in 0..4 {
        read.push(client.next().await.unwrap().unwrap());
    }
    // Its answer goes when it is asked for more; then it waits for us to hang up.
    tokio::select! {
        biased;
        more = client.next() => panic!("{more:?}"),
        answer = socket.recv() => {
            assert_eq!(answer.unwrap().unwrap(), Message::Close(Some(Closing { code: 4001, reason: "gone".to_owned() })));
        }
    }
    let [Theirs::Text(empty), Theirs::Text(text), Theirs::Binary(bytes), Theirs::Close(Some(close))] = read.as_slice() else {
        panic!("{read:?}")
    };
    assert!(empty.is_empty() && text.as_str() == long && bytes.as_ref() == [7; 200]);
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4001, "gone"));
}
