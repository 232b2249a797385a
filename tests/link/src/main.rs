//! `nearcast-link`: see the library.

use clap::Parser;
use nearcast_link::Link;
use nearcast_link::device::{Address, Namespace, open};
use nearcast_link::run::run;
use std::error::Error;
use std::io;
use std::process::ExitCode;

/// Joins two network namespaces by a link whose delay, loss, rate and cuts are told on standard input.
#[derive(Debug, Parser)]
#[command(name = "nearcast-link", after_long_help = EXAMPLES)]
struct Cli {
    /// Where the client is: NAME of `ip netns`, pid:1234, or a path.
    #[arg(long, value_name = "NAMESPACE")]
    near: Namespace,
    /// Where the server is.
    #[arg(long, value_name = "NAMESPACE")]
    far: Namespace,
    /// Address of the near side's device.
    #[arg(long, value_name = "IP/PREFIX", default_value = "10.78.0.2/24")]
    near_address: Address,
    /// Address of the far side's device.
    #[arg(long, value_name = "IP/PREFIX", default_value = "10.78.0.1/24")]
    far_address: Address,
    /// Name of the device on both sides.
    #[arg(long, value_name = "NAME", default_value = "link0")]
    device: String,
    /// Decides what is lost, doubled and late.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const EXAMPLES: &str = r#"On standard input one JSON object a line; each is answered with a line that tells settings and counts, or {"error":…}:

  {"both":{"delay_ms":25}}                      25 ms each way, so a round trip of 50
  {"up":{"rate_kbps":400,"queue_ms":200}}       400 kbit/s from the near side, with a queue of 200 ms before it
  {"down":{"loss":0.05}}                        5 % random loss towards the near side
  {"both":{"bursts":{"good":40,"bad":2}}}       bursts: two packets lost after forty good ones, on average
  {"both":{"jitter_ms":10,"duplicate":0.02,"reorder_every":20}}
  {"cut":true}    {"cut":false}                 nothing passes, packets under way included; and again
  {"block":"udp"} {"block":{"udp_port":3478}}   a firewall; {"block":"nothing"} takes it away
  {"reset":true}                                no delay, no loss, no limit
  {}                                            how things stand

What isn't named stays as it is; 0 takes a limit away. The first line it writes is {"ready":true}; it ends with standard input, and its
devices with it. To try it:

  ip netns add client; ip netns add server
  nearcast-link --near client --far server        # type {"both":{"delay_ms":50}}, then elsewhere:
  ip netns exec client ping 10.78.0.1"#;

fn main() -> ExitCode {
    match carry(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nearcast-link: {error}");
            ExitCode::FAILURE
        }
    }
}

fn carry(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let near = open(&cli.near, &cli.device, cli.near_address)?;
    let far = open(&cli.far, &cli.device, cli.far_address)?;
    Ok(run(Link::new(cli.seed), &near, &far, io::stdin(), io::stdout())?)
}
