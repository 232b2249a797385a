//! What comes over the WebSocket, and over TCP before it is one.

use crate::stage::{KEY_ID, KEY_SECRET, ROOM, Stage, Verdict};
use crate::wire::Thrown;
use aws_lc_rs::hmac;
use nearcast_load::LoadError;
use nearcast_load::process::resident_kb;
use nearcast_load::server::Server;
use nearcast_protocol::{ErrorCode, SUBPROTOCOL_JSON, ServerMessage, wire::Json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// An answer takes no longer, or the edge has a fault.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn open(http: SocketAddr, query: &str) -> Result<WebSocket<TcpStream>, LoadError> {
    let doing = "opening a WebSocket";
    let stream = TcpStream::connect_timeout(&http, PATIENCE).map_err(LoadError::system(doing))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(LoadError::system(doing))?;
    let mut request = format!("ws://{http}/v1/signal{query}").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL_JSON.parse().expect("a header"));
    tungstenite::client(request, stream).map(|(socket, _)| socket).map_err(|error| LoadError::refused(doing, error))
}

/// The code of the refusal that ends a connection, or refuses a request.
pub(crate) fn refusal(socket: &mut WebSocket<TcpStream>) -> Option<ErrorCode> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => match ServerMessage::from_json(text.as_str()) {
                Ok(ServerMessage::Failed { error, .. } | ServerMessage::Closed { error }) => return Some(error.code),
                Ok(ServerMessage::Joined(_)) => return None,
                _ => {}
            },
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

/// The code with which a connection is closed.
fn goodbye(socket: &mut WebSocket<TcpStream>) -> Option<ErrorCode> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                if let Ok(ServerMessage::Closed { error }) = ServerMessage::from_json(text.as_str()) {
                    return Some(error.code);
                }
            }
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

