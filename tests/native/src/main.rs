//! `nearcast-native`: one participant, directed through standard input, telling what happens on standard output.
//!
//! One JSON object a line, both ways. In: `{"command":"send","text":"…"}` (and `topic`, `to`, `reliable`, default true) and
//! `{"command":"stop"}`; the end of the input stops too. Out: notices as they come, the report last.

use clap::Parser;
use nearcast_native::{Client, Clip, Error, JoinOptions, Message, Publish, Report};
use nearcast_protocol::client::Source;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Joins a room of a Nearcast edge without a browser.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// ws://HOST:PORT/v1/signal
    #[arg(long)]
    url: String,
    /// A token for room and identity (POST /v1/token of an edge in development mode mints one)
    #[arg(long)]
    token: String,
    /// VP8 in IVF, published as the camera
    #[arg(long)]
    video: Option<PathBuf>,
    /// Opus in Ogg, one packet a page, published as the microphone
    #[arg(long)]
    audio: Option<PathBuf>,
    /// Writes what is received into this folder
    #[arg(long)]
    record: Option<PathBuf>,
    /// Receiving sections of each kind
    #[arg(long, default_value_t = 2)]
    slots: usize,
    /// Stops by itself after so many seconds
    #[arg(long, default_value_t = 120)]
    limit: u64,
    /// Sends media to this address instead of the edge's
    #[arg(long)]
    redirect: Option<SocketAddr>,
    /// Pause between ICE checks in milliseconds, where not the webrtc crate's own
    #[arg(long)]
    check_interval: Option<u64>,
    /// Log level of the webrtc crate on standard error
    #[arg(long, default_value = "warn")]
    log: log::LevelFilter,
}

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
enum Command {
    Send {
        text: String,
        topic: Option<String>,
        to: Option<String>,
        #[serde(default = "yes")]
        reliable: bool,
    },
    Stop,
}

fn yes() -> bool {
    true
}

/// The last line.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Last<'a> {
    Report(&'a Report),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    nearcast_native::log::start(arguments.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(arguments));
    // Standard input is read by a thread that can't be interrupted: don't wait for it.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    let limit = Duration::from_secs(arguments.limit);
    let mut client = Client::join(options(arguments)?).await?;
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    let end = tokio::time::sleep(limit);
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            notice = client.notice() => match notice {
                Some(notice) => print(&notice),
                None => break,
            },
            line = commands.next_line() => match line {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(Command::Send { text, topic, to, reliable }) => client.send(Message { text, topic, to }, reliable).await?,
                    Ok(Command::Stop) => break,
                    Err(error) => return Err(Error::Protocol(format!("{error} in the command {line}"))),
                },
                Ok(None) | Err(_) => break,
            },
        }
    }
    print(&Last::Report(&client.stop().await?));
    Ok(())
}

fn options(arguments: Arguments) -> Result<JoinOptions, Error> {
    let mut publish = Vec::new();
    if let Some(path) = &arguments.audio {
        publish.push(Publish { source: Source::Microphone, clip: Arc::new(Clip::opus(path)?) });
    }
    if let Some(path) = &arguments.video {
        publish.push(Publish { source: Source::Camera, clip: Arc::new(Clip::vp8(path)?) });
    }
    Ok(JoinOptions {
        publish,
        slots: arguments.slots,
        record: arguments.record,
        redirect: arguments.redirect,
        check_interval: arguments.check_interval.map(Duration::from_millis),
        ..JoinOptions::new(arguments.url, arguments.token)
    })
}

fn print(line: &impl Serialize) {
    match serde_json::to_string(line) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("not printable: {error}"),
    }
}
