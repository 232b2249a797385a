//! Where the edge might be made to send, and other people's WHIP sessions.

use crate::guest::Joined;
use crate::stage::{Stage, Verdict};
use crate::wire::{Thrown, answers, stranger};
use nearcast_load::LoadError;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer takes no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// P11. Offers full of candidates: a socket of ours on loopback, the metadata service, names. Nothing is sent to an address that no
/// authenticated check came from, so the socket hears nothing; and nothing is looked up.
pub(super) fn candidates(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let (trap, mut verdict) = (stranger(), Verdict::default());
    let port = trap.local_addr().expect("an address").port();
    let lines = [
        format!("a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"),
        format!("a=candidate:2 1 udp 2130706430 ::ffff:127.0.0.1 {port} typ host"),
        "a=candidate:3 1 udp 2130706429 169.254.169.254 80 typ host".to_owned(),
        "a=candidate:4 1 udp 2130706428 metadata.internal 80 typ host".to_owned(),
        "a=candidate:5 1 tcp 2130706427 127.0.0.1 9 typ host tcptype passive".to_owned(),
        "a=candidate:6 1 udp 2130706426 3f2b1a9c-0000-4000-8000-000000000000.local 9 typ host".to_owned(),
    ];
    let before = stage.count("total/core/datagrams_out")?;
    let mut held = Vec::new();
    for number in 0..50 {
        let with = |sdp: String| sdp.replace("a=setup:actpass", &format!("{}\r\na=setup:passive", lines.join("\r\n")));
        let joined = Joined::enter(&stage.edge, "p11", &format!("candidates-{number}"), with);
        verdict.thrown.note(lines.iter().map(String::len).sum());
        // Refusing is as good.
        held.extend(joined);
    }
    std::thread::sleep(stage.length.min(Duration::from_secs(2)));
    let came = answers(&trap);
    verdict.hold(came.count == 0, format!("{} datagrams came to a candidate", came.count));
    let elsewhere: u64 = held.iter().map(|joined| answers(&joined.socket).count).sum();
    verdict.hold(elsewhere == 0, "somebody was sent something before a check");
    verdict.note = format!(
        "{} of 50 offers answered; the trap heard nothing; {} datagrams left for the call",
        held.len(),
        stage.count("total/core/datagrams_out")? - before
    );
    Ok(verdict)
}

/// The status, head and all of an answer.
fn ask(http: SocketAddr, request: &str, thrown: &mut Thrown) -> Result<(u16, String), LoadError> {
    let doing = "asking by HTTP";
    let mut stream = TcpStream::connect_timeout(&http, PATIENCE).map_err(LoadError::system(doing))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(LoadError::system(doing))?;
    thrown.note(request.len());
    // An edge that has heard enough answers and closes while this is still being sent.
    let _all = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _until_closed = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, answer))
}

/// P13. A session is ended by its owner alone, and by nothing that isn't its.
pub(super) fn whip(stage: &mut Stage) -> Result<Verdict, LoadError> {
    let http = stage.edge.http();
    let mut thrown = Thrown::default();
    let mut verdict = Verdict::default();
    let (owner, other, elsewhere) =
        (stage.edge.token("p13", "owner")?, stage.edge.token("p13", "other")?, stage.edge.token("p13-b", "owner")?);
    let offer = include_str!("../../../../sfu-core/src/sdp/fixtures/gstreamer-sendrecv.offer.sdp");
    let request = |method: &str, path: &str, token: &str, kind: &str, body: &str, more: &str| {
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        )
    };
    let (status, answer) = ask(http, &request("POST", "/whip/p13", &owner, "application/sdp", offer, ""), &mut thrown)?;
    verdict.hold(status == 201, format!("an honest offer was answered with {status}: {answer}"));
    let header = |name: &str| {
        answer.lines().find_map(|line| line.to_ascii_lowercase().starts_with(name).then(|| line[name.len()..].trim().to_owned()))
    };
    let path = header("location:").unwrap_or_default();
    verdict.hold(path.starts_with("/whip/p13/"), format!("the session is at {path:?}"));
    let fragment = "application/trickle-ice-sdpfrag";
    let restart = "a=ice-ufrag:mall\r\na=ice-pwd:0123456789012345678901234\r\n";
    let rows: [(&str, String, &[u16]); 10] = [
        ("DELETE by another identity", request("DELETE", &path, &other, "", "", ""), &[403]),
        ("DELETE with a token of another room", request("DELETE", &path, &elsewhere, "", "", ""), &[401, 403, 404]),
        ("DELETE under the player's path", request("DELETE", &path.replace("/whip/", "/whep/"), &owner, "", "", ""), &[404]),
        ("DELETE of a guessed session", request("DELETE", "/whip/p13/00000000000000000000000000000000", &owner, "", "", ""), &[404]),
        ("DELETE with a wrong tag", request("DELETE", &path, &owner, "", "", "If-Match: \"nobody\"\r\n"), &[412]),
        ("PATCH by another identity", request("PATCH", &path, &other, fragment, restart, "If-Match: \"*\"\r\n"), &[403]),
        ("PATCH with a wrong tag", request("PATCH", &path, &owner, fragment, restart, "If-Match: \"nobody\"\r\n"), &[412, 428]),
        ("a body of 2 MB", request("POST", "/whip/p13", &owner, "application/sdp", &"a=x\r\n".repeat(400_000), ""), &[413]),
        ("an offer that isn't one", request("POST", "/whip/p13", &owner, "application/sdp", "hello", ""), &[400, 422]),
        ("no token", request("POST", "/whip/p13", "", "application/sdp", offer, ""), &[401]),
    ];
    for (name, request, expected) in &rows {
        let (status, _) = ask(http, request, &mut thrown)?;
        verdict.hold(expected.contains(&status), format!("{name}: {status}"));
    }
    let mut refused = 0;
    for _ in 0..60 {
        let (status, _) = ask(http, &request("POST", "/whip/p13", &other, "application/sdp", offer, ""), &mut thrown)?;
        refused += u32::from(status == 429);
    }
    verdict.hold(refused > 10, format!("60 sessions at once, of which {refused} were too many"));
    let (status, _) = ask(http, &request("DELETE", &path, &owner, "", "", ""), &mut thrown)?;
    verdict.hold(status == 200, format!("the owner's DELETE: {status}; the session was gone before"));
    verdict.note =
        format!("{} kinds of abuse refused; {refused} of 60 offers in a row were too many (429); the owner ended its session", rows.len());
    verdict.thrown = thrown;
    Ok(verdict)
}