/// P10. Refused before anything of that size is held.
pub(super) fn large_and_deep(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let (http, memory, mut thrown) = (stage.edge.http(), resident_kb(stage.edge.pid())?, Thrown::default());
    let mut verdict = Verdict::default();
    for _ in 0..20 {
        let mut socket = open(http, "")?;
        // A text frame, masked, whose length says 1 GB; and a little of it.
        let head = [&[0x81, 0xff][..], &(1_u64 << 30).to_be_bytes(), &[1, 2, 3, 4], &[0; 4_096]].concat();
        socket.get_mut().write_all(&head).map_err(LoadError::system("sending a frame of 1 GB"))?;
        thrown.note(head.len());
        let code = refusal(&mut socket);
        verdict.hold(code == Some(ErrorCode::LimitReached), format!("a frame of 1 GB was answered with {code:?}"));
    }
    for (text, name) in [("[".repeat(100_000), "arrays"), (r#"{"a":"#.repeat(40_000), "objects")] {
        let mut socket = open(http, "")?;
        thrown.note(text.len());
        socket.send(Message::text(text)).map_err(|error| LoadError::refused("sending deep JSON", error))?;
        let code = refusal(&mut socket);
        verdict.hold(code == Some(ErrorCode::BadMessage), format!("{name} in one another were answered with {code:?}"));
    }
    let grown = resident_kb(stage.edge.pid())? as i64 - memory as i64;
    verdict.note = format!("all refused; {grown} kB more while they came");
    verdict.hold(grown < 4_096, format!("{grown} kB more"));
    verdict.thrown = thrown;
    Ok(verdict)
}

/// P10. Connections that send a byte now and then; people who come in the meantime still get in.
pub(super) fn slow_heads(stage: &mut Stage) -> Result<Verdict, LoadError> {
    const HELD: usize = 400;
    let (http, mut held, mut thrown) = (stage.edge.http(), Vec::new(), Thrown::default());
    let began = Instant::now();
    for _ in 0..HELD {
        let mut stream = TcpStream::connect_timeout(&http, PATIENCE).map_err(LoadError::system("opening a slow connection"))?;
        stream.write_all(b"GET /v1/signal HTTP/1.1\r\nHost: x\r\nX: ").map_err(LoadError::system("sending slowly"))?;
        thrown.note(40);
        held.push(stream);
    }
    let mut verdict = Verdict::default();
    let came = Instant::now();
    let socket = open(http, "")?;
    verdict.note = format!("{HELD} held, while the next one got in after {} ms", came.elapsed().as_millis());
    drop(socket);
    // They are let go after ten seconds; the whole of that is waited for where there is time.
    if stage.length >= Duration::from_secs(3) {
        while began.elapsed() < Duration::from_secs(12) {
            for stream in &mut held {
                // Refused by the other side: that is what is waited for.
                let _closed = stream.write_all(b"y");
                thrown.note(1);
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        let open = held.iter_mut().map(is_open).filter(|open| *open).count();
        verdict.note += &format!("; {open} left after 12 s");
        verdict.hold(open == 0, format!("{open} half-sent requests are still held"));
    }
    verdict.thrown = thrown;
    Ok(verdict)
}

fn is_open(stream: &mut TcpStream) -> bool {
    let nonblocking = stream.set_nonblocking(true).is_ok();
    nonblocking && matches!(stream.read(&mut [0; 256]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// P10. As many requests as a socket takes: the pace ends the connection, and the room goes on.
pub(super) fn subscribe_storm(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let (http, mut thrown, mut connections, mut closed) = (stage.edge.http(), Thrown::default(), 0, 0);
    let began = Instant::now();
    while began.elapsed() < stage.length {
        let mut socket = open(http, "")?;
        let join = format!(r#"{{"id":1,"type":"join","token":"{}"}}"#, stage.edge.token(ROOM, "storm")?);
        socket.send(Message::text(join)).map_err(|error| LoadError::refused("joining", error))?;
        for number in 0..5_000 {
            let kind = if number % 2 == 0 { "subscribe" } else { "unsubscribe" };
            let text = format!(r#"{{"id":{number},"type":"{kind}","publication":"t_nobody"}}"#);
            thrown.note(text.len());
            if socket.send(Message::text(text)).is_err() {
                break;
            }
        }
        closed += u32::from(goodbye(&mut socket) == Some(ErrorCode::LimitReached));
        connections += 1;
    }
    let mut verdict = Verdict::of(thrown);
    verdict.note = format!("{closed} of {connections} connections closed for their pace");
    verdict.hold(closed == connections, format!("{closed} of {connections} were closed"));
    Ok(verdict)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |word, (place, byte)| word | u32::from(*byte) << (16 - 8 * place));
        (0..=chunk.len()).for_each(|place| out.push(char::from(DIGITS[(word >> (18 - 6 * place) & 63) as usize])));
    }
    out
}

fn token(header: &str, claims: &str, secret: &str) -> String {
    let signed = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", base64(tag.as_ref()))
}

/// P10. One row each: what is wrong with the token, and the code it has to be refused with.
pub(super) fn tokens(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = |room: &str, until: u64| format!(r#"{{"room":"{room}","sub":"mallory","exp":{until}}}"#);
    let header = |algorithm: &str, kid: &str| format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{kid}"}}"#);
    let good = claims(ROOM, now + 60);
    let signed = token(&header("HS256", KEY_ID), &good, KEY_SECRET);
    let unsigned = signed.rsplit_once('.').map_or_else(String::new, |(text, _)| format!("{text}."));
    let none = format!("{}.{}.", base64(header("none", KEY_ID).as_bytes()), base64(good.as_bytes()));
    let rows = [
        ("alg none", none, "", ErrorCode::TokenInvalid),
        ("no signature", unsigned, "", ErrorCode::TokenInvalid),
        ("alg HS512", token(&header("HS512", KEY_ID), &good, KEY_SECRET), "", ErrorCode::TokenInvalid),
        ("another secret", token(&header("HS256", KEY_ID), &good, "another-secret-of-enough-bytes-012345"), "", ErrorCode::TokenInvalid),
        ("an unknown key", token(&header("HS256", "nobody"), &good, KEY_SECRET), "", ErrorCode::TokenKeyUnknown),
        ("expired", token(&header("HS256", KEY_ID), &claims(ROOM, now - 60), KEY_SECRET), "", ErrorCode::TokenExpired),
        ("another room", signed.clone(), "?room=board", ErrorCode::TokenWrongRoom),
        ("no token", "a.b.c".to_owned(), "", ErrorCode::TokenInvalid),
        ("100 kB of token", "x".repeat(100_000), "", ErrorCode::TokenInvalid),
    ];
    let mut verdict = Verdict::default();
    for (name, token, query, expected) in &rows {
        let mut socket = open(stage.edge.http(), query)?;
        let join = format!(r#"{{"id":1,"type":"join","token":"{token}"}}"#);
        verdict.thrown.note(join.len());
        socket.send(Message::text(join)).map_err(|error| LoadError::refused("joining", error))?;
        let code = refusal(&mut socket);
        verdict.hold(code == Some(*expected), format!("{name}: {code:?} instead of {expected:?}"));
    }
    // And that it is the fault that is refused, not the form.
    let mut socket = open(stage.edge.http(), "")?;
    let join = format!(r#"{{"id":1,"type":"join","token":"{signed}"}}"#);
    socket.send(Message::text(join)).map_err(|error| LoadError::refused("joining", error))?;
    let code = refusal(&mut socket);
    verdict.hold(code.is_none(), format!("a good token was refused: {code:?}"));
    verdict.note = format!("{} kinds of bad token, each refused with its code", rows.len());
    Ok(verdict)
}
