//! Finding Janus or installing it, its configuration, and the network it needs.

use crate::LoadError;
use crate::progress::Progress;
use nix::sched::{CloneFlags, unshare};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where Debian puts its modules, after the machine's triplet.
const MODULES: &[&str] = &["/usr/lib/x86_64-linux-gnu/janus", "/usr/lib/aarch64-linux-gnu/janus", "/usr/lib/janus"];

/// What is measured; every other plugin is left out.
const PLUGIN: &str = "libjanus_videoroom.so";

/// How it is spoken to.
const TRANSPORT: &str = "libjanus_websockets.so";

/// An installed Janus.
#[derive(Clone, Debug)]
pub struct Installed {
    pub(super) program: PathBuf,
    modules: PathBuf,
}

/// Why there is no Janus to compare with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoJanus(String);

impl fmt::Display for NoJanus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not compared with Janus: {}", self.0)
    }
}

impl Installed {
    /// Finds Debian's package, or installs it where that needs no question.
    ///
    /// # Errors
    /// Why it isn't there, in words for the reader of the table.
    pub fn find_or_install(progress: Progress) -> Result<Self, NoJanus> {
        if !nix::unistd::geteuid().is_root() {
            return Err(NoJanus("it needs a network interface of its own, and that needs root".to_owned()));
        }
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        progress.say("installing the Debian package janus, to compare with");
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "--no-install-recommends", "janus"]).env("DEBIAN_FRONTEND", "noninteractive");
        // Its service would start at once where there is an init system; this tells the package's scripts not to.
        install.env("RUNLEVEL", "1");
        match install.output() {
            Ok(Output { status, .. }) if status.success() => {}
            Ok(Output { stderr, .. }) => {
                let text = String::from_utf8_lossy(&stderr).into_owned();
                let last = text.trim_end().lines().next_back().unwrap_or("no reason given").to_owned();
                return Err(NoJanus(format!("it isn't installed, and `apt-get install janus` failed: {last}")));
            }
            Err(error) => return Err(NoJanus(format!("it isn't installed, and apt-get can't be run: {error}"))),
        }
        Self::find().ok_or_else(|| NoJanus("it was installed, but isn't where Debian puts it".to_owned()))
    }

    fn find() -> Option<Self> {
        let program = PathBuf::from("/usr/bin/janus");
        let has_modules =
            |folder: &&Path| folder.join("plugins").join(PLUGIN).is_file() && folder.join("transports").join(TRANSPORT).is_file();
        let modules = MODULES.iter().map(Path::new).find(has_modules)?.to_owned();
        program.is_file().then_some(Self { program, modules })
    }

    /// What else is in one of its folders.
    fn others(&self, folder: &str, but: &str) -> String {
        let entries = std::fs::read_dir(self.modules.join(folder)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.ends_with(".so") && name != but).collect::<Vec<_>>().join(",")
    }
}

/// Moves the calling thread into a new network namespace, where an interface that isn't the loopback has `address`.
pub(super) fn enter_namespace(address: Ipv4Addr) -> Result<(), LoadError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(LoadError::system("making a network namespace for Janus"))?;
    let address = format!("{address}/24");
    for words in [
        "link set lo up".to_owned(),
        // A pair, since not every kernel has dummy interfaces. Its other end only has to be up.
        "link add janus0 type veth peer name janus1".to_owned(),
        format!("address add {address} dev janus0"),
        "link set janus0 up".to_owned(),
        "link set janus1 up".to_owned(),
    ] {
        let doing = format!("running `ip {words}` in Janus's network namespace");
        let output = Command::new("ip").args(words.split(' ')).output().map_err(LoadError::system(&doing))?;
        if !output.status.success() {
            return Err(LoadError::refused(&doing, String::from_utf8_lossy(&output.stderr).trim_end()));
        }
    }
    Ok(())
}

/// Writes Janus's configuration into `folder`.
pub(super) fn configure(found: &Installed, address: Ipv4Addr, api: SocketAddr, folder: &Path) -> Result<(), LoadError> {
    let modules = found.modules.display();
    let main = format!(
        r#"general: {{
	configs_folder = "{}"
	plugins_folder = "{modules}/plugins"
	transports_folder = "{modules}/transports"
	events_folder = "{modules}/events"
	loggers_folder = "{modules}/loggers"
	debug_level = 4
	debug_colors = false
	session_timeout = 0
}}
nat: {{
	ice_enforce_list = "{address}"
	full_trickle = false
}}
plugins: {{
	disable = "{}"
}}
transports: {{
	disable = "{}"
}}
"#,
        folder.display(),
        found.others("plugins", PLUGIN),
        found.others("transports", TRANSPORT),
    );
    let transport = format!("general: {{\n\tjson = \"compact\"\n\tws = true\n\tws_port = {}\n\tws_ip = \"{}\"\n}}\n", api.port(), api.ip());
    let files = [
        ("janus.jcfg", main.as_str()),
        ("janus.transport.websockets.jcfg", &transport),
        ("janus.plugin.videoroom.jcfg", "general: {\n}\n"),
    ];
    let doing = format!("writing Janus's configuration to {}", folder.display());
    std::fs::create_dir_all(folder).map_err(LoadError::system(&doing))?;
    for (name, text) in files {
        std::fs::write(folder.join(name), text).map_err(LoadError::system(&doing))?;
    }
    Ok(())
}
