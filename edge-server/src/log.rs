//! Log lines on standard error, for people or for machines. Tokens, keys and session ids are never logged.

use crate::config::Config;
use crate::config::values::LogFormat;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Sets up logging for the process, and has panics logged like everything else.
pub fn start(config: &Config) {
    let filtered = registry().with(targets(config));
    let started = match config.log_format {
        LogFormat::Human => {
            use std::io::IsTerminal;
            let ansi = std::io::stderr().is_terminal();
            filtered.with(fmt::layer().with_writer(std::io::stderr).with_ansi(ansi).with_target(false)).try_init()
        }
        LogFormat::Json => filtered.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init(),
    };
    // Only a test that starts two edges in one process gets here twice; the first one's settings stay.
    drop(started);
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(thread = thread.name().unwrap_or("unnamed"), location, "panic: {}", panic.payload_as_str().unwrap_or("(no text)"));
    }));
}

/// Libraries that tell of each request where we would tell of a start. Whoever names one hears all that is asked for.
const TALKATIVE: [&str; 3] = ["turn_server_proto", "turn_types", "stun_proto"];

fn targets(config: &Config) -> Targets {
    let level = config.log.targets.default_level().unwrap_or(LevelFilter::OFF).min(LevelFilter::WARN);
    let unnamed = TALKATIVE.into_iter().filter(|name| !config.log.text.contains(name));
    unnamed.fold(config.log.targets.clone(), |targets, name| targets.with_target(name, level))
}
