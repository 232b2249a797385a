//! `nearcast-edge token`.

use super::MISUSE;
use crate::clock;
use crate::config::keys::Key;
use crate::config::values::{Mode, Setting};
use crate::config::{Config, Flags};
use crate::token::{Grants, keyring};
use clap::Args;
use core::time::Duration;
use nearcast_protocol::Permissions;
use sfu_core::ModePolicy;
use std::process::ExitCode;

/// What the token shall say.
#[derive(Args, Debug)]
pub(super) struct TokenArgs {
    /// The room it opens.
    #[arg(long)]
    room: String,
    /// Whom it is for; unique in the room.
    #[arg(long)]
    identity: String,
    /// The name that others see. [default: the identity]
    #[arg(long)]
    name: Option<String>,
    /// A role for the application; `admin` opens /v1/stats and /v1/rooms.
    #[arg(long)]
    role: Option<String>,
    /// How long it opens the room (a call may last longer): 1s to 31days.
    #[arg(long, default_value = "1h", value_parser = parse_life)]
    ttl: Duration,
    /// May not publish tracks.
    #[arg(long)]
    no_publish: bool,
    /// May not receive tracks.
    #[arg(long)]
    no_subscribe: bool,
    /// May not send data messages.
    #[arg(long)]
    no_publish_data: bool,
    /// May moderate the room: remove, mute, lock, end.
    #[arg(long)]
    moderate: bool,
    /// Forwarding policy of the room, by its name in the edge's configuration.
    #[arg(long, value_name = "NAME")]
    room_policy: Option<String>,
    /// How the room's media goes: auto, sfu or p2p. [default: as the edge is configured]
    #[arg(long, value_parser = parse_mode)]
    mode: Option<ModePolicy>,
    /// Participants that the room takes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_participants: Option<u32>,
    /// Which key signs, when several are configured.
    #[arg(long, value_name = "ID")]
    kid: Option<String>,
    #[command(flatten)]
    pub(super) flags: Flags,
}

fn parse_life(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time such as 15m, 1h or 7days".to_owned())
}

fn parse_mode(text: &str) -> Result<ModePolicy, String> {
    Mode::parse(text).map(|mode| mode.0).map_err(|_| "write auto, sfu or p2p".to_owned())
}

/// Prints the token.
pub(super) fn run(args: &TokenArgs, config: &Config) -> ExitCode {
    match mint(args, config) {
        Ok(token) => {
            println!("{token}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("nearcast-edge: {why}");
            ExitCode::from(MISUSE)
        }
    }
}

fn mint(args: &TokenArgs, config: &Config) -> Result<String, String> {
    let development = config.dev.0.then(Key::development);
    let mut keys: Vec<Key> = config.keys.iter().cloned().chain(development).collect();
    let ids = || config.keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>().join(", ");
    let key = match (&args.kid, keys.pop()) {
        (None, Some(only)) if keys.is_empty() => only,
        (None, _) => return Err(format!("there are several keys ({}); choose one with --kid", ids())),
        (Some(wanted), last) => keys
            .into_iter()
            .chain(last)
            .find(|key| key.id == *wanted)
            .ok_or_else(|| format!("--kid {wanted}: there is no such key; there are {}", ids()))?,
    };
    let permissions = Permissions {
        publish: !args.no_publish,
        subscribe: !args.no_subscribe,
        publish_data: !args.no_publish_data,
        moderate: args.moderate,
    };
    let grants = Grants {
        room: args.room.clone(),
        identity: args.identity.clone(),
        name: args.name.clone(),
        role: args.role.clone(),
        permissions,
        mode: args.mode,
        max_participants: args.max_participants,
        policy: args.room_policy.clone(),
        ttl: args.ttl,
    };
    let claims = grants.claims(clock::unix()).map_err(|fault| fault.to_string())?;
    keyring::mint(&key, &claims).map_err(|fault| fault.to_string())
}
