//! Instructions that the packet path takes, by `valgrind --tool=callgrind`, held against a committed baseline.
//!
//! Instructions aren't time, but unlike time they are the same on a busy machine. Counted is what happens inside the two functions of
//! [`path::MEASURED`]. Cryptography is told apart and not compared: which code seals depends on the processor; everything else
//! doesn't, for valgrind shows every program the same one.

use crate::LoadError;
use crate::path::{self, Forwarded, MEASURED};
use crate::progress::Progress;
use crate::server::target_folder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Subscribers of the one publisher.
pub const SUBSCRIBERS: usize = 50;

/// How much of the recording is counted: a thousand packets in, fifty thousand out.
pub const LENGTH: Duration = Duration::from_secs(4);

/// How far the count may be from the baseline. Runs differ by a few in ten thousand (hash seeds); compilers by a few percent.
const TOLERANCE: f64 = 0.05;

/// Functions of the cryptographic library have its name and version in theirs; those that only one file of it knows begin so.
const CRYPTOGRAPHY: [&str; 5] = ["_aes", "aes_", "aead_aes", "gcm_", "ghash"];

/// How many functions are named.
const DEAREST: usize = 15;

/// What was counted, for each datagram that left.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Count {
    /// Without cryptography: what is compared.
    pub instructions_per_packet: f64,
    /// Of cryptography, on this processor.
    pub cryptography_per_packet: f64,
    /// Datagrams that left.
    pub packets: u64,
}

/// A count beside the committed one.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was counted now.
    pub count: Count,
    /// What is committed; none: nothing yet.
    pub baseline: Option<Count>,
    /// The functions that take most, with their share, in instructions for each datagram.
    pub dearest: Vec<(String, f64)>,
    file: PathBuf,
}

/// The committed baseline.
#[must_use]
pub fn baseline_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline/instructions.json")
}

/// Runs this program's `path` command under callgrind, and counts.
///
/// # Errors
/// There is no valgrind, or the path fails.
pub fn run(progress: Progress) -> Result<Report, LoadError> {
    let doing = "counting instructions";
    let output = target_folder().join("instructions.callgrind");
    let program = std::env::current_exe().map_err(LoadError::system(doing))?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no", "--compress-strings=no", "--compress-pos=no", "--quiet"]);
    valgrind.args(MEASURED.iter().map(|name| format!("--toggle-collect={name}")));
    valgrind.arg(format!("--callgrind-out-file={}", output.display())).arg(program).arg("path");
    progress.say(&format!("{SUBSCRIBERS} subscribers and {} s of a recording under callgrind", LENGTH.as_secs()));
    let ran = valgrind.output().map_err(LoadError::system(format!("{doing} with valgrind (apt-get install valgrind)")))?;
    let refuse = |why: String| LoadError::refused(doing, why);
    if !ran.status.success() {
        return Err(refuse(format!("{}: {}", ran.status, String::from_utf8_lossy(&ran.stderr).trim_end())));
    }
    let forwarded: Printed = serde_json::from_slice(&ran.stdout).map_err(|error| refuse(error.to_string()))?;
    let text = std::fs::read_to_string(&output).map_err(LoadError::system(format!("reading {}", output.display())))?;
    let costs = costs(&text);
    if costs.is_empty() {
        return Err(refuse(format!("callgrind found neither {} nor {}", MEASURED[0], MEASURED[1])));
    }
    let file = baseline_file();
    let baseline = std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok());
    let packets = forwarded.sent.max(1);
    let each = |total: u64| total as f64 / packets as f64;
    let of = |wanted: bool| costs.iter().filter(|(name, _)| is_cryptography(name) == wanted).map(|(_, cost)| cost).sum::<u64>();
    let mut dearest: Vec<(String, f64)> = costs.iter().map(|(name, cost)| (name.clone(), each(*cost))).collect();
    dearest.sort_by(|(_, one), (_, two)| two.total_cmp(one));
    dearest.truncate(DEAREST);
    let count = Count { instructions_per_packet: each(of(false)), cryptography_per_packet: each(of(true)), packets };
    Ok(Report { count, baseline, dearest, file })
}

/// What the `path` command prints for the one who counts.
#[derive(Debug, Deserialize, Serialize)]
struct Printed {
    sent: u64,
}

/// The `path` command: runs it and says on standard output how many datagrams left.
///
/// # Errors
/// The path fails.
pub fn print_path() -> Result<(), LoadError> {
    let Forwarded { sent, .. } = path::run(SUBSCRIBERS, LENGTH)?;
    println!("{}", serde_json::json!(Printed { sent }));
    Ok(())
}

fn is_cryptography(function: &str) -> bool {
    function.contains("aws_lc_") || CRYPTOGRAPHY.iter().any(|start| function.starts_with(start))
}

