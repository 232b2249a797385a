//! The command line. Its help is meant to be enough to run an edge without another page.

mod serve;
mod token;

use crate::config::{Config, Flags, SETTINGS, reference};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Exit status when flags or configuration are wrong; clap's own.
const MISUSE: u8 = 2;

/// SFU for the Nearcast SDK: forwards audio, video and data between the people in a room.
#[derive(Debug, Parser)]
#[command(
    name = "nearcast-edge",
    version,
    after_help = "Try it:        nearcast-edge serve --dev, then open http://localhost:8080\n\
                  In service:    NEARCAST_KEYS=ID:SECRET nearcast-edge serve --announce PUBLIC-IP\n\
                  A token:       NEARCAST_KEYS=ID:SECRET nearcast-edge token --room lobby --identity alice"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the edge.
    ///
    /// Media goes over one UDP port, everything else over one HTTP port. When the sockets are bound, standard output gets one line,
    /// `ready http=ADDR udp=ADDR`. SIGINT and SIGTERM tell everybody in a call and end the process within two seconds.
    Serve(Box<Flags>),
    /// Print a token that opens one room for one person.
    ///
    /// Signs with --key, NEARCAST_KEYS, the file's keys, or the development key (--dev). For trying things out and for administration;
    /// in service the application's own server mints tokens, see docs/tokens.md.
    Token(Box<token::TokenArgs>),
    /// Check the configuration and print what would apply, with explanations, as a TOML file. Secrets are not shown.
    Config(Box<ConfigArgs>),
}

#[derive(Args, Debug)]
struct ConfigArgs {
    /// Print docs/configuration.md instead.
    #[arg(long)]
    markdown: bool,
    #[command(flatten)]
    flags: Flags,
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match cli.command {
        Command::Serve(flags) => with_config(&flags, serve::run),
        Command::Token(args) => with_config(&args.flags, |config| token::run(&args, &config)),
        Command::Config(args) if args.markdown => {
            print!("{}", reference::markdown());
            ExitCode::SUCCESS
        }
        Command::Config(args) => with_config(&args.flags, |config| {
            print!("{}", reference::effective(&config));
            ExitCode::SUCCESS
        }),
    }
}

/// The parser, with default, range and variable of each setting below its description.
fn command() -> clap::Command {
    let explain = |command: clap::Command| {
        command.mut_args(|arg| {
            let Some(setting) = SETTINGS.iter().find(|setting| arg.get_id().as_str() == setting.key) else { return arg };
            let suffix = reference::help_suffix(setting);
            let short = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let long = arg.get_long_help().map_or_else(|| short.clone(), ToString::to_string);
            arg.help(format!("{short} {suffix}")).long_help(format!("{long}\n\n{suffix}"))
        })
    };
    ["serve", "token", "config"].into_iter().fold(Cli::command(), |cli, name| cli.mut_subcommand(name, explain))
}

fn with_config(flags: &Flags, run: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    match Config::load(flags, environment) {
        Ok(config) => run(config),
        Err(faults) => {
            eprintln!("{faults}\nSettings: nearcast-edge serve --help, or docs/configuration.md.");
            ExitCode::from(MISUSE)
        }
    }
}

#[cfg(test)]
mod tests;
