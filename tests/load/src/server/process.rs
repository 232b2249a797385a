//! A server's process: on a core of its own, gone when it is dropped.

use crate::{LoadError, cpu};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// From start to the first line that says it is ready: cold file caches included.
const START: Duration = Duration::from_secs(20);

/// From SIGTERM to the end; then it is killed.
const END: Duration = Duration::from_secs(5);

/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// A child process and its log.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts `command` on `core`, its standard error in `log`, and waits for a line of standard output that `ready` reads.
    pub(super) fn start<T>(
        mut command: Command,
        core: Option<usize>,
        log: PathBuf,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), LoadError> {
        let starting = || format!("starting {}", command.get_program().display());
        let doing = starting();
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).map_err(LoadError::system(&doing))?;
        }
        let errors = File::create(&log).map_err(LoadError::system(format!("writing {}", log.display())))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        // A child inherits the cores of the thread that starts it.
        let spawned = std::thread::scope(|scope| {
            let spawn = || {
                core.map_or(Ok(()), cpu::pin)?;
                command.spawn().map_err(LoadError::system(&doing))
            };
            scope.spawn(spawn).join()
        });
        let child = spawned.map_err(|_| LoadError::refused(&doing, "the thread that starts it panicked"))??;
        let mut process = Self { child, log };
        let lines = process.lines();
        let deadline = Instant::now() + START;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(found) = ready(&line) {
                        return Ok((process, found));
                    }
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    return Err(LoadError::Late { what: format!("{doing}: its `ready` line"), after: START });
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Err(process.ended()),
            }
        }
    }

    /// Standard output by lines. Read to the end, so that the process never waits for its reader.
    fn lines(&mut self) -> std::sync::mpsc::Receiver<String> {
        let (tell, told) = channel();
        if let Some(output) = self.child.stdout.take() {
            std::thread::spawn(move || {
                let mut output = BufReader::new(output);
                let mut line = String::new();
                while matches!(output.read_line(&mut line), Ok(1..)) {
                    // After the ready line nobody listens.
                    let _unheard = tell.send(std::mem::take(&mut line).trim_end().to_owned());
                }
            });
        }
        told
    }

    fn ended(&mut self) -> LoadError {
        let status = self.wait(END).map_or_else(|| "its output is closed".to_owned(), |status| status.to_string());
        let mut log = String::new();
        if let Ok(mut file) = File::open(&self.log) {
            let _partial = file.read_to_string(&mut log);
        }
        let last = log.trim_end().lines().next_back().unwrap_or_default();
        LoadError::ServerEnded { why: format!("{status}: {last}"), log: self.log.clone() }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let asked = i32::try_from(self.child.id()).map(|pid| kill(Pid::from_raw(pid), Signal::SIGTERM));
        if !matches!(asked, Ok(Ok(()))) || self.wait(END).is_none() {
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("nearcast-load-{name}-{}.log", std::process::id()))
    }

    #[test]
    fn a_process_is_ready_when_it_says_so_and_ends_with_its_owner() {
        let read = |line: &str| line.strip_prefix("ready ").map(str::to_owned);
        let (process, found) = ServerProcess::start(shell("echo hello; echo ready 7; exec sleep 60"), None, log("ready"), read).unwrap();
        assert_eq!(found, "7");
        let pid = process.pid();
        assert!(crate::process::resident_kb(pid).is_ok());
        drop(process);
        assert!(crate::process::cpu_time(pid).is_err());
        std::fs::remove_file(log("ready")).unwrap();
    }

    #[test]
    fn one_that_ends_early_leaves_its_last_words() {
        let error = ServerProcess::start(shell("echo no port left >&2; exit 3"), None, log("early"), |_| None::<()>).unwrap_err();
        assert!(error.to_string().contains("exit status: 3: no port left"), "{error}");
        std::fs::remove_file(log("early")).unwrap();
    }
}