/// What each function took itself, by name, from callgrind's output with names and positions in full.
fn costs(text: &str) -> BTreeMap<String, u64> {
    let mut costs = BTreeMap::new();
    let mut function = String::new();
    let mut of_a_call = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            name.clone_into(&mut function);
        } else if line.starts_with("calls=") {
            // The next line is what the called function and its own calls took; they have lines of their own.
            of_a_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit())
            && !std::mem::take(&mut of_a_call)
            && let Some(cost) = line.split_once(' ').and_then(|(_, cost)| cost.parse::<u64>().ok())
        {
            *costs.entry(function.clone()).or_default() += cost;
        }
    }
    costs.retain(|_, cost| *cost > 0);
    costs
}

impl Report {
    /// Makes this count the baseline.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn commit(&self) -> Result<(), LoadError> {
        let doing = format!("writing {}", self.file.display());
        let text = serde_json::to_string_pretty(&self.count).map_err(|error| LoadError::refused(&doing, error))?;
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder).map_err(LoadError::system(&doing))?;
        }
        std::fs::write(&self.file, text + "\n").map_err(LoadError::system(&doing))
    }

    /// # Errors
    /// The path takes more instructions than the baseline and the tolerance allow, or there is no baseline.
    pub fn check(&self) -> Result<(), LoadError> {
        let Some(baseline) = &self.baseline else {
            return Err(LoadError::OutOfBounds(format!(
                "there is no baseline in {}; make it: scripts/instructions.sh --commit",
                self.file.display()
            )));
        };
        let (is, was) = (self.count.instructions_per_packet, baseline.instructions_per_packet);
        if is > was * (1.0 + TOLERANCE) {
            return Err(LoadError::OutOfBounds(format!(
                "a forwarded packet takes {is:.0} instructions, {:.1} % more than the baseline's {was:.0}; if that is meant, \
                 commit the new one: scripts/instructions.sh --commit",
                (is / was - 1.0) * 100.0
            )));
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { instructions_per_packet: is, cryptography_per_packet: sealing, packets } = self.count;
        for (name, cost) in &self.dearest {
            writeln!(formatter, "{cost:>9.1}  {name}")?;
        }
        writeln!(formatter, "{is:.1} instructions a packet, and {sealing:.1} of cryptography on this processor; {packets} packets")?;
        match &self.baseline {
            None => writeln!(formatter, "no baseline yet"),
            Some(baseline) => {
                let change = (is / baseline.instructions_per_packet.max(f64::MIN_POSITIVE) - 1.0) * 100.0;
                write!(formatter, "baseline: {:.1} ({change:+.2} %)", baseline.instructions_per_packet)?;
                let better =
                    if change < -TOLERANCE * 100.0 { "; improved: commit the new baseline (scripts/instructions.sh --commit)" } else { "" };
                writeln!(formatter, "{better}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "events: Ir\nfn=one\n10 100\n11 20\ncfn=aws_lc_0_1_seal\ncalls=3 7\n11 9000\n12 1\nfn=aws_lc_0_1_seal\n7 9000\n\
                          fn=idle\n1 0\n\ntotals: 9121\n";

    #[test]
    fn a_call_counts_where_it_goes() {
        let costs = costs(OUTPUT);
        assert_eq!(costs.into_iter().collect::<Vec<_>>(), [("aws_lc_0_1_seal".to_owned(), 9000), ("one".to_owned(), 121)]);
    }

    #[test]
    fn cryptography_is_told_apart() {
        let names = ["aws_lc_0_47_0_aesni_gcm_encrypt", "_aesni_ctr32_ghash_6x", "aead_aes_gcm_seal_scatter_impl"];
        assert!(names.into_iter().all(is_cryptography));
        assert!(!["sfu_core::srtp::sender::SrtpSender::protect_rtp", "__memcpy_avx_unaligned_erms"].into_iter().any(is_cryptography));
    }

    #[test]
    fn more_than_the_tolerance_fails_and_less_is_praised() {
        let count = |instructions_per_packet| Count { instructions_per_packet, ..Count::default() };
        let report =
            |is, was: Option<f64>| Report { count: count(is), baseline: was.map(count), dearest: Vec::new(), file: PathBuf::new() };
        assert!(report(104.9, Some(100.0)).check().is_ok());
        assert!(report(105.1, Some(100.0)).check().unwrap_err().to_string().contains("5.1 % more"));
        assert!(report(1.0, None).check().is_err());
        assert!(report(90.0, Some(100.0)).to_string().contains("improved"));
        assert!(!report(99.0, Some(100.0)).to_string().contains("improved"));
    }

    #[test]
    fn the_committed_baseline_is_readable() {
        let text = std::fs::read_to_string(baseline_file()).unwrap();
        let baseline: Count = serde_json::from_str(&text).unwrap();
        assert!(baseline.instructions_per_packet > 100.0);
    }
}
