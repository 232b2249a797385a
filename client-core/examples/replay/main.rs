//! Replays a trace that `room.exportTrace()` made: `cargo run -p client-core --example replay trace.json`.

mod file;

use client_core::trace::{Entry, Replay, Trace, What};
use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
Replays a call from the trace that its page exported, and says whether this version decides the same, bit for bit.

  cargo run -p client-core --example replay -- [--quiet] TRACE.json ...

  --quiet   no timeline, only the verdict

A trace is what `await room.exportTrace()` gives, saved as a file; the demo's \"why?\" panel saves one with a button.

The timeline shows seconds since the start. `>` is what the session was told, `<` what it decided because of it:

     0.120  > SocketOpened(SocketId(1))
            < Send join #1 ...

`*` stands for text that was taken out before it was recorded: tokens, names, addresses, what people wrote.

Verdicts, one for each file:
  identical   every decision is the same as recorded
  differs     the first one that isn't, as recorded and as decided now. Expected when the trace is of another version;
              otherwise a decision depends on something else than inputs, time and seed, which is a bug
  partial     so long a call that its middle was dropped: what comes before the gap was replayed, what comes after
              can only be read

Exit codes: 0 identical or partial, 1 differs, 2 a file that can't be read. docs/journal.md tells the format.";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() || arguments.iter().any(|one| one == "--help" || one == "-h") {
        println!("{HELP}");
        return if arguments.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    let before = arguments.len();
    arguments.retain(|one| one != "--quiet");
    let quiet = arguments.len() < before;
    let mut worst = 0;
    for path in &arguments {
        worst = worst.max(match replay(path, quiet) {
            Ok(code) => code,
            Err(error) => {
                eprintln!("{path}: {error}");
                2
            }
        });
    }
    ExitCode::from(worst)
}

fn replay(path: &str, quiet: bool) -> Result<u8, Box<dyn std::error::Error>> {
    let file = file::read(&std::fs::read_to_string(path)?)?;
    let trace = &file.trace;
    if !quiet {
        println!("{path}: SDK {}, exported {}, {}", file.sdk, file.exported_at, file.user_agent);
        // Somebody who reads the first lines only has closed the pipe.
        let _ = timeline(trace, &mut std::io::stdout().lock());
    }
    match trace.replay()? {
        Replay::Identical if trace.dropped() > 0 => {
            println!("{path}: partial: the first {} of {} entries are identical", trace.replayable(), trace.entries().len());
            Ok(0)
        }
        Replay::Identical => {
            println!("{path}: identical ({} entries)", trace.entries().len());
            Ok(0)
        }
        Replay::Differs { place, replayed } => {
            println!("{path}: differs at entry {place}");
            println!("  recorded: {}", trace.entries().get(place).map_or_else(nothing, line));
            println!("  now:      {}", replayed.as_ref().map_or_else(nothing, line));
            Ok(1)
        }
    }
}

fn nothing() -> String {
    "nothing more".to_owned()
}

fn timeline(trace: &Trace, out: &mut impl Write) -> std::io::Result<()> {
    let start = trace.entries().first().map(|entry| entry.at).unwrap_or_default();
    for (place, entry) in trace.entries().iter().enumerate() {
        if place == trace.replayable() {
            writeln!(out, "      ...  {} pieces of the journal are missing here", trace.dropped())?;
        }
        let time = match entry.what {
            What::Decision => String::new(),
            What::Timeout | What::Input(_) => format!("{:.3}", entry.at.since(start).as_secs_f64()),
        };
        writeln!(out, "{time:>9}  {}", line(entry))?;
    }
    Ok(())
}

fn line(entry: &Entry) -> String {
    let way = if entry.what == What::Decision { '<' } else { '>' };
    format!("{way} {entry}")
}
