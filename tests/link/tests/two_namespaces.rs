//! The program between two real network namespaces: what it says it does to packets is what happens to them.
//!
//! Each test makes its own namespaces, anonymous ones that end with the process that holds them. Without the right to make
//! any, the tests say so and check nothing.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that can't go on has found its fault")]

use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

const NEAR: &str = "10.78.0.2";
const FAR: &str = "10.78.0.1";

/// Ends its process with itself.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two namespaces and the program between them.
struct Joined {
    program: Running,
    stdin: ChildStdin,
    answers: BufReader<std::process::ChildStdout>,
    near: Running,
    far: Running,
}

/// A namespace that lasts as long as the process returned.
fn namespace() -> Option<Running> {
    let mut holder = Command::new("unshare")
        .args(["--net", "sh", "-c", "echo made; exec sleep 120"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut line = String::new();
    BufReader::new(holder.stdout.take()?).read_line(&mut line).ok()?;
    let holder = Running(holder);
    (line == "made\n").then_some(holder)
}

impl Joined {
    fn start() -> Option<Self> {
        let (Some(near), Some(far)) = (namespace(), namespace()) else {
            eprintln!("skipped: no right to make network namespaces here; run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN");
            return None;
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_nearcast-link"))
            .args(["--near", &format!("pid:{}", near.0.id()), "--far", &format!("pid:{}", far.0.id()), "--seed", "5"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut joined = Self { program: Running(child), stdin, answers: BufReader::new(stdout), near, far };
        assert_eq!(joined.answer(), r#"{"ready":true}"#);
        Some(joined)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }

    fn says(&mut self, command: &str) -> serde_json::Value {
        writeln!(self.stdin, "{command}").expect("the program listens");
        let answer: serde_json::Value = serde_json::from_str(&self.answer()).expect("JSON");
        assert!(answer.get("error").is_none(), "{command}: {answer}");
        answer
    }

    /// A UDP socket on each side, the near one connected to the far one.
    fn sockets(&self) -> (UdpSocket, UdpSocket) {
        let far = inside(&self.far, || UdpSocket::bind((FAR, 0)).unwrap());
        let near = inside(&self.near, || UdpSocket::bind((NEAR, 0)).unwrap());
        near.connect(far.local_addr().unwrap()).unwrap();
        far.connect(near.local_addr().unwrap()).unwrap();
        for socket in [&near, &far] {
            socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        }
        (near, far)
    }
}

/// Runs `make` in the namespace of `holder`. A socket stays in the namespace it was made in.
fn inside<T: Send>(holder: &Running, make: impl FnOnce() -> T + Send) -> T {
    let file = File::open(format!("/proc/{}/ns/net", holder.0.id())).unwrap();
    std::thread::scope(|scope| {
        let made = scope.spawn(|| {
            setns(file, CloneFlags::CLONE_NEWNET).unwrap();
            make()
        });
        made.join().unwrap()
    })
}

/// How long a datagram takes there and back; `None` when it doesn't come.
fn round_trip(near: &UdpSocket, far: &UdpSocket) -> Option<Duration> {
    let (begin, mut buffer) = (Instant::now(), [0; 16]);
    near.send(b"there").unwrap();
    let length = far.recv(&mut buffer).ok()?;
    far.send(&buffer[..length]).unwrap();
    near.recv(&mut buffer).ok()?;
    Some(begin.elapsed())
}

#[test]
fn packets_take_as_long_as_they_are_told() {
    let Some(mut joined) = Joined::start() else { return };
    let (near, far) = joined.sockets();
    // The least of several: a busy machine can make any one of them later, none earlier.
    let least = || (0..10).filter_map(|_| round_trip(&near, &far)).min().expect("datagrams arrive");
    let at_first = least();
    joined.says(r#"{"up":{"delay_ms":30},"down":{"delay_ms":10}}"#);
    let delayed = least();
    assert!(at_first < Duration::from_millis(20), "{at_first:?}");
    assert!(delayed >= Duration::from_millis(40) && delayed < at_first + Duration::from_millis(60), "{delayed:?}");
}

#[test]
fn packets_are_lost_as_often_as_they_are_told() {
    let Some(mut joined) = Joined::start() else { return };
    let (near, far) = joined.sockets();
    joined.says(r#"{"up":{"loss":0.2}}"#);
    let mut arrived = 0;
    for _ in 0..20 {
        for _ in 0..50 {
            near.send(b"one").unwrap();
        }
        far.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        arrived += std::iter::from_fn(|| far.recv(&mut [0; 16]).ok()).take(50).count();
    }
    assert!((720..880).contains(&arrived), "{arrived} of 1000");
    let counts = &joined.says("{}")["up"]["counts"];
    assert!(counts["lost"].as_u64().unwrap() > 100 && counts["sent"].as_u64().unwrap() >= 1000, "{counts}");
}

#[test]
fn a_cut_stops_everything_and_a_block_only_udp() {
    let Some(mut joined) = Joined::start() else { return };
    let (near, far) = joined.sockets();
    let listener = inside(&joined.far, || TcpListener::bind((FAR, 0)).unwrap());
    let address = listener.local_addr().unwrap();
    let tcp = |joined: &Joined| inside(&joined.near, || TcpStream::connect_timeout(&address, Duration::from_millis(700)).is_ok());
    assert!(round_trip(&near, &far).is_some() && tcp(&joined));
    joined.says(r#"{"cut":true}"#);
    assert!(round_trip(&near, &far).is_none() && !tcp(&joined));
    let port = far.local_addr().unwrap().port();
    joined.says(&format!(r#"{{"cut":false,"block":{{"udp_port":{port}}}}}"#));
    assert!(round_trip(&near, &far).is_none() && tcp(&joined));
    let (other, another) = joined.sockets();
    assert!(round_trip(&other, &another).is_some(), "another port");
    joined.says(r#"{"block":"nothing"}"#);
    assert!(round_trip(&near, &far).is_some());
}

#[test]
fn it_ends_with_its_standard_input() {
    let Some(joined) = Joined::start() else { return };
    let Joined { mut program, stdin, near, .. } = joined;
    drop(stdin);
    assert!(program.0.wait().unwrap().success());
    let devices = std::fs::read_to_string(format!("/proc/{}/net/dev", near.0.id())).unwrap();
    assert!(!devices.contains("link0"), "the device is gone: {devices}");
}

#[test]
fn what_is_wrong_is_said_with_the_remedy() {
    let output = Command::new(env!("CARGO_BIN_EXE_nearcast-link")).args(["--near", "nowhere", "--far", "nowhere"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("/run/netns/nowhere") && said.contains("Remedy"), "{said}");
}
