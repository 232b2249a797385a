//! `nearcast-edge serve`.

use crate::config::Config;
use crate::edge::Edge;
use crate::log;
use std::io::Write;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Threads for signalling and HTTP; media has its own. Two, so that one slow TLS-less handshake or big JSON doesn't hold up the rest;
/// more would only cost memory.
const SIGNALLING_THREADS: usize = 2;

/// Runs an edge until a signal comes or it fails.
pub(super) fn run(config: Config) -> ExitCode {
    log::start(&config);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(SIGNALLING_THREADS).thread_name("signalling").enable_all().build();
    match runtime {
        Ok(runtime) => {
            let status = runtime.block_on(serve(config));
            // What still hangs on must not hold up the exit.
            runtime.shutdown_background();
            status
        }
        Err(error) => fail(&format!("the signalling threads cannot start: {error}")),
    }
}

async fn serve(config: Config) -> ExitCode {
    let development = config.dev.0;
    let (mut interrupt, mut terminate) = match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => return fail(&format!("signals cannot be received: {error}")),
    };
    let mut edge = match Edge::start(config).await {
        Ok(edge) => edge,
        Err(error) => return fail(&error.to_string()),
    };
    let tcp = edge.tcp().map_or_else(String::new, |tcp| format!(" tcp={tcp}"));
    let relay = edge.relay().map(|relay| format!(" relay={relay}")).unwrap_or_default();
    say(&format!("ready http={} udp={}{tcp}{relay}", edge.http(), edge.udp()));
    if development {
        welcome(&edge);
    }
    let failure = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        why = edge.failure() => Some(why),
    };
    tracing::info!("shutting down; a second signal ends at once");
    let goodbye = async {
        edge.drain().await;
        edge.shutdown().await
    };
    let counts = tokio::select! {
        counts = goodbye => counts,
        _ = interrupt.recv() => return ExitCode::FAILURE,
        _ = terminate.recv() => return ExitCode::FAILURE,
    };
    say(&format!(
        "stopped connections={} joined={} refused={} slow={} open={}",
        counts.opened, counts.joined, counts.joins_refused, counts.slow, counts.open
    ));
    match failure {
        None => ExitCode::SUCCESS,
        Some(why) => fail(&why),
    }
}

fn welcome(edge: &Edge) {
    let port = edge.http().port();
    let host = if edge.http().ip().is_unspecified() { "localhost".to_owned() } else { edge.http().ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    say(&format!("\nOpen http://{host}:{port} in two browser windows, and you are in a call with yourself."));
    say("Development mode: anybody who reaches this port gets tokens for any room. Stop with Ctrl-C.");
    if edge.http().ip().is_unspecified() {
        say("From other machines a browser gives no camera to plain http: put TLS in front, or tunnel (ssh -L).");
    }
}

/// Prints a line at once, also into a pipe. That nobody reads it is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn fail(why: &str) -> ExitCode {
    eprintln!("nearcast-edge: {why}");
    ExitCode::FAILURE
}
