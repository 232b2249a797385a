//! What a test says to the link while packets flow: one JSON object a line, each answered with one line.

use crate::link::{Block, Link, Way};
use crate::settings::{Patch, Settings};
use serde::{Deserialize, Serialize};

/// A command. Everything in it is applied, in the order of these fields; an empty one asks how things stand.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Command {
    /// For both directions, before what is for one of them.
    pub both: Option<Patch>,
    /// From the near side to the far one.
    pub up: Option<Patch>,
    /// From the far side to the near one.
    pub down: Option<Patch>,
    /// Takes back every setting of both directions first.
    pub reset: bool,
    /// Lets nothing through, or everything again.
    pub cut: Option<bool>,
    /// `"nothing"`, `"udp"` or `{"udp_port":3478}`.
    pub block: Option<Block>,
}

#[derive(Serialize)]
struct Standing {
    cut: bool,
    up: OneWay,
    down: OneWay,
}

#[derive(Serialize)]
struct OneWay {
    settings: Settings,
    counts: crate::direction::Counts,
}

#[derive(Serialize)]
struct Refusal {
    error: String,
}

/// Applies `line` and says how things stand then, or why nothing was changed: one line of JSON, without its end.
pub fn obey(link: &mut Link, line: &str) -> String {
    let applied = serde_json::from_str(line).map_err(|error| error.to_string()).and_then(|command| apply(link, command));
    let answer = match applied {
        Ok(()) => serde_json::to_string(&Standing { cut: link.is_cut(), up: one_way(link, Way::Up), down: one_way(link, Way::Down) }),
        Err(error) => serde_json::to_string(&Refusal { error }),
    };
    answer.unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

fn apply(link: &mut Link, command: Command) -> Result<(), String> {
    // All of it is checked before any of it is done.
    let mut next = [Settings::default(); 2];
    for ((way, own), settings) in Way::ALL.into_iter().zip([command.up, command.down]).zip(&mut next) {
        let start = if command.reset { Settings::default() } else { link.settings(way) };
        *settings = [command.both, own].into_iter().flatten().try_fold(start, Settings::patched).map_err(|error| error.to_string())?;
    }
    for (way, settings) in Way::ALL.into_iter().zip(next) {
        link.set(way, settings);
    }
    if let Some(cut) = command.cut {
        link.cut(cut);
    }
    if let Some(block) = command.block {
        link.block(block);
    }
    Ok(())
}

fn one_way(link: &Link, way: Way) -> OneWay {
    OneWay { settings: link.settings(way), counts: link.counts(way) }
}

#[cfg(test)]
mod tests;
