//! As much HTTP/1.1 as asking an edge takes: one request a connection, an answer with a length or until the end.

use crate::LoadError;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer takes no longer, or the server has a fault.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer taken.
const LARGEST: u64 = 4 << 20;

/// Asks and reads JSON.
///
/// # Errors
/// No connection, another status than 200, or no JSON.
pub fn get(server: SocketAddr, path: &str) -> Result<Value, LoadError> {
    request(server, &format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n"), path)
}

/// Sends JSON and reads JSON.
///
/// # Errors
/// As [`get`].
pub fn post(server: SocketAddr, path: &str, body: &Value) -> Result<Value, LoadError> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    request(server, &format!("{head}{body}"), path)
}

fn request(server: SocketAddr, request: &str, path: &str) -> Result<Value, LoadError> {
    let doing = || format!("asking http://{server}{path}");
    let answer = exchange(server, request).map_err(LoadError::system(doing()))?;
    read_answer(&answer).map_err(|why| LoadError::refused(doing(), why))
}

fn exchange(server: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(LARGEST).read_to_string(&mut answer)?;
    Ok(answer)
}

fn read_answer(answer: &str) -> Result<Value, String> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no end of headers")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("status {status}: {}", body.trim()));
    }
    if head.to_ascii_lowercase().contains("\r\ntransfer-encoding:") {
        return Err("the answer is in chunks, which this client doesn't read".to_owned());
    }
    serde_json::from_str(body).map_err(|error| format!("not JSON ({error}): {body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_answer_is_its_json() {
        assert_eq!(read_answer("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"a\": [1]}\n"), Ok(serde_json::json!({ "a": [1] })));
    }

    #[test]
    fn a_refusal_keeps_its_words() {
        let refused = read_answer("HTTP/1.1 400 Bad Request\r\n\r\n{\"code\":\"bad-message\"}").unwrap_err();
        assert_eq!(refused, "status 400: {\"code\":\"bad-message\"}");
        assert!(read_answer("").is_err());
        assert!(read_answer("HTTP/1.1 200 OK\r\n\r\nhello").unwrap_err().contains("not JSON"));
    }
}
