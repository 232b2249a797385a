//! The binary itself: what it prints, how it ends, how little it needs.

use nearcast_edge::clock;
use nearcast_edge::config::{Config, Flags};
use nearcast_edge::token::{Expiry, Keyring};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn edge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nearcast-edge"));
    command.args(arguments).env_remove("NEARCAST_KEYS").env_remove("NEARCAST_CONFIG");
    command
}

fn run(arguments: &[&str]) -> Output {
    edge(arguments).output().unwrap()
}

struct Running {
    process: Child,
    out: BufReader<ChildStdout>,
    http: SocketAddr,
}

fn serve(arguments: &[&str]) -> Running {
    let mut command = edge(&["serve", "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--shards", "2"]);
    let mut process = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    // Harnesses of other languages read this line; its form is a promise.
    let fields: Vec<&str> = line.trim_end().split(' ').collect();
    assert_eq!(fields[0], "ready", "{line}");
    let value = |name: &str| fields.iter().find_map(|field| field.strip_prefix(name)).unwrap().parse::<SocketAddr>().unwrap();
    assert_ne!(value("udp=").port(), 0);
    Running { process, out, http: value("http=") }
}

impl Running {
    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }

    /// Status, the rest of standard output, and how long the end took.
    fn end(mut self) -> (Option<i32>, String, Duration) {
        let start = clock::now();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let status = self.process.wait().unwrap().code();
        (status, rest, clock::now() - start)
    }
}

#[test]
fn it_serves_as_soon_as_it_says_so_and_ends_when_told() {
    for signal in ["-TERM", "-INT"] {
        let edge = serve(&["--key", &format!("k1:{SECRET}")]);
        let mut connection = TcpStream::connect(edge.http).unwrap();
        connection.write_all(b"GET /readyz HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        edge.signal(signal);
        let (status, rest, took) = edge.end();
        assert_eq!(status, Some(0), "{signal}");
        assert_eq!(rest, "stopped connections=0 joined=0 refused=0 slow=0 open=0\n");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn development_says_what_to_open() {
    let edge = serve(&["--dev"]);
    let http = edge.http;
    edge.signal("-TERM");
    let (_, rest, _) = edge.end();
    assert!(rest.contains(&format!("http://127.0.0.1:{}", http.port())), "{rest}");
}

/// 25 MB is the target; a build with debug information maps more of itself, so this is the harder case.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_process_is_small() {
    let edge = serve(&["--dev"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", edge.process.id())).unwrap();
    edge.signal("-TERM");
    edge.end();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    println!("idle: {kilobytes} kB resident");
    assert!(kilobytes < 25_000, "{kilobytes} kB");
}

#[test]
fn a_start_without_keys_says_what_to_do() {
    let output = run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("keys: none given") && said.contains("--dev"), "{said}");
}

#[test]
fn a_taken_port_is_named_with_its_remedy() {
    let holder = serve(&["--dev"]);
    let output = run(&["serve", "--dev", "--http", &holder.http.to_string(), "--udp", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    holder.signal("-TERM");
    holder.end();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&format!("http = {}", "127.0.0.1")) && said.contains("choose another with --http"), "{said}");
}

#[test]
fn a_token_from_the_command_line_is_good() {
    let keys = [format!("k1:{SECRET}"), format!("k2:{}", "f".repeat(32))];
    let keyring = Keyring::new(&Config::load(&Flags { keys: keys.to_vec(), ..Flags::default() }, []).unwrap());
    let who = ["token", "--room", "lobby", "--identity", "alice", "--role", "admin", "--no-publish", "--ttl", "10m"];
    let both = ["--key", &keys[0], "--key", &keys[1]];
    let output = run(&[&who[..], &both, &["--kid", "k2"]].concat());
    let token = String::from_utf8(output.stdout).unwrap();
    let claims = keyring.verify(token.trim_end(), clock::unix(), Expiry::Enforced).unwrap();
    assert_eq!(
        (claims.sub.as_str(), claims.role.as_deref(), claims.can_publish, claims.can_subscribe),
        ("alice", Some("admin"), false, true)
    );

    let output = run(&[&who[..], &both].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("choose one with --kid"));
}
