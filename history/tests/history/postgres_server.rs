//! A PostgreSQL server of a test's own: in a folder of its own, on a socket in it, ended by its process id.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

static SERVERS: AtomicU32 = AtomicU32::new(0);

/// How long it may take to start; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, unless it was killed.
pub(crate) struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<u32>,
    process: Option<Child>,
}

impl Postgres {
    /// Makes one, starts it, and waits until it answers.
    pub(crate) fn start() -> Self {
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a socket has no room for more than about 100 characters.
        let folder = std::env::temp_dir().join(format!("ncpg-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut server = Self { folder, programs: programs(), user: unprivileged(), process: None };
        if let Some(user) = server.user {
            chown(&server.folder, Some(user), None).unwrap();
        }
        let mut command = server.command("initdb");
        command.args(["--username=edge", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"]).arg(server.data());
        let made = command.stdout(Stdio::null()).stderr(Stdio::inherit()).status().unwrap();
        assert!(made.success(), "initdb failed");
        server.restart();
        server
    }

    /// What edges are configured with.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://edge@localhost/{database}?host={}", self.folder.display())
    }

    /// Starts it again, with all that it had.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder).args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let log = fs::File::create(self.folder.join("log")).unwrap();
        self.process = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let begun = Instant::now();
        while !self.command("pg_isready").arg("-q").arg("-h").arg(&self.folder).status().unwrap().success() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL did not start: {}", fs::read_to_string(self.folder.join("log")).unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a crash does. Its own processes notice, and end too.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Not SIGKILL: what it shares with its processes would stay, and a stopped one could not be started again.
            signal("-CONT", process.id());
            signal("-QUIT", process.id());
            process.wait().unwrap();
        }
    }

    /// Makes it, and everything that it has started, stand still (`-STOP`) or go on (`-CONT`).
    pub(crate) fn signal(&self, what: &str) {
        let id = self.process.as_ref().unwrap().id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        signal(what, id);
        children.split_whitespace().for_each(|child| signal(what, child.parse().unwrap()));
    }

    /// Runs SQL.
    pub(crate) fn run(&self, database: &str, sql: &str) -> String {
        let mut command = self.command("psql");
        command.arg("-h").arg(&self.folder).args(["-U", "edge", "-d", database, "-v", "ON_ERROR_STOP=1", "-Atqc", sql]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir("/");
        if let Some(user) = self.user {
            command.uid(user);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn signal(what: &str, id: u32) {
    // One that has just ended needs none.
    let _ = Command::new("kill").args([what, &id.to_string()]).stderr(Stdio::null()).status().unwrap();
}

/// Where Debian has what isn't for everybody: the newest of `/usr/lib/postgresql/*/bin`.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let found = versions.filter(|folder| folder.join("initdb").exists()).max();
    found
        .or_else(|| Path::new("/usr/local/bin/initdb").exists().then(|| PathBuf::from("/usr/local/bin")))
        .expect("PostgreSQL is missing: apt-get install postgresql")
}

/// The user to run as, where this one is root, which PostgreSQL refuses.
fn unprivileged() -> Option<u32> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    match id(&["-u"]) {
        Some(0) => Some(id(&["-u", "postgres"]).expect("there is no user `postgres`: apt-get install postgresql")),
        _ => None,
    }
}
