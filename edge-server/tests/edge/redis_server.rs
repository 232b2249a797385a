//! A Redis server of a test's own: in a folder of its own, on a socket in it, ended by its process id.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static SERVERS: AtomicU32 = AtomicU32::new(0);

/// A running server, unless it was killed.
pub(crate) struct Redis {
    folder: PathBuf,
    process: Option<Child>,
}

impl Redis {
    /// Starts one, and waits until it takes connections.
    pub(crate) fn start() -> Self {
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("nearcast-redis-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut redis = Self { folder, process: None };
        redis.restart();
        redis
    }

    /// What edges are configured with.
    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.folder.join("socket").display())
    }

    /// Starts it again, with nothing in it.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let socket = self.folder.join("socket");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no", "--unixsocket"]).arg(socket);
        command.arg("--dir").arg(&self.folder).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("redis-server is missing: apt-get install redis-server");
        let out = BufReader::new(process.stdout.take().unwrap());
        self.process = Some(process);
        let mut lines = out.lines();
        let ready = lines.by_ref().map(Result::unwrap).any(|line| line.to_lowercase().contains("ready to accept connections"));
        assert!(ready, "redis-server did not start");
        // What it says from now on has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends a signal, such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// What stands in a key, as it is.
    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        redis::cmd("GET").arg(key).query(&mut connection).unwrap()
    }

    /// Writes into a key.
    pub(crate) fn write(&self, key: &str, bytes: &[u8]) {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        redis::cmd("SET").arg(key).arg(bytes).query::<()>(&mut connection).unwrap();
    }

    /// Asks it something.
    pub(crate) fn ask(&self, words: &[&str]) -> Option<String> {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let (name, arguments) = words.split_first().unwrap();
        redis::cmd(name).arg(arguments).query(&mut connection).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
